// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RuntimeFakeDriver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace fp8gemm::cuda;
using namespace fp8gemm::test;

FakeCuda *fakeCuda() {
  static FakeCuda state;
  return &state;
}

/// Held by each call; a launch may call back.
static std::recursive_mutex mutex;

/// What cuCtxSetCurrent said on this thread.
static thread_local CUcontext chosen = nullptr;

static CUcontext currentContext() { return chosen ? chosen : fakeCuda()->current; }

static int deviceOf(CUcontext context) {
  auto found = fakeCuda()->devices.find(context);
  return found == fakeCuda()->devices.end() ? fakeCuda()->device : found->second;
}

/// Records the call; what it shall return.
static CUresult enter(const char *call) {
  fakeCuda()->calls.push_back(call);
  auto failure = fakeCuda()->failures.find(call);
  return failure == fakeCuda()->failures.end() ? CUDA_SUCCESS : failure->second;
}

#define ENTER(call)                                                                                                    \
  std::lock_guard<std::recursive_mutex> lock(mutex);                                                                   \
  if (CUresult result = enter(#call))                                                                                  \
  return result

extern "C" {

CUresult cuInit(unsigned) {
  // For tests in another process: FAKE_CUDA_INIT is what cuInit returns.
  if (const char *result = std::getenv("FAKE_CUDA_INIT"))
    return std::atoi(result);
  ENTER(cuInit);
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **text) {
  *text = error == CUDA_ERROR_NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : error == 1 ? "CUDA_ERROR_INVALID_VALUE" : nullptr;
  return *text ? CUDA_SUCCESS : 1;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = error == CUDA_ERROR_NO_DEVICE ? "no CUDA-capable device is detected"
          : error == 1                  ? "invalid argument"
                                        : nullptr;
  return *text ? CUDA_SUCCESS : 1;
}

CUresult cuDriverGetVersion(int *version) {
  *version = 13000;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  ENTER(cuDeviceGetAttribute);
  const FakeCuda &fake = *fakeCuda();
  auto isDevice = [&](const auto &entry) { return entry.second == device; };
  if (device != fake.device && std::none_of(fake.devices.begin(), fake.devices.end(), isDevice))
    return 101;
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = fake.major;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = fake.minor;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = fake.sms;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    *value = fake.smemOptin;
    return CUDA_SUCCESS;
  }
  return 1;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  ENTER(cuDeviceGetName);
  std::snprintf(name, length, "Fake GPU");
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
  ENTER(cuCtxGetCurrent);
  *context = currentContext();
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  chosen = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  ENTER(cuCtxGetDevice);
  if (!currentContext())
    return CUDA_ERROR_INVALID_CONTEXT;
  *device = deviceOf(currentContext());
  return CUDA_SUCCESS;
}

CUresult cuStreamGetCtx(CUstream stream, CUcontext *context) {
  ENTER(cuStreamGetCtx);
  auto found = fakeCuda()->streams.find(stream);
  if (found == fakeCuda()->streams.end())
    return 400; // CUDA_ERROR_INVALID_HANDLE
  *context = found->second;
  return CUDA_SUCCESS;
}

CUresult cuLibraryLoadData(CUlibrary *library, const void *code, int *, void **, unsigned, int *, void **, unsigned) {
  ENTER(cuLibraryLoadData);
  fakeCuda()->loadedCode.assign(static_cast<const char *>(code), 4);
  *library = reinterpret_cast<CUlibrary>(0x200);
  ++fakeCuda()->liveLibraries;
  return CUDA_SUCCESS;
}

CUresult cuLibraryUnload(CUlibrary) {
  ENTER(cuLibraryUnload);
  --fakeCuda()->liveLibraries;
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary, const char *name) {
  ENTER(cuLibraryGetKernel);
  fakeCuda()->loadedEntry = name;
  *kernel = reinterpret_cast<CUkernel>(0x300);
  return CUDA_SUCCESS;
}

CUresult cuKernelSetAttribute(int attribute, int value, CUkernel, CUdevice device) {
  ENTER(cuKernelSetAttribute);
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
    return 1;
  fakeCuda()->smemOfDevice[device] = value;
  return CUDA_SUCCESS;
}

CUresult cuKernelGetFunction(CUfunction *function, CUkernel) {
  ENTER(cuKernelGetFunction);
  *function = reinterpret_cast<CUfunction>(0x400);
  return CUDA_SUCCESS;
}

CUresult cuFuncLoad(CUfunction) {
  ENTER(cuFuncLoad);
  fakeCuda()->loadedInto.push_back(currentContext());
  return CUDA_SUCCESS;
}

CUresult cuTensorMapEncodeTiled(CUtensorMap *map, int type, uint32_t rank, void *address, const uint64_t *extents,
                                const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                                int interleave, int swizzle, int promotion, int oobFill) {
  ENTER(cuTensorMapEncodeTiled);
  // What the driver refuses.
  bool refused = reinterpret_cast<uintptr_t>(map) % 64 || reinterpret_cast<uintptr_t>(address) % 16;
  for (uint32_t i = 0; i < rank; ++i)
    refused |= extents[i] == 0 || extents[i] > uint64_t(1) << 32 || box[i] == 0 || box[i] > 256;
  for (uint32_t i = 0; i + 1 < rank; ++i)
    refused |= strides[i] == 0 || strides[i] % 16 || strides[i] >= uint64_t(1) << 40;
  if (refused)
    return 1;
  map->opaque[0] = fakeCuda()->maps.size();
  fakeCuda()->maps.push_back({type,
                              address,
                              {extents, extents + rank},
                              {strides, strides + rank - 1},
                              {box, box + rank},
                              {elementStrides, elementStrides + rank},
                              interleave,
                              swizzle,
                              promotion,
                              oobFill});
  return CUDA_SUCCESS;
}

/// Null: the launch has none of this kind.
static const CUlaunchAttribute *findAttribute(const CUlaunchConfig &config, int id) {
  for (unsigned i = 0; i < config.numAttrs; ++i)
    if (config.attrs[i].id == id)
      return &config.attrs[i];
  return nullptr;
}

static unsigned clusterOf(const CUlaunchConfig &config) {
  const CUlaunchAttribute *found = findAttribute(config, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
  return found ? found->value[0] * found->value[1] * found->value[2] : 1;
}

CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction, const CUlaunchConfig *config) {
  ENTER(cuOccupancyMaxActiveClusters);
  fakeCuda()->askedCluster = clusterOf(*config);
  *clusters = fakeCuda()->activeClusters;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **params, void **extra) {
  ENTER(cuLaunchKernelEx);
  if (extra)
    return 1;
  const CUlaunchAttribute *dependent = findAttribute(*config, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
  FakeLaunch launch{*config, function, currentContext(), {}, clusterOf(*config), dependent && dependent->value[0] == 1};
  for (size_t i = 0; i < fakeCuda()->paramBytes.size(); ++i)
    launch.params.emplace_back(static_cast<const char *>(params[i]), fakeCuda()->paramBytes[i]);
  fakeCuda()->launches.push_back(launch);
  if (fakeCuda()->kernel)
    fakeCuda()->kernel(params);
  return CUDA_SUCCESS;
}

/// Its memory is the host's.
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream) {
  ENTER(cuMemcpyDtoHAsync_v2);
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream) {
  ENTER(cuStreamSynchronize);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  ENTER(cuMemcpyHtoD_v2);
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return CUDA_SUCCESS;
}

/// A context's own, as all globals are.
CUresult cuLibraryGetGlobal(CUdeviceptr *pointer, size_t *bytes, CUlibrary, const char *name) {
  ENTER(cuLibraryGetGlobal);
  fakeCuda()->askedGlobal = name;
  *pointer = reinterpret_cast<CUdeviceptr>(&fakeCuda()->globals[currentContext()]);
  *bytes = fakeCuda()->globalBytes;
  return CUDA_SUCCESS;
}

CUresult cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags) {
  ENTER(cuMemHostRegister_v2);
  if (flags != (kMemHostRegisterPortable | kMemHostRegisterDeviceMap))
    return 1;
  fakeCuda()->registered[pointer] = bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemHostUnregister(void *pointer) {
  ENTER(cuMemHostUnregister);
  return fakeCuda()->registered.erase(pointer) ? CUDA_SUCCESS : 1;
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *device, void *pointer, unsigned) {
  ENTER(cuMemHostGetDevicePointer_v2);
  *device = reinterpret_cast<CUdeviceptr>(pointer);
  return fakeCuda()->registered.count(pointer) ? CUDA_SUCCESS : 1;
}

} // extern "C"
