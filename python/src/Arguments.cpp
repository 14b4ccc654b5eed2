// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Arguments.h"

#include <algorithm>
#include <cstdarg>

using namespace fp8gemm::python;

Signature::Signature(const Function &function) : function(function) {
  for (const Parameter &parameter : function) {
    names[&parameter - function.begin()] = PyUnicode_InternFromString(parameter.name);
    required += !parameter.usual;
  }
}

static int indexOf(const Signature &signature, PyObject *name) {
  for (int i = 0; i < signature.function.count; ++i)
    if (signature.names[i] == name)
      return i;
  for (int i = 0; i < signature.function.count; ++i)
    if (PyUnicode_Compare(signature.names[i], name) == 0)
      return i;
  return -1;
}

bool Signature::bind(PyObject *const *args, Py_ssize_t given, PyObject *keywords, PyObject **values) const {
  if (given > function.positional) {
    PyErr_Format(PyExc_TypeError, "%s() expected at most %d positional arguments, got %zd", function.name,
                 function.positional, given);
    return false;
  }
  std::fill(std::copy(args, args + given, values), values + function.count, nullptr);
  Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject *name = PyTuple_GetItem(keywords, i);
    int index = indexOf(*this, name);
    if (index < 0 || values[index]) {
      PyErr_Format(PyExc_TypeError,
                   index < 0 ? "%s() got an unexpected keyword argument '%U'"
                             : "%s() got multiple values for argument '%U'",
                   function.name, name);
      return false;
    }
    values[index] = args[given + i];
  }
  for (int i = 0; i < required; ++i)
    if (!values[i]) {
      PyErr_Format(PyExc_TypeError, "%s() missing required argument '%U'", function.name, names[i]);
      return false;
    }
  return true;
}

bool fp8gemm::python::readBool(PyObject *value, const char *name, bool &result) {
  if (!value || value == Py_False || value == Py_True) {
    result = value ? value == Py_True : result;
    return true;
  }
  PyErr_Format(PyExc_TypeError, "expected '%s' to be True or False, got %R", name, value);
  return false;
}

bool fp8gemm::python::readCount(PyObject *value, const char *name, int64_t least, int64_t most, int64_t &result) {
  if (isMissing(value))
    return true;
  Object integer(PyBool_Check(value) ? nullptr : PyNumber_Index(value));
  if (!integer) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "expected '%s' to be an integer, got %R", name, value);
    return false;
  }
  int overflow = 0;
  int64_t number = PyLong_AsLongLongAndOverflow(integer.get(), &overflow);
  if (overflow || number < least || number > most) {
    PyErr_Format(PyExc_ValueError, "expected '%s' in [%lld, %lld], got %R", name, (long long)least, (long long)most,
                 value);
    return false;
  }
  result = number;
  return true;
}

bool fp8gemm::python::readWord(PyObject *value, const char *name, const char *first, const char *second,
                               const char *rule, bool &isSecond) {
  if (isMissing(value))
    return true;
  if (PyUnicode_Check(value)) {
    isSecond = PyUnicode_CompareWithASCIIString(value, second) == 0;
    if (isSecond || PyUnicode_CompareWithASCIIString(value, first) == 0)
      return true;
  }
  PyErr_Format(PyUnicode_Check(value) ? PyExc_ValueError : PyExc_TypeError, "expected '%s' to be %s, got %R", name,
               rule, value);
  return false;
}

Object fp8gemm::python::callPython(const char *module, const char *function, const char *format, ...) {
  Object imported(PyImport_ImportModule(module));
  Object callee(imported ? PyObject_GetAttrString(imported.get(), function) : nullptr);
  if (!callee)
    return Object();
  va_list values;
  va_start(values, format);
  Object arguments(Py_VaBuildValue(format, values));
  va_end(values);
  return Object(arguments ? PyObject_CallObject(callee.get(), arguments.get()) : nullptr);
}
