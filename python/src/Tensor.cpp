// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays by DLPack. A library with the exchange API of version 1.3 is asked by one C call for each array; others by
// their `__dlpack__`, which runs Python.

#include "Tensor.h"

#include <algorithm>

using namespace fp8gemm::python;

//===----------------------------------------------------------------------===//
// Libraries
//===----------------------------------------------------------------------===//

/// The exchange API of a type, or null. It lives as long as the process, as DLPack has it.
static const dlpack::ExchangeApi *findExchangeApi(PyTypeObject *type) {
  Object capsule(PyObject_GetAttrString(reinterpret_cast<PyObject *>(type), "__dlpack_c_exchange_api__"));
  if (!capsule) {
    PyErr_Clear();
    return nullptr;
  }
  auto *api = static_cast<const dlpack::ExchangeApi *>(PyCapsule_GetPointer(capsule.get(), "dlpack_exchange_api"));
  if (!api)
    PyErr_Clear();
  while (api && api->version.major != dlpack::kMajorVersion)
    api = api->previous;
  return api;
}

/// The same, remembered for the few types that a program has. Types that are remembered are never freed.
static const dlpack::ExchangeApi *exchangeApiOf(PyTypeObject *type) {
  struct Known {
    PyTypeObject *type;
    const dlpack::ExchangeApi *api;
  };
  static Known known[16];
  static int count = 0;
  for (int i = 0; i < count; ++i)
    if (known[i].type == type)
      return known[i].api;
  const dlpack::ExchangeApi *api = findExchangeApi(type);
  if (count < int(std::size(known))) {
    Py_INCREF(reinterpret_cast<PyObject *>(type));
    known[count++] = {type, api};
  }
  return api;
}

static std::string typeName(PyObject *object) {
  Object name(PyType_GetQualName(Py_TYPE(object)));
  const char *text = name ? PyUnicode_AsUTF8AndSize(name.get(), nullptr) : nullptr;
  PyErr_Clear();
  return text ? text : "an object";
}

//===----------------------------------------------------------------------===//
// Place
//===----------------------------------------------------------------------===//

bool Place::setStream(PyObject *given) {
  if (isMissing(given))
    return true;
  Object asked;
  if (!PyLong_Check(given)) {
    asked = callPython("fp8gemm._streams", "handle_of", "(O)", given);
    if (!asked)
      return false;
    given = asked.get();
  }
  stream = static_cast<CUstream_st *>(PyLong_AsVoidPtr(given));
  hasStream = true;
  return !PyErr_Occurred();
}

/// The current stream of the library whose array `object` is.
static bool askForStream(PyObject *object, Place &place) {
  if (place.hasStream)
    return true;
  if (place.api) {
    void *stream = nullptr;
    if (place.api->currentStream(dlpack::kCuda, place.device, &stream) != 0)
      return false;
    place.stream = static_cast<CUstream_st *>(stream);
    place.hasStream = true;
    return true;
  }
  Object handle = callPython("fp8gemm._streams", "current_of", "(Oi)", object, place.device);
  return handle && place.setStream(handle.get());
}

static void setAllocationError(void *, const char *kind, const char *message) {
  PyErr_Format(PyExc_RuntimeError, "the array library could not allocate: %s: %s", kind, message);
}

Object Place::allocate(const char *name, dlpack::DataType type, int rank, const int64_t *shape) const {
  if (!api) {
    PyErr_Format(PyExc_TypeError, "expected '%s', got None: the library of '%s' allocates nothing through DLPack", name,
                 deviceOf);
    return Object();
  }
  dlpack::Tensor prototype = {};
  prototype.device = {dlpack::kCuda, device};
  prototype.rank = rank;
  prototype.type = type;
  prototype.shape = const_cast<int64_t *>(shape);
  dlpack::VersionedTensor *made = nullptr;
  void *object = nullptr;
  if (api->allocate(&prototype, &made, nullptr, setAllocationError) != 0 || api->managedToObject(made, &object) != 0) {
    if (!PyErr_Occurred())
      PyErr_Format(PyExc_RuntimeError, "the array library could not allocate '%s'", name);
    return Object();
  }
  return Object(static_cast<PyObject *>(object));
}

//===----------------------------------------------------------------------===//
// Tensor
//===----------------------------------------------------------------------===//

bool Tensor::view(const dlpack::Tensor &source, const dlpack::VersionedTensor *versioned, bool isWritten,
                  Place &place) {
  if (source.device.type != dlpack::kCuda && source.device.type != dlpack::kCudaManaged) {
    PyErr_Format(PyExc_ValueError, "expected '%s' on a CUDA device, got DLPack's device type %d%s", name,
                 source.device.type, source.device.type == 1 ? " (CPU)" : "");
    return false;
  }
  if (place.device < 0) {
    place.device = source.device.id;
    place.deviceOf = name;
  } else if (place.device != source.device.id) {
    PyErr_Format(PyExc_ValueError, "expected '%s' on the device of '%s', cuda:%d, got cuda:%d", name, place.deviceOf,
                 place.device, source.device.id);
    return false;
  }
  if (isWritten && versioned && versioned->flags & (dlpack::kReadOnly | dlpack::kIsCopied)) {
    PyErr_Format(PyExc_ValueError, "expected '%s' to be writable, got %s", name,
                 versioned->flags & dlpack::kReadOnly ? "a read-only array" : "a copy");
    return false;
  }
  data = source.data ? static_cast<char *>(source.data) + source.byteOffset : nullptr;
  type = source.type;
  rank = source.rank;
  if (rank < 1 || rank > kMaxRank) {
    PyErr_Format(PyExc_ValueError, "expected '%s' of 1 to %d dimensions, got %d", name, kMaxRank, rank);
    return false;
  }
  std::copy(source.shape, source.shape + rank, shape);
  if (source.strides) {
    std::copy(source.strides, source.strides + rank, stride);
  } else {
    stride[rank - 1] = 1;
    for (int i = rank - 1; i > 0; --i)
      stride[i - 1] = stride[i] * shape[i];
  }
  return true;
}

/// The number of the device of an array, from `__dlpack_device__`.
static bool readDevice(PyObject *object, const char *name, dlpack::Device &device) {
  Object pair(PyObject_CallMethod(object, "__dlpack_device__", nullptr));
  if (!pair) {
    PyErr_Format(PyExc_TypeError, "expected '%s' to be an array that supports DLPack, got %s", name,
                 typeName(object).c_str());
    return false;
  }
  return PyArg_ParseTuple(pair.get(), "ii", &device.type, &device.id);
}

bool Tensor::readCapsule(PyObject *object, bool isWritten, Place &place) {
  dlpack::Device device = {};
  if (!readDevice(object, name, device))
    return false;
  dlpack::Tensor nowhere = {};
  nowhere.device = device;
  nowhere.rank = 1;
  nowhere.shape = nowhere.strides = shape;
  if (!view(nowhere, nullptr, false, place) || !askForStream(object, place))
    return false;
  capsule = callPython("fp8gemm._streams", "export", "(On)", object, Py_ssize_t(place.stream));
  if (!capsule)
    return false;
  if (PyCapsule_IsValid(capsule.get(), "dltensor_versioned")) {
    auto *versioned = static_cast<dlpack::VersionedTensor *>(PyCapsule_GetPointer(capsule.get(), "dltensor_versioned"));
    if (versioned->version.major == dlpack::kMajorVersion)
      return view(versioned->tensor, versioned, isWritten, place);
    PyErr_Format(PyExc_BufferError, "expected '%s' in version %u of DLPack, got %u", name, dlpack::kMajorVersion,
                 versioned->version.major);
    return false;
  }
  auto *managed = static_cast<dlpack::ManagedTensor *>(PyCapsule_GetPointer(capsule.get(), "dltensor"));
  return managed && view(managed->tensor, nullptr, isWritten, place);
}

bool Tensor::read(PyObject *object, const char *tensorName, int wantedRank, Place &place, bool isWritten) {
  name = tensorName;
  const dlpack::ExchangeApi *api = exchangeApiOf(Py_TYPE(object));
  bool isFirst = place.device < 0;
  if (isFirst)
    place.api = api;
  if (!api) {
    if (!readCapsule(object, isWritten, place))
      return false;
  } else if (api->fromObject) {
    dlpack::Tensor source;
    if (api->fromObject(object, &source) != 0 || !view(source, nullptr, isWritten, place))
      return false;
  } else {
    // The object keeps the memory; what describes it may go.
    dlpack::VersionedTensor *managed = nullptr;
    if (api->managedFromObject(object, &managed) != 0)
      return false;
    bool good = view(managed->tensor, managed, isWritten, place);
    if (managed->deleter)
      managed->deleter(managed);
    if (!good)
      return false;
  }
  if (wantedRank && rank != wantedRank) {
    PyErr_Format(PyExc_ValueError, "expected '%s' of %d dimensions, got shape %s", name, wantedRank,
                 text(shape, rank).c_str());
    return false;
  }
  return !isFirst || askForStream(object, place);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

std::string fp8gemm::python::text(const int64_t *values, int count) {
  std::string result = "(";
  for (int i = 0; i < count; ++i)
    result += (i ? ", " : "") + std::to_string(values[i]);
  return result + (count == 1 ? ",)" : ")");
}

std::string fp8gemm::python::nameOf(dlpack::DataType type) {
  if (type.lanes != 1)
    return "a vector type";
  const char *kind = type.code == dlpack::kInt      ? "int"
                     : type.code == dlpack::kUInt   ? "uint"
                     : type.code == dlpack::kFloat  ? "float"
                     : type.code == dlpack::kBfloat ? "bfloat"
                                                    : nullptr;
  if (kind)
    return kind + std::to_string(type.bits);
  if (type.code == dlpack::kFloat8E4M3FN)
    return "float8_e4m3fn";
  if (type.code == dlpack::kFloat8E5M2)
    return "float8_e5m2";
  return "DLPack's type " + std::to_string(type.code) + " of " + std::to_string(type.bits) + " bits";
}

static bool wrongType(const Tensor &tensor, const char *wanted) {
  PyErr_Format(PyExc_TypeError, "expected '%s' of %s, got %s", tensor.name, wanted, nameOf(tensor.type).c_str());
  return false;
}

bool Tensor::expectShape(std::initializer_list<int64_t> wanted, const char *rule) const {
  if (int(wanted.size()) == rank && std::equal(wanted.begin(), wanted.end(), shape))
    return true;
  PyErr_Format(PyExc_ValueError, "expected '%s' of shape %s = %s, got %s", name, rule,
               text(wanted.begin(), int(wanted.size())).c_str(), text(shape, rank).c_str());
  return false;
}

bool Tensor::readElement(fp8gemm_type &result) const {
  if (isA(dlpack::kFloat8E4M3FN, 8) || isA(dlpack::kUInt, 8)) // CuPy has no FP8 of its own
    result = FP8GEMM_E4M3;
  else if (isA(dlpack::kFloat8E5M2, 8))
    result = FP8GEMM_E5M2;
  else
    return wrongType(*this, "float8_e4m3fn, float8_e5m2, or uint8 (the bits of e4m3)");
  return true;
}

bool Tensor::readResultElement(fp8gemm_type &result) const {
  if (isA(dlpack::kBfloat, 16))
    result = FP8GEMM_BF16;
  else if (isA(dlpack::kFloat, 32))
    result = FP8GEMM_F32;
  else
    return wrongType(*this, "bfloat16 or float32");
  return true;
}

bool Tensor::expectF32() const { return isA(dlpack::kFloat, 32) || wrongType(*this, "float32"); }
bool Tensor::expectI32() const { return isA(dlpack::kInt, 32) || wrongType(*this, "int32"); }
