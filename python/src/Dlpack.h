// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of DLPack's ABI, version 1, that this package uses (https://dmlc.github.io/dlpack): how array libraries show
// each other their arrays, and the table of functions by which they do so without running any Python.

#ifndef FP8GEMM_PYTHON_SRC_DLPACK_H
#define FP8GEMM_PYTHON_SRC_DLPACK_H

#include <cstdint>

namespace fp8gemm::python::dlpack {

constexpr uint32_t kMajorVersion = 1;

constexpr int32_t kCuda = 2;
constexpr int32_t kCudaManaged = 13;

struct Device {
  int32_t type;
  int32_t id;
};

constexpr uint8_t kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6, kFloat8E4M3FN = 10, kFloat8E5M2 = 12;

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct Tensor {
  void *data;
  Device device;
  int32_t rank;
  DataType type;
  int64_t *shape;
  int64_t *strides; ///< in elements; null, before version 1.2, of what is contiguous
  uint64_t byteOffset;
};

/// In capsules named "dltensor".
struct ManagedTensor {
  Tensor tensor;
  void *context;
  void (*deleter)(ManagedTensor *);
};

struct Version {
  uint32_t major;
  uint32_t minor;
};

constexpr uint64_t kReadOnly = 1, kIsCopied = 2;

/// In capsules named "dltensor_versioned".
struct VersionedTensor {
  Version version;
  void *context;
  void (*deleter)(VersionedTensor *);
  uint64_t flags;
  Tensor tensor;
};

/// A type's `__dlpack_c_exchange_api__`, a capsule named "dlpack_exchange_api". Functions return 0, or -1 with a
/// Python error set.
struct ExchangeApi {
  Version version;
  ExchangeApi *previous; ///< of an older major version
  int (*allocate)(Tensor *prototype, VersionedTensor **out, void *context,
                  void (*setError)(void *context, const char *kind, const char *message));
  int (*managedFromObject)(void *object, VersionedTensor **out);
  int (*managedToObject)(VersionedTensor *tensor, void **out); ///< takes the tensor
  int (*fromObject)(void *object, Tensor *out);                ///< a view, valid as long as the object; may be null
  int (*currentStream)(int32_t deviceType, int32_t device, void **out);
};

} // namespace fp8gemm::python::dlpack

#endif // FP8GEMM_PYTHON_SRC_DLPACK_H
