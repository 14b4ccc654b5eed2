// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// runtime/src/CudaDriver.h against the toolkit's cuda.h, where there is one: built, it
// has passed.

#include "CudaDriver.h"

#include <gtest/gtest.h>

#if __has_include(<cuda.h>)
#include <cuda.h>
#include <type_traits>

namespace {

namespace own = fp8gemm::cuda;
using own::CUmemcpy2D; // cuda.h has another name for it

// Constants.
#define SAME(name) static_assert(int(own::name) == int(::name), #name)
SAME(CUDA_SUCCESS);
SAME(CUDA_ERROR_OUT_OF_MEMORY);
SAME(CUDA_ERROR_NO_DEVICE);
SAME(CUDA_ERROR_INVALID_IMAGE);
SAME(CUDA_ERROR_INVALID_CONTEXT);
SAME(CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME(CUDA_ERROR_CONTEXT_IS_DESTROYED);
SAME(CUDA_ERROR_ILLEGAL_ADDRESS);
SAME(CUDA_ERROR_LAUNCH_FAILED);
SAME(CUDA_ERROR_NOT_READY);
SAME(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
SAME(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
SAME(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
SAME(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
SAME(CU_MEMORYTYPE_HOST);
SAME(CU_MEMORYTYPE_DEVICE);
SAME(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
static_assert(own::kMemHostRegisterPortable == CU_MEMHOSTREGISTER_PORTABLE); // macros there
static_assert(own::kMemHostRegisterDeviceMap == CU_MEMHOSTREGISTER_DEVICEMAP);
SAME(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
SAME(CU_TENSOR_MAP_DATA_TYPE_UINT8);
SAME(CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
SAME(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
SAME(CU_TENSOR_MAP_INTERLEAVE_NONE);
SAME(CU_TENSOR_MAP_SWIZZLE_NONE);
SAME(CU_TENSOR_MAP_SWIZZLE_32B);
SAME(CU_TENSOR_MAP_SWIZZLE_64B);
SAME(CU_TENSOR_MAP_SWIZZLE_128B);
SAME(CU_TENSOR_MAP_L2_PROMOTION_NONE);
SAME(CU_TENSOR_MAP_L2_PROMOTION_L2_64B);
SAME(CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
SAME(CU_TENSOR_MAP_L2_PROMOTION_L2_256B);
SAME(CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);

// Types: same size, alignment and places.
static_assert(std::is_same_v<own::CUstream, ::CUstream>);
static_assert(std::is_same_v<own::CUdeviceptr, ::CUdeviceptr> && std::is_same_v<own::CUdevice, ::CUdevice>);
static_assert(sizeof(own::CUtensorMap) == sizeof(::CUtensorMap) && alignof(own::CUtensorMap) >= alignof(::CUtensorMap));
static_assert(sizeof(own::CUlaunchConfig) == sizeof(::CUlaunchConfig));
#define SAME_PLACE(field) static_assert(offsetof(own::CUlaunchConfig, field) == offsetof(::CUlaunchConfig, field))
SAME_PLACE(gridDimX);
SAME_PLACE(gridDimY);
SAME_PLACE(gridDimZ);
SAME_PLACE(blockDimX);
SAME_PLACE(blockDimY);
SAME_PLACE(blockDimZ);
SAME_PLACE(sharedMemBytes);
SAME_PLACE(hStream);
SAME_PLACE(attrs);
SAME_PLACE(numAttrs);
static_assert(sizeof(own::CUlaunchAttribute) == sizeof(::CUlaunchAttribute));
static_assert(offsetof(own::CUlaunchAttribute, value) == offsetof(::CUlaunchAttribute, value));

static_assert(sizeof(own::CUmemcpy2D) == sizeof(::CUDA_MEMCPY2D));
#define SAME_COPY(field, Field) static_assert(offsetof(own::CUmemcpy2D, field) == offsetof(::CUDA_MEMCPY2D, Field))
SAME_COPY(srcMemoryType, srcMemoryType);
SAME_COPY(srcHost, srcHost);
SAME_COPY(srcDevice, srcDevice);
SAME_COPY(srcPitch, srcPitch);
SAME_COPY(dstMemoryType, dstMemoryType);
SAME_COPY(dstHost, dstHost);
SAME_COPY(dstDevice, dstDevice);
SAME_COPY(dstPitch, dstPitch);
SAME_COPY(widthInBytes, WidthInBytes);
SAME_COPY(height, Height);

// Functions: as many parameters, each passed in the same way.
template <typename Own, typename Theirs> struct SamePassing : std::false_type {};
template <typename... Own, typename... Theirs>
struct SamePassing<own::CUresult (*)(Own...), ::CUresult (*)(Theirs...)> {
  template <typename A, typename B>
  static constexpr bool same = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
  static constexpr bool check() {
    if constexpr (sizeof...(Own) == sizeof...(Theirs))
      return (same<Own, Theirs> && ...);
    return false;
  }
  static constexpr bool value = check();
};
#define CHECK_FUNCTION(member, symbol, params)                                                                         \
  static_assert(SamePassing<own::CUresult(*) params, decltype(&::symbol)>::value, #symbol);
FP8GEMM_CUDA_RUNTIME_FUNCTIONS(CHECK_FUNCTION)
FP8GEMM_CUDA_TOOL_FUNCTIONS(CHECK_FUNCTION)
FP8GEMM_CUDA_PROGRAM_FUNCTIONS(CHECK_FUNCTION)
#if CUDA_VERSION >= 12040
FP8GEMM_CUDA_OPTIONAL_FUNCTIONS(CHECK_FUNCTION)
#endif

TEST(CudaHeader, AgreesWithCudaH) { SUCCEED() << "checked when this was compiled"; }

} // namespace
#else
TEST(CudaHeader, AgreesWithCudaH) { GTEST_SKIP() << "no cuda.h: a CUDA toolkit was not found"; }
#endif
