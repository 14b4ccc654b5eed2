// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Driver.h"

#include <cstdlib>
#include <dlfcn.h>

namespace fp8gemm::cuda {

/// The remedy for an error; empty if the driver's text is sufficient.
static const char *hint(CUresult result) {
  switch (result) {
  case CUDA_ERROR_OUT_OF_MEMORY:
    return "; free device memory";
  case CUDA_ERROR_NO_DEVICE:
    return "; check nvidia-smi and CUDA_VISIBLE_DEVICES";
  case CUDA_ERROR_INVALID_IMAGE:
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
    return "; the driver may be older than the ptxas that made the kernel: update the driver, or compile with an "
           "older ptxas";
  case CUDA_ERROR_INVALID_CONTEXT:
  case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    return "; make a live CUDA context current on this thread (cuCtxSetCurrent, cudaSetDevice)";
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case CUDA_ERROR_LAUNCH_FAILED:
    return "; this or an earlier kernel failed on the GPU: check pointers and sizes with compute-sanitizer";
  case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
    return "; libcuda and the kernel module are of different versions: reboot, or reinstall the driver";
  case CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED:
    return "; the stream is captured into a graph: load kernels, and check groups, before";
  default:
    return "";
  }
}

std::string Driver::describe(CUresult result, const char *call) const {
  const char *name = nullptr, *text = nullptr;
  if (getErrorName(result, &name) != CUDA_SUCCESS || !name)
    name = "unknown error";
  if (getErrorString(result, &text) != CUDA_SUCCESS || !text)
    text = "no text";
  return std::string(call) + " failed: " + name + " (" + std::to_string(result) + ": " + text + ")" + hint(result);
}

void *findSymbol(const Driver &driver, const char *symbol, std::string &error) {
  void *address = dlsym(driver.library, symbol);
  if (!address)
    error = std::string("expected a CUDA driver of version 12.0 or later (525), got one without ") + symbol +
            "; update the NVIDIA driver";
  return address;
}

static bool open(Driver &driver, std::string &error) {
  const char *chosen = std::getenv("FP8GEMM_LIBCUDA");
  const char *file = chosen && *chosen ? chosen : "libcuda.so.1";
  driver.library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!driver.library) {
    const char *text = dlerror();
    error = std::string("expected a CUDA driver, got none: ") + (text ? text : file) +
            "; install the NVIDIA driver, or make its libcuda.so.1 visible (in a container: the NVIDIA runtime)";
    return false;
  }
#define FP8GEMM_LOOK_UP(member, symbol, params)                                                                        \
  driver.member = reinterpret_cast<decltype(driver.member)>(findSymbol(driver, #symbol, error));                       \
  if (!driver.member)                                                                                                  \
    return false;
  FP8GEMM_CUDA_RUNTIME_FUNCTIONS(FP8GEMM_LOOK_UP)
#undef FP8GEMM_LOOK_UP
#define FP8GEMM_LOOK_UP(member, symbol, params)                                                                        \
  driver.member = reinterpret_cast<decltype(driver.member)>(dlsym(driver.library, #symbol));
  FP8GEMM_CUDA_OPTIONAL_FUNCTIONS(FP8GEMM_LOOK_UP)
#undef FP8GEMM_LOOK_UP
  if (CUresult result = driver.init(0); result != CUDA_SUCCESS) {
    error = driver.describe(result, "cuInit");
    return false;
  }
  return true;
}

const Driver *Driver::get(std::string &error) {
  struct Opened {
    Driver driver;
    std::string error;
    bool good = open(driver, error);
  };
  // Never closed or destroyed: other threads may use it until the process ends.
  static const Opened &opened = *new Opened;
  if (!opened.good)
    error = opened.error;
  return opened.good ? &opened.driver : nullptr;
}

} // namespace fp8gemm::cuda
