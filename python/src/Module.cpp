// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm._native: packs and products. What has more words than work is Python, in fp8gemm/.

#include "Docs.h"
#include "Pack.h"
#include "Parameters.h"

#include <cstring>

using namespace fp8gemm;
using namespace fp8gemm::python;

static PyObject *error = nullptr;
static PyObject *defaultPack = nullptr; ///< a Pack, or null

PyObject *python::errorType() { return error; }

void python::setError(PyObject *type, const char *text) {
  Object decoded(PyUnicode_Decode(text, Py_ssize_t(std::strlen(text)), "utf-8", "backslashreplace"));
  if (decoded)
    PyErr_SetObject(type, decoded.get());
}

/// A function of the module: the method of the default pack.
template <Launcher launch>
static PyObject *function(PyObject *, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  if (!defaultPack) {
    PyErr_SetString(PyExc_RuntimeError,
                    "expected a default pack: call fp8gemm.set_pack(fp8gemm.load(\"model.fp8pack\"))");
    return nullptr;
  }
  Object keep = Object::borrow(defaultPack); // another thread may set another one
  return callWith(*packOf(keep.get()), launch, args, count, keywords);
}

static PyObject *setPack(PyObject *, PyObject *given) {
  if (given != Py_None && !packOf(given))
    return nullptr;
  Object before(defaultPack);
  defaultPack = given == Py_None ? nullptr : Py_NewRef(given);
  return Py_NewRef(Py_None);
}

static PyObject *getPack(PyObject *, PyObject *) { return Py_NewRef(defaultPack ? defaultPack : Py_None); }

/// The table of parameters, for stubs and PyTorch's schemas: {function: (positional, [(name, type,
/// default or None, rank (0: any), shape or None)])}.
static PyObject *parameters(PyObject *, PyObject *) {
  Object functions(PyDict_New());
  for (const Function *function : kFunctions) {
    Object list(PyList_New(0));
    for (const Parameter &parameter : *function) {
      Object entry(Py_BuildValue("(ssziz)", parameter.name, parameter.type, parameter.usual, parameter.shape.rank,
                                 parameter.shape.text));
      if (!list || !entry || PyList_Append(list.get(), entry.get()) != 0)
        return nullptr;
    }
    Object entry(list ? Py_BuildValue("(iO)", function->positional, list.get()) : nullptr);
    if (!functions || !entry || PyDict_SetItemString(functions.get(), function->name, entry.get()) != 0)
      return nullptr;
  }
  return functions.release();
}

template <typename T> static PyCFunction asFunction(T function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

static bool addErrors(PyObject *module) {
  error = PyErr_NewExceptionWithDoc("fp8gemm.Error", "A call of the runtime or of the CUDA driver failed.",
                                    PyExc_RuntimeError, nullptr);
  Object notInPack(error ? PyErr_NewExceptionWithDoc("fp8gemm.NotInPackError",
                                                     "The pack has no kernels for this problem.", error, nullptr)
                         : nullptr);
  return notInPack && PyModule_AddObjectRef(module, "Error", error) == 0 &&
         PyModule_AddObjectRef(module, "NotInPackError", notInPack.get()) == 0;
}

PyMODINIT_FUNC PyInit__native() {
  constexpr int kFast = METH_FASTCALL | METH_KEYWORDS;
  static PyMethodDef functions[] = {
      {"set_pack", setPack, METH_O, docs::kSetPack},
      {"get_pack", getPack, METH_NOARGS, docs::kGetPack},
      {"_problem_fields", problemFields, METH_NOARGS, nullptr},
      {"_parameters", parameters, METH_NOARGS, nullptr},
      {"gemm", asFunction(function<gemm>), kFast, docOf(kGemm)},
      {"quantize", asFunction(function<quantize>), kFast, docOf(kQuantize)},
      {"grouped_gemm_contiguous", asFunction(function<groupedGemmContiguous>), kFast, docOf(kContiguous)},
      {"grouped_gemm_masked", asFunction(function<groupedGemmMasked>), kFast, docOf(kMasked)},
      {"grouped_gemm_k", asFunction(function<groupedGemmK>), kFast, docOf(kK)},
      {}};
  static PyModuleDef definition = {
      PyModuleDef_HEAD_INIT, "fp8gemm._native", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};
  Object module(PyModule_Create(&definition));
  const std::string version = std::to_string(FP8GEMM_VERSION_MAJOR) + '.' + std::to_string(FP8GEMM_VERSION_MINOR) +
                              '.' + std::to_string(FP8GEMM_VERSION_PATCH);
  bool good = module && PyModule_AddStringConstant(module.get(), "__version__", version.c_str()) == 0 &&
              addErrors(module.get()) && addPackType(module.get());
  return good ? module.release() : nullptr;
}
