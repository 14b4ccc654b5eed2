// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA driver, telling of at most $FP8GEMM_TEST_SMS multiprocessors: a kernel that is
// loaded through it ($FP8GEMM_LIBCUDA) launches as many CTAs as on such a GPU. What is not
// defined here is libcuda's own, which this library is linked to.

#include "CudaDriver.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>

using namespace fp8gemm::cuda;

/// The multiprocessors to tell of; 0: as many as there are.
static int limit() {
  const char *text = std::getenv("FP8GEMM_TEST_SMS");
  return text ? std::atoi(text) : 0;
}

/// libcuda's own function of this name.
template <typename Function> static Function *own(const char *name, Function *) {
  static void *libcuda = dlopen("libcuda.so.1", RTLD_LAZY);
  return reinterpret_cast<Function *>(dlsym(libcuda, name));
}

extern "C" {

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  CUresult result = own("cuDeviceGetAttribute", cuDeviceGetAttribute)(value, attribute, device);
  if (result == CUDA_SUCCESS && limit() && attribute == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
    *value = std::min(*value, limit());
  return result;
}

/// The runtime asks with a grid of one cluster.
CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction function, const CUlaunchConfig *config) {
  CUresult result = own("cuOccupancyMaxActiveClusters", cuOccupancyMaxActiveClusters)(clusters, function, config);
  if (result == CUDA_SUCCESS && limit())
    *clusters = std::min(*clusters, std::max(limit() / int(config->gridDimX), 1));
  return result;
}
}
