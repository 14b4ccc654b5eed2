// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments of a vectorcall by position and by name, without a tuple, a dictionary or a format string.

#ifndef FP8GEMM_PYTHON_SRC_ARGUMENTS_H
#define FP8GEMM_PYTHON_SRC_ARGUMENTS_H

#include "PythonApi.h"

#include <cstdint>

namespace fp8gemm::python {

/// The parameters of a function: `names` with the required ones first, of which `positional` may be given by position.
struct Signature {
  static constexpr int kMax = 16;

  const char *function;
  int required;
  int positional;
  int count;
  PyObject *names[kMax]; ///< interned, so that a caller's names are mostly the same objects

  Signature(const char *function, int required, int positional, std::initializer_list<const char *> names);

  /// Borrowed references, null for what is not given. False with an error set.
  bool bind(PyObject *const *args, Py_ssize_t positionalCount, PyObject *keywords, PyObject **values) const;
};

/// Of optional arguments: what is missing keeps its value. False with an error set, which names the argument.
bool readBool(PyObject *value, const char *name, bool &result);
/// An integer in [least, most], not a bool.
bool readCount(PyObject *value, const char *name, int64_t least, int64_t most, int64_t &result);
/// One of two words; `isSecond` tells which. `rule` names them in the error.
bool readWord(PyObject *value, const char *name, const char *first, const char *second, const char *rule,
              bool &isSecond);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_ARGUMENTS_H
