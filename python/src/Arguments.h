// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments of a vectorcall by position and by name, without a tuple, a dictionary or a format string.

#ifndef FP8GEMM_PYTHON_SRC_ARGUMENTS_H
#define FP8GEMM_PYTHON_SRC_ARGUMENTS_H

#include "Parameters.h"
#include "PythonApi.h"

#include <cstdint>

namespace fp8gemm::python {

/// How arguments find their parameters: those that have to be given come first.
struct Signature {
  const Function &function;
  int required = 0;
  PyObject *names[kMostParameters]; ///< interned, so that a caller's names are mostly the same objects

  explicit Signature(const Function &function);

  /// One for each parameter: borrowed references, null for what is not given. False with an error set.
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
