// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Device.h"

#include <algorithm>

namespace fp8gemm::program {

static constexpr int64_t kRowBytes = 16; ///< what TMA counts rows in

void Device::check(cuda::CUresult result, const char *call) const {
  if (result != cuda::CUDA_SUCCESS)
    throw Failure(FP8GEMM_DRIVER_ERROR, driver->describe(result, call));
}

/// The functions that the runtime has no use for; looked up once.
static const cuda::ProgramFunctions *findFunctions(const cuda::Driver &driver) {
  struct Found {
    cuda::ProgramFunctions functions;
    std::string error;
    explicit Found(const cuda::Driver &driver) { functions.load(driver, error); }
  };
  static const Found found(driver);
  if (!found.error.empty())
    throw Failure(FP8GEMM_NO_DRIVER, found.error);
  return &found.functions;
}

Device::Device(cuda::CUstream stream) : stream(stream) {
  std::string error;
  driver = cuda::Driver::get(error);
  if (!driver)
    throw Failure(FP8GEMM_NO_DRIVER, error);
  cu = findFunctions(*driver);
  cuda::CUcontext context = nullptr;
  check(driver->ctxGetCurrent(&context), "cuCtxGetCurrent");
  if (context)
    return;
  struct Primary {
    cuda::CUcontext context = nullptr;
    cuda::CUresult result;
    explicit Primary(const cuda::ProgramFunctions &cu) {
      cuda::CUdevice device = 0;
      result = cu.deviceGet(&device, 0);
      if (result == cuda::CUDA_SUCCESS)
        result = cu.primaryCtxRetain(&context, device);
    }
  };
  // Never released: the kernels that are loaded live as long as the process.
  static const Primary primary(*cu);
  check(primary.result, "cuDevicePrimaryCtxRetain");
  check(cu->ctxSetCurrent(primary.context), "cuCtxSetCurrent");
}

Device::~Device() {
  for (cuda::CUdeviceptr allocation : allocations)
    cu->memFreeAsync(allocation, stream);
}

void *Device::allocate(size_t bytes) {
  cuda::CUdeviceptr pointer = 0;
  check(cu->memAllocAsync(&pointer, bytes, stream), "cuMemAllocAsync");
  allocations.push_back(pointer);
  return reinterpret_cast<void *>(pointer);
}

Operand Device::place(const Operand &operand) {
  if (!operand || operand.onDevice)
    return operand;
  Operand placed = operand;
  placed.onDevice = true;
  int64_t rowBytes = operand.columns * operand.elementBytes;
  if (!operand.isVector)
    rowBytes = (rowBytes + kRowBytes - 1) / kRowBytes * kRowBytes;
  placed.rowStride = rowBytes / operand.elementBytes;
  placed.groupStride = placed.rows * placed.rowStride;
  placed.data = static_cast<char *>(allocate(size_t(std::max(operand.groups * operand.rows * rowBytes, kRowBytes))));
  return placed;
}

void Device::copy(const Operand &host, const Operand &placed, bool toDevice) {
  if (!host || host.onDevice || host.isEmpty())
    return;
  for (int64_t group = 0; group != host.groups; ++group) {
    char *hostData = host.data + group * host.groupStride * host.elementBytes;
    auto deviceData = reinterpret_cast<cuda::CUdeviceptr>(placed.data + group * placed.groupStride * host.elementBytes);
    cuda::CUmemcpy2D copy{};
    copy.widthInBytes = size_t(host.columns * host.elementBytes);
    copy.height = size_t(host.rows);
    size_t hostPitch = size_t(host.rowStride * host.elementBytes);
    size_t devicePitch = size_t(placed.rowStride * host.elementBytes);
    // One row has no pitch, whatever its stride says.
    if (copy.height == 1)
      hostPitch = devicePitch = copy.widthInBytes;
    copy.srcMemoryType = toDevice ? cuda::CU_MEMORYTYPE_HOST : cuda::CU_MEMORYTYPE_DEVICE;
    copy.dstMemoryType = toDevice ? cuda::CU_MEMORYTYPE_DEVICE : cuda::CU_MEMORYTYPE_HOST;
    if (toDevice)
      copy.srcHost = hostData, copy.dstDevice = deviceData;
    else
      copy.dstHost = hostData, copy.srcDevice = deviceData;
    copy.srcPitch = toDevice ? hostPitch : devicePitch;
    copy.dstPitch = toDevice ? devicePitch : hostPitch;
    check(cu->memcpy2DAsync(&copy, stream), "cuMemcpy2DAsync");
  }
}

void Device::synchronize() { check(driver->streamSynchronize(stream), "cuStreamSynchronize"); }

} // namespace fp8gemm::program
