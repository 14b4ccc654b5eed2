// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The declarations of the CUDA driver that this project uses, so that it builds
// without a CUDA toolkit. test/Unit/RuntimeCudaHeaderTest.cpp compares them with cuda.h
// where there is one.

#ifndef FP8GEMM_RUNTIME_SRC_CUDADRIVER_H
#define FP8GEMM_RUNTIME_SRC_CUDADRIVER_H

#include <cstddef>
#include <cstdint>

struct CUstream_st;

namespace fp8gemm::cuda {

// Enumerations are plain ints here: values come from a driver that may be newer.
using CUresult = int;
constexpr CUresult CUDA_SUCCESS = 0;
constexpr CUresult CUDA_ERROR_OUT_OF_MEMORY = 2;
constexpr CUresult CUDA_ERROR_NO_DEVICE = 100;
constexpr CUresult CUDA_ERROR_INVALID_IMAGE = 200;
constexpr CUresult CUDA_ERROR_INVALID_CONTEXT = 201;
constexpr CUresult CUDA_ERROR_NO_BINARY_FOR_GPU = 209;
constexpr CUresult CUDA_ERROR_CONTEXT_IS_DESTROYED = 709;
constexpr CUresult CUDA_ERROR_NOT_READY = 600;
constexpr CUresult CUDA_ERROR_ILLEGAL_ADDRESS = 700;
constexpr CUresult CUDA_ERROR_LAUNCH_FAILED = 719;
constexpr CUresult CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803;
constexpr CUresult CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900;

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUevent = struct CUevent_st *;
using CUfunction = struct CUfunc_st *;
using CUkernel = struct CUkern_st *;
using CUlibrary = struct CUlib_st *;
using CUstream = ::CUstream_st *;

constexpr uintptr_t CU_STREAM_LEGACY = 1;
constexpr uintptr_t CU_STREAM_PER_THREAD = 2;

constexpr int CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
constexpr int CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;
constexpr int CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;

constexpr unsigned kMemHostRegisterPortable = 1;
constexpr unsigned kMemHostRegisterDeviceMap = 2;

struct alignas(128) CUtensorMap { // 64 before CUDA 13
  uint64_t opaque[16];
};
constexpr int CU_TENSOR_MAP_DATA_TYPE_UINT8 = 0;
constexpr int CU_TENSOR_MAP_DATA_TYPE_FLOAT32 = 7;
constexpr int CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9;
constexpr int CU_TENSOR_MAP_INTERLEAVE_NONE = 0;
constexpr int CU_TENSOR_MAP_SWIZZLE_NONE = 0;
constexpr int CU_TENSOR_MAP_SWIZZLE_32B = 1;
constexpr int CU_TENSOR_MAP_SWIZZLE_64B = 2;
constexpr int CU_TENSOR_MAP_SWIZZLE_128B = 3;
constexpr int CU_TENSOR_MAP_L2_PROMOTION_NONE = 0;
constexpr int CU_TENSOR_MAP_L2_PROMOTION_L2_64B = 1;
constexpr int CU_TENSOR_MAP_L2_PROMOTION_L2_128B = 2;
constexpr int CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3;
constexpr int CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0;

constexpr int CU_MEMORYTYPE_HOST = 1;
constexpr int CU_MEMORYTYPE_DEVICE = 2;

struct CUmemcpy2D { // CUDA_MEMCPY2D
  size_t srcXInBytes, srcY;
  int srcMemoryType;
  const void *srcHost;
  CUdeviceptr srcDevice;
  struct CUarray_st *srcArray;
  size_t srcPitch;
  size_t dstXInBytes, dstY;
  int dstMemoryType;
  void *dstHost;
  CUdeviceptr dstDevice;
  struct CUarray_st *dstArray;
  size_t dstPitch;
  size_t widthInBytes, height;
};

constexpr int CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4;
constexpr int CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6;

struct CUlaunchAttribute {
  int id;
  alignas(8) unsigned value[16]; ///< of a cluster dimension: x, y, z; of a serialisation: 1, to overlap
};

struct CUlaunchConfig {
  unsigned gridDimX, gridDimY, gridDimZ;
  unsigned blockDimX, blockDimY, blockDimZ;
  unsigned sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute *attrs;
  unsigned numAttrs;
};

// X(member of Driver, symbol of libcuda, parameters). Symbols are named as they are
// exported: cuda.h renames some of these functions to _v2.

/// The functions that the runtime calls; CUDA 12.0 is the first driver that has all of them.
#define FP8GEMM_CUDA_RUNTIME_FUNCTIONS(X)                                                                              \
  X(init, cuInit, (unsigned flags))                                                                                    \
  X(getErrorName, cuGetErrorName, (CUresult error, const char **text))                                                 \
  X(getErrorString, cuGetErrorString, (CUresult error, const char **text))                                             \
  X(driverGetVersion, cuDriverGetVersion, (int *version))                                                              \
  X(deviceGetAttribute, cuDeviceGetAttribute, (int *value, int attribute, CUdevice device))                            \
  X(deviceGetName, cuDeviceGetName, (char *name, int length, CUdevice device))                                         \
  X(ctxGetCurrent, cuCtxGetCurrent, (CUcontext * context))                                                             \
  X(ctxGetDevice, cuCtxGetDevice, (CUdevice * device))                                                                 \
  X(streamGetCtx, cuStreamGetCtx, (CUstream stream, CUcontext * context))                                              \
  X(libraryLoadData, cuLibraryLoadData,                                                                                \
    (CUlibrary * library, const void *code, int *jitOptions, void **jitValues, unsigned jitCount, int *options,        \
     void **values, unsigned count))                                                                                   \
  X(libraryUnload, cuLibraryUnload, (CUlibrary library))                                                               \
  X(libraryGetKernel, cuLibraryGetKernel, (CUkernel * kernel, CUlibrary library, const char *name))                    \
  X(kernelSetAttribute, cuKernelSetAttribute, (int attribute, int value, CUkernel kernel, CUdevice device))            \
  X(kernelGetFunction, cuKernelGetFunction, (CUfunction * function, CUkernel kernel))                                  \
  X(tensorMapEncodeTiled, cuTensorMapEncodeTiled,                                                                      \
    (CUtensorMap * map, int type, uint32_t rank, void *address, const uint64_t *extents, const uint64_t *strides,      \
     const uint32_t *box, const uint32_t *elementStrides, int interleave, int swizzle, int l2Promotion, int oobFill))  \
  X(occupancyMaxActiveClusters, cuOccupancyMaxActiveClusters,                                                          \
    (int *clusters, CUfunction function, const CUlaunchConfig *config))                                                \
  X(launchKernelEx, cuLaunchKernelEx,                                                                                  \
    (const CUlaunchConfig *config, CUfunction function, void **params, void **extra))                                  \
  X(memcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream))                \
  X(streamSynchronize, cuStreamSynchronize, (CUstream stream))                                                         \
  X(libraryGetGlobal, cuLibraryGetGlobal,                                                                              \
    (CUdeviceptr * pointer, size_t *bytes, CUlibrary library, const char *name))                                       \
  X(memHostRegister, cuMemHostRegister_v2, (void *pointer, size_t bytes, unsigned flags))                              \
  X(memHostUnregister, cuMemHostUnregister, (void *pointer))                                                           \
  X(memHostGetDevicePointer, cuMemHostGetDevicePointer_v2, (CUdeviceptr * device, void *pointer, unsigned flags))      \
  X(memcpyHtoD, cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes))

/// The functions that the runtime calls if the driver has them.
#define FP8GEMM_CUDA_OPTIONAL_FUNCTIONS(X) X(funcLoad, cuFuncLoad, (CUfunction function)) /* 12.4 */

/// Functions that only the tools call.
#define FP8GEMM_CUDA_TOOL_FUNCTIONS(X)                                                                                 \
  X(deviceGet, cuDeviceGet, (CUdevice * device, int ordinal))                                                          \
  X(primaryCtxRetain, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))                                \
  X(ctxSetCurrent, cuCtxSetCurrent, (CUcontext context))                                                               \
  X(memAlloc, cuMemAlloc_v2, (CUdeviceptr * pointer, size_t bytes))                                                    \
  X(memFree, cuMemFree_v2, (CUdeviceptr pointer))                                                                      \
  X(memcpyDtoH, cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes))                                           \
  X(memcpyDtoDAsync, cuMemcpyDtoDAsync_v2, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream))          \
  X(memsetD8Async, cuMemsetD8Async, (CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream))              \
  X(streamCreate, cuStreamCreate, (CUstream * stream, unsigned flags))                                                 \
  X(streamQuery, cuStreamQuery, (CUstream stream))                                                                     \
  X(eventCreate, cuEventCreate, (CUevent * event, unsigned flags))                                                     \
  X(eventRecord, cuEventRecord, (CUevent event, CUstream stream))                                                      \
  X(eventElapsedTime, cuEventElapsedTime, (float *milliseconds, CUevent start, CUevent end))

/// Functions that only compiled programs call (runtime/program).
#define FP8GEMM_CUDA_PROGRAM_FUNCTIONS(X)                                                                              \
  X(deviceGet, cuDeviceGet, (CUdevice * device, int ordinal))                                                          \
  X(primaryCtxRetain, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))                                \
  X(ctxSetCurrent, cuCtxSetCurrent, (CUcontext context))                                                               \
  X(memAllocAsync, cuMemAllocAsync, (CUdeviceptr * pointer, size_t bytes, CUstream stream))                            \
  X(memFreeAsync, cuMemFreeAsync, (CUdeviceptr pointer, CUstream stream))                                              \
  X(memcpy2DAsync, cuMemcpy2DAsync_v2, (const CUmemcpy2D *copy, CUstream stream))

} // namespace fp8gemm::cuda

#endif // FP8GEMM_RUNTIME_SRC_CUDADRIVER_H
