// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Python's limited API, and the few things that all files here need of it.

#ifndef FP8GEMM_PYTHON_SRC_PYTHONAPI_H
#define FP8GEMM_PYTHON_SRC_PYTHONAPI_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <utility>

#ifndef Py_LIMITED_API
#error "this extension is one for all versions of Python from 3.10 on: define Py_LIMITED_API"
#endif

namespace fp8gemm::python {

/// A reference that is given back.
class Object {
public:
  Object() = default;
  explicit Object(PyObject *owned) : object(owned) {}
  Object(Object &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
  Object &operator=(Object &&other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Object() { Py_XDECREF(object); }

  static Object borrow(PyObject *borrowed) { return Object(Py_XNewRef(borrowed)); }

  PyObject *get() const { return object; }
  PyObject *release() { return std::exchange(object, nullptr); }
  explicit operator bool() const { return object != nullptr; }

private:
  PyObject *object = nullptr;
};

/// Whether an argument is missing or None.
inline bool isMissing(PyObject *value) { return !value || value == Py_None; }

/// Sets an error whose text may quote names that are not UTF-8, such as those of files: their bytes as \xNN.
void setError(PyObject *type, const char *text);

/// fp8gemm.MODULE.FUNCTION(arguments): for what is rare, and easier said in Python.
Object callPython(const char *module, const char *function, const char *format, ...);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_PYTHONAPI_H
