// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A driver without state or locks for RuntimeThreads: a launch fails unless all its parameters are of
// one caller, whose number is in the upper half of all its addresses. Two streams of every caller.

#include "CudaDriver.h"

#include <initializer_list>
#include <unistd.h>

using namespace fp8gemm::cuda;

extern "C" {

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? 9
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? 0
           : attribute == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? 132
                                                                       : 232448;
  return CUDA_SUCCESS;
}

CUresult cuLibraryLoadData(CUlibrary *library, const void *code, int *, void **, unsigned, int *, void **, unsigned) {
  usleep(200); // as slow as drivers are, so that others come in between
  *library = static_cast<CUlibrary>(const_cast<void *>(code));
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *) {
  *kernel = reinterpret_cast<CUkernel>(library);
  return CUDA_SUCCESS;
}

CUresult cuTensorMapEncodeTiled(CUtensorMap *map, int, uint32_t, void *address, const uint64_t *extents,
                                const uint64_t *, const uint32_t *, const uint32_t *, int, int, int, int) {
  for (uint64_t &word : map->opaque)
    word = reinterpret_cast<uintptr_t>(address);
  map->opaque[1] = extents[1];
  return CUDA_SUCCESS;
}

/// Parameters as in ManifestSpec: maps of A, B, sfa; sfb, its leading dimension; map of D; M.
CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **params, void **) {
  uint64_t caller = reinterpret_cast<uintptr_t>(config->hStream) >> 32;
  for (int map : {0, 1, 2, 5}) {
    const auto &words = static_cast<CUtensorMap *>(params[map])->opaque;
    for (int i : {0, 2, 15})
      if (words[i] >> 32 != caller)
        return 1;
  }
  uint64_t rows = static_cast<CUtensorMap *>(params[0])->opaque[1];
  bool right = *static_cast<uint64_t *>(params[3]) >> 32 == caller && rows == uint64_t(*static_cast<int *>(params[6]));
  return right && function ? CUDA_SUCCESS : 1;
}

} // extern "C"
