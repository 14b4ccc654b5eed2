// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm._native.Pack: a pack that is open, and how a call finds its kernel.

#ifndef FP8GEMM_PYTHON_SRC_PACK_H
#define FP8GEMM_PYTHON_SRC_PACK_H

#include "PythonApi.h"

#include "fp8gemm/Problem.h"
#include "fp8gemm/runtime.h"

#include <string>
#include <vector>

namespace fp8gemm::python {

/// fp8gemm.Error.
PyObject *errorType();

/// Sets the error of a failed call of the runtime on this thread: ValueError for arguments, else fp8gemm.Error.
/// Returns null.
PyObject *raise(fp8gemm_status status);

/// Layouts that a call's scales may be taken for, the one to prefer first.
struct Layouts {
  int count = 0;
  fp8gemm_scale_layout layout[2] = {};
  int64_t leading[2] = {};
};

/// Those of sfa, sfb and sfd; of scales that a call does not have, none.
using Choice = const Layouts *[3];

class Pack {
public:
  std::string path;
  std::vector<format::Problem> problems; ///< also of a closed pack

  ~Pack();
  bool open(const char *path);

  /// Closes it; refused while a call uses it.
  bool close();
  bool expectOpen() const;

  /// The kernel of `problem`, whose layouts are chosen, among those that the scales may have, by what the pack has.
  /// The indices of the chosen ones go to `choice`. Null with fp8gemm.NotInPackError set.
  fp8gemm_kernel *find(fp8gemm_problem &problem, int64_t m, const Choice &layouts, int (&choice)[3]);

  bool has(const fp8gemm_problem &problem) const;

  fp8gemm_pack *handle = nullptr;
  int users = 0;         ///< calls that have begun and not ended
  bool isLoaded = false; ///< kernels may be in use on a device until it is closed
};

/// The pack of a Python object; null with an error set.
Pack *packOf(PyObject *object);

/// Lets other Python threads run.
class Unlocked {
public:
  Unlocked() : state(PyEval_SaveThread()) {}
  ~Unlocked() { PyEval_RestoreThread(state); }

private:
  PyThreadState *state;
};

/// _native._problem_fields(): for each grouping, and for quantisation ("none", like one product), its op, what its
/// fields usually are, and which of them an entry of a list has to name: [(grouping, op, {field: value}, [field, ...]),
/// ...].
PyObject *problemFields(PyObject *, PyObject *);

/// A new Pack type in `module`. False with an error set.
bool addPackType(PyObject *module);

/// A function of a pack and the arguments of a vectorcall.
using Launcher = PyObject *(*)(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);

/// The same, if the pack is open, which nobody closes until it returns.
PyObject *callWith(Pack &pack, Launcher launch, PyObject *const *args, Py_ssize_t count, PyObject *keywords);

PyObject *gemm(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *quantize(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *groupedGemmContiguous(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *groupedGemmMasked(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *groupedGemmK(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_PACK_H
