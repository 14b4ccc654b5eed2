// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Device.h"
#include "Pack.h"

#include <map>

using namespace fp8gemm;
using namespace fp8gemm::python;

namespace {

/// Driver functions that the runtime itself does not call.
struct Contexts {
  const cuda::Driver *driver = nullptr;
  cuda::CUresult (*retainPrimary)(cuda::CUcontext *context, cuda::CUdevice device) = nullptr;
  cuda::CUresult (*setCurrent)(cuda::CUcontext context) = nullptr;
  std::map<int, cuda::CUcontext> primary; ///< retained until the process ends

  bool open(std::string &error) {
    driver = cuda::Driver::get(error);
    if (!driver)
      return false;
    retainPrimary =
        reinterpret_cast<decltype(retainPrimary)>(cuda::findSymbol(*driver, "cuDevicePrimaryCtxRetain", error));
    setCurrent = reinterpret_cast<decltype(setCurrent)>(cuda::findSymbol(*driver, "cuCtxSetCurrent", error));
    return retainPrimary && setCurrent;
  }
};

} // namespace

/// One per process, protected by Python's lock; null with an error set if there is no driver.
static Contexts *contexts() {
  static Contexts opened;
  static std::string error;
  static bool good = opened.open(error);
  if (!good)
    setError(errorType(), error.c_str());
  return good ? &opened : nullptr;
}

static bool failed(const cuda::Driver &driver, cuda::CUresult result, const char *call) {
  setError(errorType(), driver.describe(result, call).c_str());
  return false;
}

bool DeviceScope::enter(int device) {
  Contexts *cuda = contexts();
  if (!cuda)
    return false;
  int current = -1;
  if (cuda->driver->ctxGetDevice(&current) == cuda::CUDA_SUCCESS && current == device)
    return true;
  auto found = cuda->primary.find(device);
  if (found == cuda->primary.end()) {
    cuda::CUcontext context = nullptr;
    if (auto result = cuda->retainPrimary(&context, device))
      return failed(*cuda->driver, result, "cuDevicePrimaryCtxRetain");
    found = cuda->primary.emplace(device, context).first;
  }
  if (auto result = cuda->driver->ctxGetCurrent(&before))
    return failed(*cuda->driver, result, "cuCtxGetCurrent");
  if (auto result = cuda->setCurrent(found->second))
    return failed(*cuda->driver, result, "cuCtxSetCurrent");
  hasChanged = true;
  return true;
}

DeviceScope::~DeviceScope() {
  if (hasChanged)
    contexts()->setCurrent(before);
}
