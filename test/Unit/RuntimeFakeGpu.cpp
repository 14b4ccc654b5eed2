// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fake driver, with memory of the host and a "kernel" that computes the product
// slowly from its tensor maps: enough for fp8gemm-run to run without a GPU. Built
// together with RuntimeFakeDriver.cpp. FAKE_GPU_FAULT makes the kernel misbehave:
// nothing, row, guard, input, unsteady; trap: its producer waits in vain and reports that;
// hang: it never ends.

#include "RingReport.h"
#include "RuntimeFakeDriver.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace fp8gemm::cuda;
using namespace fp8gemm::test;

static float e4m3(uint8_t bits) {
  int exponent = bits >> 3 & 15, fraction = bits & 7;
  float value = exponent ? std::ldexp(1 + fraction / 8.0f, exponent - 7) : std::ldexp(float(fraction), -9);
  return exponent == 15 && fraction == 7 ? NAN : bits & 0x80 ? -value : value;
}

static uint16_t bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Parameters as in ManifestSpec: maps of A, B, sfa (MN-major); sfb, its leading
/// dimension; map of D; M. An f32 D is added to, in place.
void fakeKernel(void **params) {
  static int runs = 0;
  ++runs;
  const char *fault = std::getenv("FAKE_GPU_FAULT");
  auto faulty = [&](const char *name) { return fault && std::strcmp(fault, name) == 0; };
  if (faulty("nothing"))
    return;
  if (faulty("trap")) {
    auto *reports = reinterpret_cast<fp8gemm::format::RingReport *>(fakeCuda()->globals[fakeCuda()->current]);
    if (reports)
      reports[0] = {1, 0, 2, 1, 5, 0, 0, 0};
    fakeCuda()->failures["cuStreamSynchronize"] = CUDA_ERROR_LAUNCH_FAILED;
  }
  auto map = [&](int index) -> const FakeMap & {
    return fakeCuda()->maps[static_cast<CUtensorMap *>(params[index])->opaque[0]];
  };
  auto address = [](const FakeMap &map, uint64_t row) {
    return static_cast<uint8_t *>(map.address) + row * map.strides[0];
  };
  const FakeMap &a = map(0), &b = map(1), &sfa = map(2), &d = map(5);
  const float *sfb = *static_cast<float **>(params[3]);
  int sfbStride = *static_cast<int *>(params[4]), rows = *static_cast<int *>(params[6]);
  for (int m = 0; m < rows; ++m)
    for (uint64_t n = 0; n < b.extents[1]; ++n) {
      float sum = 0;
      for (uint64_t k = 0; k < a.extents[0]; k += 128) {
        float block = 0;
        for (uint64_t i = k; i < std::min(k + 128, a.extents[0]); ++i)
          block += e4m3(address(a, m)[i]) * e4m3(address(b, n)[i]);
        float scale = reinterpret_cast<float *>(address(sfa, k / 128))[m] * sfb[n / 128 * sfbStride + k / 128];
        sum = std::fma(block, scale, sum);
      }
      sum = faulty("row") && m == rows - 1 ? sum * 1.01f + 0.1f : sum;
      if (d.type == CU_TENSOR_MAP_DATA_TYPE_FLOAT32)
        reinterpret_cast<float *>(address(d, m))[n] += sum;
      else
        reinterpret_cast<uint16_t *>(address(d, m))[n] = bf16(sum);
    }
  if (faulty("guard"))
    address(d, rows)[3] = 0;
  if (faulty("input"))
    address(a, 0)[-1] = 0;
  if (faulty("unsteady"))
    address(d, 0)[0] ^= runs & 1;
}

extern "C" {

CUresult cuDeviceGet(CUdevice *device, int) {
  *device = 0;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  *context = fakeCuda()->current;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
  *pointer = reinterpret_cast<CUdeviceptr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  return CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr pointer) {
  std::free(reinterpret_cast<void *>(pointer));
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return CUDA_SUCCESS;
}

// Of compiled programs, which make no stream.
CUresult cuMemAllocAsync(CUdeviceptr *pointer, size_t bytes, CUstream) {
  if (!fakeCuda()->kernel)
    fakeCuda()->kernel = fakeKernel;
  if (int failure = fakeCuda()->failures["cuMemAllocAsync"])
    return failure;
  cuMemAlloc_v2(pointer, bytes);
  std::memset(reinterpret_cast<void *>(*pointer), 0xff, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemFreeAsync(CUdeviceptr pointer, CUstream) { return cuMemFree_v2(pointer); }

CUresult cuMemcpy2DAsync_v2(const CUmemcpy2D *copy, CUstream) {
  auto place = [](int type, const void *host, CUdeviceptr device) {
    return static_cast<char *>(type == CU_MEMORYTYPE_HOST ? const_cast<void *>(host)
                                                          : reinterpret_cast<void *>(device));
  };
  char *from = place(copy->srcMemoryType, copy->srcHost, copy->srcDevice);
  char *to = place(copy->dstMemoryType, copy->dstHost, copy->dstDevice);
  if (copy->srcPitch < copy->widthInBytes || copy->dstPitch < copy->widthInBytes)
    return 1;
  for (size_t row = 0; row != copy->height; ++row)
    std::memcpy(to + row * copy->dstPitch, from + row * copy->srcPitch, copy->widthInBytes);
  return CUDA_SUCCESS;
}

// What flushes the L2 needs no effect here, and its 512 MB no time.
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, size_t, CUstream) { return CUDA_SUCCESS; }
CUresult cuMemsetD8Async(CUdeviceptr, unsigned char, size_t, CUstream) { return CUDA_SUCCESS; }

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  *stream = reinterpret_cast<CUstream>(0x7000);
  fakeCuda()->streams[*stream] = fakeCuda()->current;
  fakeCuda()->kernel = fakeKernel;
  return CUDA_SUCCESS;
}

CUresult cuStreamQuery(CUstream) {
  const char *fault = std::getenv("FAKE_GPU_FAULT");
  return fault && std::strcmp(fault, "hang") == 0 ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned) {
  *event = nullptr;
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent, CUstream) { return CUDA_SUCCESS; }

CUresult cuEventElapsedTime(float *milliseconds, CUevent, CUevent) {
  static int calls = 0;
  *milliseconds = 0.010f + 0.001f * float(calls++);
  return CUDA_SUCCESS;
}

} // extern "C"
