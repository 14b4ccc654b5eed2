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

//===----------------------------------------------------------------------===//
// Place
//===----------------------------------------------------------------------===//

bool Place::setStream(PyObject *given) {
  if (isMissing(given))
    return true;
  Object asked;
  if (!PyLong_CheckExact(given)) {
    asked = callPython("fp8gemm._streams", "handle_of", "(O)", given);
    if (!asked)
      return false;
    given = asked.get();
  }
  // Small numbers are CUDA's names of default streams; others are addresses, which no driver has in the first page.
  constexpr uintptr_t kDefaults = 2, kFirstPage = 4096;
  auto handle = reinterpret_cast<uintptr_t>(PyLong_AsVoidPtr(given));
  if (PyErr_Occurred() || intptr_t(handle) < 0 || (handle > kDefaults && handle < kFirstPage)) {
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "expected 'stream' to be 0, 1 or 2 (default streams) or the handle of one, got %R",
                 given);
    return false;
  }
  stream = reinterpret_cast<CUstream_st *>(handle);
  hasStream = true;
  return true;
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
    Object extents(PyTuple_New(rank));
    for (int i = 0; extents && i < rank; ++i)
      PyTuple_SetItem(extents.get(), i, PyLong_FromLongLong(shape[i]));
    return callPython("fp8gemm._streams", "allocate", "(ssO(ii)N)", name, deviceOf, first, int(type.code),
                      int(type.bits), extents.release());
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

bool Tensor::expectDevice(dlpack::Device device, Place &place) const {
  if (device.type != dlpack::kCuda && device.type != dlpack::kCudaManaged) {
    PyErr_Format(PyExc_ValueError, "expected '%s' on a CUDA device, got DLPack's device type %d%s", name, device.type,
                 device.type == 1 ? " (CPU)" : "");
    return false;
  }
  if (place.device < 0) {
    place.device = device.id;
    place.deviceOf = name;
  } else if (place.device != device.id) {
    PyErr_Format(PyExc_ValueError, "expected '%s' on the device of '%s', cuda:%d, got cuda:%d", name, place.deviceOf,
                 place.device, device.id);
    return false;
  }
  return true;
}

bool Tensor::view(const dlpack::Tensor &source, const dlpack::VersionedTensor *versioned, bool isWritten,
                  Place &place) {
  if (!expectDevice(source.device, place))
    return false;
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

/// The error of a library that does not show an array, as one that names the argument.
static bool refused(const char *name) {
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
    return false; // such as KeyboardInterrupt
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  Object keepType(type), reason(value), keepTrace(trace);
  Object error = callPython("fp8gemm._streams", "refusal", "(sO)", name, reason ? reason.get() : Py_None);
  if (error)
    PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.get())), error.get());
  return false;
}

bool Tensor::readCapsule(PyObject *object, bool isWritten, Place &place) {
  dlpack::Device device = {};
  Object pair = callPython("fp8gemm._streams", "device_of", "(Os)", object, name);
  if (!pair || !PyArg_ParseTuple(pair.get(), "ii", &device.type, &device.id) || !expectDevice(device, place) ||
      !askForStream(object, place))
    return false;
  // The element type is passed separately if DLPack, in that version of the library, has no name for it.
  PyObject *made = nullptr;
  int code = -1;
  Object exported = callPython("fp8gemm._streams", "export", "(Osn)", object, name, Py_ssize_t(place.stream));
  if (!exported || !PyArg_ParseTuple(exported.get(), "Oi", &made, &code))
    return false;
  capsule = Object::borrow(made);
  if (PyCapsule_IsValid(made, "dltensor_versioned")) {
    auto *versioned = static_cast<dlpack::VersionedTensor *>(PyCapsule_GetPointer(made, "dltensor_versioned"));
    if (versioned->version.major != dlpack::kMajorVersion) {
      PyErr_Format(PyExc_ValueError, "expected '%s' in version %u of DLPack, got %u", name, dlpack::kMajorVersion,
                   versioned->version.major);
      return false;
    }
    if (!view(versioned->tensor, versioned, isWritten, place))
      return false;
  } else if (PyCapsule_IsValid(made, "dltensor")) {
    auto *managed = static_cast<dlpack::ManagedTensor *>(PyCapsule_GetPointer(made, "dltensor"));
    if (!view(managed->tensor, nullptr, isWritten, place))
      return false;
  } else {
    PyErr_Format(PyExc_TypeError, "expected __dlpack__ of '%s' to give a capsule of DLPack, got %R", name, made);
    return false;
  }
  if (code >= 0)
    type.code = uint8_t(code);
  return true;
}

bool Tensor::read(PyObject *object, const char *tensorName, int wantedRank, Place &place, bool isWritten) {
  name = tensorName;
  const dlpack::ExchangeApi *api = exchangeApiOf(Py_TYPE(object));
  bool isFirst = place.device < 0;
  if (isFirst) {
    place.api = api;
    place.first = object;
  }
  if (!api) {
    if (!readCapsule(object, isWritten, place))
      return false;
  } else if (api->fromObject) {
    dlpack::Tensor source;
    if (api->fromObject(object, &source) != 0)
      return refused(name);
    if (!view(source, nullptr, isWritten, place))
      return false;
  } else {
    // The object keeps the memory; what describes it may go.
    dlpack::VersionedTensor *managed = nullptr;
    if (api->managedFromObject(object, &managed) != 0)
      return refused(name);
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
                     : type.code == dlpack::kComplex ? "complex"
                                                     : nullptr;
  if (kind)
    return kind + std::to_string(type.bits);
  if (type.code == dlpack::kBool)
    return "bool";
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

bool Tensor::readResultElement(bool isQuantised, fp8gemm_type &result) const {
  if (isQuantised) {
    result = FP8GEMM_E4M3;
    return isA(dlpack::kFloat8E4M3FN, 8) || isA(dlpack::kUInt, 8) || wrongType(*this, "float8_e4m3fn, or uint8 (its bits), with 'sfd'");
  }
  if (isA(dlpack::kBfloat, 16))
    result = FP8GEMM_BF16;
  else if (isA(dlpack::kFloat, 32))
    result = FP8GEMM_F32;
  else
    return wrongType(*this, "bfloat16 or float32");
  return true;
}

bool Tensor::readElementOf(format::Words words, std::string_view &element) const {
  struct {
    const char *word, *name;
    uint8_t code, bits;
  } known[] = {{"bf16", "bfloat16", dlpack::kBfloat, 16}, {"f32", "float32", dlpack::kFloat, 32}};
  std::string rule;
  for (const auto &type : known) {
    auto isIt = [&](const format::Word &word) { return std::string_view(word.name) == type.word; };
    if (std::none_of(words.begin(), words.end(), isIt))
      continue;
    element = type.word;
    if (isA(type.code, type.bits))
      return true;
    rule += (rule.empty() ? "" : " or ") + std::string(type.name);
  }
  return wrongType(*this, rule.c_str());
}

bool Tensor::readQuantizedElement(fp8gemm_x_type &result) const {
  if (isA(dlpack::kBfloat, 16))
    result = FP8GEMM_X_BF16;
  else if (isA(dlpack::kFloat, 16))
    result = FP8GEMM_X_F16;
  else if (isA(dlpack::kFloat, 32))
    result = FP8GEMM_X_F32;
  else
    return wrongType(*this, "bfloat16, float16 or float32");
  return true;
}

bool Tensor::expectF32() const { return isA(dlpack::kFloat, 32) || wrongType(*this, "float32"); }
bool Tensor::expectI32() const { return isA(dlpack::kInt, 32) || wrongType(*this, "int32"); }
