// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The properties of a Hopper GPU; its memory consists only of addresses.

#include "CudaDriver.h"

#include <cstdio>

using namespace fp8gemm::cuda;

extern "C" {

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? 9
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? 0
           : attribute == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? 132
                                                                       : 232448;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  std::snprintf(name, size_t(length), "no GPU");
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
  static CUdeviceptr next = 1 << 20;
  *pointer = next;
  next += (bytes + 255) / 256 * 256;
  return CUDA_SUCCESS;
}

CUresult cuLibraryLoadData(CUlibrary *library, const void *, int *, void **, unsigned, int *, void **, unsigned) {
  *library = reinterpret_cast<CUlibrary>(1);
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary, const char *) {
  *kernel = reinterpret_cast<CUkernel>(1);
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetGlobal(CUdeviceptr *pointer, size_t *bytes, CUlibrary, const char *) {
  *pointer = 0;
  *bytes = sizeof(CUdeviceptr);
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  static char place;
  *stream = reinterpret_cast<CUstream>(&place);
  return CUDA_SUCCESS;
}

} // extern "C"
