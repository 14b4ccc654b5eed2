// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening and loading kernels.

#include "Kernel.h"
#include "TensorMaps.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

using namespace fp8gemm;
using namespace fp8gemm::runtime;

fp8gemm_status runtime::failedCall(const cuda::Driver &driver, cuda::CUresult result, const char *call) {
  return fail(result == cuda::CUDA_ERROR_INVALID_CONTEXT ? FP8GEMM_NO_CONTEXT : FP8GEMM_DRIVER_ERROR, "%s",
              driver.describe(result, call).c_str());
}

//===----------------------------------------------------------------------===//
// Open, close
//===----------------------------------------------------------------------===//

std::string runtime::checkRoom(const format::Manifest &manifest) {
  if (manifest.params()->size() <= kMaxParams)
    return {};
  return "expected at most " + std::to_string(kMaxParams) + " kernel parameters, got " +
         std::to_string(manifest.params()->size());
}

static fp8gemm_status open(std::string bytes, const char *name, fp8gemm_kernel **kernel) {
  auto opened = std::make_unique<fp8gemm_kernel>();
  opened->bytes = std::move(bytes);
  std::string error = format::readKernelFile(opened->bytes.data(), opened->bytes.size(), opened->file);
  if (error.empty())
    error = checkRoom(opened->file.manifest());
  if (!error.empty())
    return fail(FP8GEMM_INVALID_FILE, "%s: %s", name, error.c_str());
  opened->code = opened->bytes.data();
  opened->describe(opened->file.manifest());
  // Room for the layers of a model that have weights of this shape, a few times over.
  constexpr size_t kSetsOfMaps = 128;
  opened->ownMaps = std::make_unique<TensorMapCache>(kSetsOfMaps);
  opened->maps = opened->ownMaps.get();
  *kernel = opened.release();
  return FP8GEMM_OK;
}

/// A regular file: what else there is could be waited for, or have no end.
static fp8gemm_status readFile(const char *path, std::string &bytes) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(nullptr, std::fclose);
  int descriptor = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor >= 0)
    file.reset(fdopen(descriptor, "rb"));
  if (!file || fstat(descriptor, &status) != 0)
    return fail(FP8GEMM_IO_ERROR, "cannot open '%s': %s", path, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return fail(FP8GEMM_IO_ERROR, "cannot open '%s': expected a regular file", path);
  char buffer[1 << 16];
  while (size_t got = std::fread(buffer, 1, sizeof(buffer), file.get()))
    bytes.append(buffer, got);
  if (std::ferror(file.get()))
    return fail(FP8GEMM_IO_ERROR, "cannot read '%s': %s", path, std::strerror(errno));
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_kernel_open(const char *path, fp8gemm_kernel **kernel) {
  return guarded([&] {
    if (!path || !kernel)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a path and a place for the kernel, got null");
    std::string bytes;
    if (fp8gemm_status status = readFile(path, bytes))
      return status;
    return open(std::move(bytes), path, kernel);
  });
}

fp8gemm_status fp8gemm_kernel_open_memory(const void *bytes, size_t size, fp8gemm_kernel **kernel) {
  return guarded([&] {
    if (!bytes || !kernel)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected bytes and a place for the kernel, got null");
    return open(std::string(static_cast<const char *>(bytes), size), "kernel in memory", kernel);
  });
}

fp8gemm_kernel::fp8gemm_kernel() = default;

fp8gemm_kernel::~fp8gemm_kernel() {
  // At the end of a process the driver may be gone before us; nothing is lost then.
  if (library)
    driver->libraryUnload(library);
}

void fp8gemm_kernel_close(fp8gemm_kernel *kernel) {
  if (kernel && !kernel->isPacked)
    delete kernel;
}

//===----------------------------------------------------------------------===//
// Load
//===----------------------------------------------------------------------===//

/// Compares the kernel's needs with what the device has.
static fp8gemm_status checkDevice(const cuda::Driver &driver, const format::Manifest &manifest, cuda::CUdevice device,
                                  int &sms) {
  struct {
    int attribute, value;
  } asked[] = {{cuda::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0},
               {cuda::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0},
               {cuda::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0},
               {cuda::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0}};
  for (auto &[attribute, value] : asked)
    if (auto result = driver.deviceGetAttribute(&value, attribute, device))
      return failedCall(driver, result, "cuDeviceGetAttribute");
  char name[128] = "?";
  if (auto result = driver.deviceGetName(name, sizeof(name), device))
    return failedCall(driver, result, "cuDeviceGetName");
  int major = asked[0].value, minor = asked[1].value, smem = asked[2].value;
  sms = asked[3].value;
  // "a" code (wgmma, TMA) has no forward compatibility.
  if (major != 9 || minor != 0)
    return fail(FP8GEMM_UNSUPPORTED_DEVICE,
                "expected a device of compute capability 9.0 (kernel '%s' is for %s), got device %d, %s, of %d.%d; run "
                "it on a Hopper GPU",
                manifest.entry()->c_str(), manifest.chip()->c_str(), device, name, major, minor);
  if (int64_t(manifest.smem_bytes()) > smem)
    return fail(FP8GEMM_UNSUPPORTED_DEVICE,
                "expected %u bytes of shared memory per CTA for kernel '%s', got %d bytes on device %d, %s; compile it "
                "with fewer stages or a smaller tile",
                manifest.smem_bytes(), manifest.entry()->c_str(), smem, device, name);
  if (sms < 1)
    return fail(FP8GEMM_UNSUPPORTED_DEVICE, "expected at least one multiprocessor, got %d on device %d, %s", sms,
                device, name);
  return FP8GEMM_OK;
}

void fp8gemm_kernel::configure(int64_t clusterCount, LaunchAttributes &attributes, cuda::CUlaunchConfig &config) const {
  config = {};
  config.gridDimX = unsigned(clusterCount * facts.cluster);
  config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = facts.threads;
  config.blockDimY = config.blockDimZ = 1;
  config.sharedMemBytes = facts.smemBytes;
  config.attrs = attributes.data();
  if (facts.cluster > 1)
    attributes[config.numAttrs++] = {cuda::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, {facts.cluster, 1, 1}};
}

/// The clusters that the current context's device runs at once, one CTA an SM.
static fp8gemm_status countClusters(const cuda::Driver &driver, const fp8gemm_kernel &kernel, cuda::CUfunction function,
                                    int sms, int &clusters) {
  clusters = sms;
  if (kernel.facts.cluster == 1)
    return FP8GEMM_OK;
  LaunchAttributes attributes;
  cuda::CUlaunchConfig config;
  kernel.configure(1, attributes, config);
  if (auto result = driver.occupancyMaxActiveClusters(&clusters, function, &config))
    return failedCall(driver, result, "cuOccupancyMaxActiveClusters");
  if (clusters < 1)
    return fail(FP8GEMM_UNSUPPORTED_DEVICE,
                "expected a device that runs clusters of %u CTAs of kernel '%s', got room for none; compile it with a "
                "smaller cluster",
                kernel.facts.cluster, kernel.facts.entry);
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_kernel::load(const cuda::Driver &cu, const DeviceLimits *&limits) {
  fp8gemm_status status = loadOnDevice(cu, limits);
  return status == FP8GEMM_OK && reports ? reports->attach(cu, library) : status;
}

fp8gemm_status fp8gemm_kernel::loadOnDevice(const cuda::Driver &cu, const DeviceLimits *&limits) {
  cuda::CUdevice device = 0;
  if (auto result = cu.ctxGetDevice(&device))
    return failedCall(cu, result, "cuCtxGetDevice");
  if (device < 0 || device >= kMaxDevices)
    return fail(FP8GEMM_UNSUPPORTED_DEVICE, "expected a device below %d, got device %d", kMaxDevices, device);
  DeviceLimits &known = devices[device];
  limits = &known;
  if (known.clusters.load(std::memory_order_acquire))
    return FP8GEMM_OK;

  std::lock_guard<std::mutex> lock(loading);
  if (known.clusters.load(std::memory_order_relaxed))
    return FP8GEMM_OK;
  if (fp8gemm_status status = checkDevice(cu, manifest(), device, known.sms))
    return status;
  if (!function) {
    cuda::CUlibrary loaded = nullptr;
    if (auto result = cu.libraryLoadData(&loaded, code, nullptr, nullptr, 0, nullptr, nullptr, 0))
      return failedCall(cu, result, "cuLibraryLoadData");
    cuda::CUkernel kernel = nullptr;
    if (auto result = cu.libraryGetKernel(&kernel, loaded, manifest().entry()->c_str())) {
      cu.libraryUnload(loaded);
      return failedCall(cu, result, "cuLibraryGetKernel");
    }
    driver = &cu;
    library = loaded;
    function = kernel;
  }
  if (auto result = cu.kernelSetAttribute(cuda::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                          int(manifest().smem_bytes()), function, device))
    return failedCall(cu, result, "cuKernelSetAttribute(MAX_DYNAMIC_SHARED_SIZE_BYTES)");
  cuda::CUfunction inContext = nullptr;
  if (auto result = cu.kernelGetFunction(&inContext, function))
    return failedCall(cu, result, "cuKernelGetFunction");
  int found = 0;
  if (fp8gemm_status status = countClusters(cu, *this, inContext, known.sms, found))
    return status;
  known.clusters.store(found, std::memory_order_release);
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_kernel::loadInContext(const cuda::Driver &cu) {
  const DeviceLimits *limits = nullptr;
  if (fp8gemm_status status = load(cu, limits))
    return status;
  cuda::CUfunction inContext = nullptr;
  if (auto result = cu.kernelGetFunction(&inContext, function))
    return failedCall(cu, result, "cuKernelGetFunction");
  if (!cu.funcLoad) // the driver is older than lazy loading's own call
    return FP8GEMM_OK;
  auto result = cu.funcLoad(inContext);
  return result ? failedCall(cu, result, "cuFuncLoad") : FP8GEMM_OK;
}

fp8gemm_status fp8gemm_kernel_load(fp8gemm_kernel *kernel) {
  return guarded([&] {
    if (!kernel)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel, got null");
    std::string error;
    const cuda::Driver *driver = cuda::Driver::get(error);
    if (!driver)
      return fail(FP8GEMM_NO_DRIVER, "%s", error.c_str());
    return kernel->loadInContext(*driver);
  });
}
