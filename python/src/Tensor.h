// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays of any library that speaks DLPack, as this package sees them; and what the arrays of one call share.

#ifndef FP8GEMM_PYTHON_SRC_TENSOR_H
#define FP8GEMM_PYTHON_SRC_TENSOR_H

#include "Dlpack.h"
#include "PythonApi.h"

#include "fp8gemm/Problem.h"
#include "fp8gemm/runtime.h"

#include <string>

namespace fp8gemm::python {

/// The device that all arrays of a call are on, and the stream that it is enqueued on.
struct Place {
  int device = -1; ///< of the first array that is read
  const char *deviceOf = nullptr;
  CUstream_st *stream = nullptr;
  bool hasStream = false;
  const dlpack::ExchangeApi *api = nullptr; ///< of the first array; null where its library has none
  PyObject *first = nullptr;                ///< that array, which outlives this

  /// The caller's word: an integer, an object of a library's stream, or None for the array library's current one.
  bool setStream(PyObject *given);

  /// An array of the first one's library, uninitialised. For one that this library can't make: what to pass instead.
  Object allocate(const char *name, dlpack::DataType type, int rank, const int64_t *shape) const;
};

struct Tensor {
  static constexpr int kMaxRank = 3;

  const char *name = nullptr; ///< as the caller knows it
  void *data = nullptr;
  dlpack::DataType type = {};
  int rank = 0;
  int64_t shape[kMaxRank] = {}, stride[kMaxRank] = {};

  /// Looks at `object`, which outlives this, and checks its rank (0: any), and its device against the place's. False
  /// with an error set.
  bool read(PyObject *object, const char *name, int rank, Place &place, bool isWritten = false);

  /// Extent and stride, the last dimension being -1.
  int64_t extent(int dimension) const { return shape[rank + dimension]; }
  int64_t step(int dimension) const { return stride[rank + dimension]; }

  bool expectShape(std::initializer_list<int64_t> wanted, const char *rule) const;
  bool isA(uint8_t code, uint8_t bits) const { return type.code == code && type.bits == bits && type.lanes == 1; }

  /// FP8 and bytes (taken as e4m3) of matrices, or bf16 and f32 of results. False with an error set.
  bool readElement(fp8gemm_type &result) const;
  bool readResultElement(bool isQuantised, fp8gemm_type &result) const; ///< of a quantised d FP8 or bytes
  /// One of the words, of bf16 and f32.
  bool readElementOf(format::Words words, std::string_view &element) const;
  /// bf16, f16 or f32, to be quantised.
  bool readQuantizedElement(fp8gemm_x_type &result) const;
  bool expectF32() const;
  bool expectI32() const;

private:
  bool expectDevice(dlpack::Device device, Place &place) const;
  bool view(const dlpack::Tensor &source, const dlpack::VersionedTensor *versioned, bool isWritten, Place &place);
  bool readCapsule(PyObject *object, bool isWritten, Place &place);

  Object capsule; ///< keeps what came by `__dlpack__` alive
};

/// "(4, 128)".
std::string text(const int64_t *values, int count);
std::string nameOf(dlpack::DataType type);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_TENSOR_H
