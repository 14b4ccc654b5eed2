// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_RUNTIME_SRC_KERNEL_H
#define FP8GEMM_RUNTIME_SRC_KERNEL_H

#include "Driver.h"
#include "Error.h"
#include "Facts.h"
#include "RingReports.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace fp8gemm::runtime {

/// Kernel parameters that a launch has room for: of a masked product with k_major scales, a bias and a row_scale there are 17.
constexpr unsigned kMaxParams = 24;
/// Devices of a process that the runtime has room for.
constexpr int kMaxDevices = 128;

/// A device, for one kernel.
struct DeviceLimits {
  int sms = 0;
  /// Clusters of CTAs that it runs at once. 0 until the kernel is checked and loaded there, and the
  /// rest of this is written.
  std::atomic<int> clusters{0};
};

class TensorMapCache;

/// Attributes of a launch: those that it has come first.
using LaunchAttributes = std::array<cuda::CUlaunchAttribute, 2>;

/// Sets the message for a failed call and returns the status that fits it.
fp8gemm_status failedCall(const cuda::Driver &driver, cuda::CUresult result, const char *call);

/// Empty, or why a kernel with this manifest can't be launched.
std::string checkRoom(const format::Manifest &manifest);

} // namespace fp8gemm::runtime

struct fp8gemm_kernel {
  /// The cubin, and what may follow it: what the driver loads.
  const char *code = nullptr;
  const fp8gemm::format::Manifest *description = nullptr;
  /// The same, for launches.
  fp8gemm::runtime::Facts facts;
  /// The memory of these two, except for a kernel of a pack, which owns them.
  std::string bytes;
  fp8gemm::format::KernelFile file;
  /// Whether a pack owns this.
  bool isPacked = false;
  /// Of launches; the pack's, or its own.
  fp8gemm::runtime::TensorMapCache *maps = nullptr;
  std::unique_ptr<fp8gemm::runtime::TensorMapCache> ownMaps;

  /// Of a debug build, else null.
  std::unique_ptr<fp8gemm::runtime::RingReports> reports;

  /// Guards loading; a launch on a loaded device takes no lock.
  std::mutex loading;
  const fp8gemm::cuda::Driver *driver = nullptr;
  fp8gemm::cuda::CUlibrary library = nullptr;
  /// Serves every context: the driver picks the code of the current one.
  fp8gemm::cuda::CUkernel function = nullptr;
  std::array<fp8gemm::runtime::DeviceLimits, fp8gemm::runtime::kMaxDevices> devices;

  fp8gemm_kernel();
  /// Unloads the kernel from all devices.
  ~fp8gemm_kernel();

  /// The device with these limits.
  int deviceOf(const fp8gemm::runtime::DeviceLimits &limits) const { return int(&limits - devices.data()); }
  const fp8gemm::format::Manifest &manifest() const { return *description; }
  /// Says what it is, for as long as `manifest` lives.
  void describe(const fp8gemm::format::Manifest &manifest) {
    description = &manifest;
    facts = fp8gemm::runtime::Facts(manifest);
    if (manifest.debug_rings())
      reports = std::make_unique<fp8gemm::runtime::RingReports>();
  }
  /// A launch of `clusterCount` clusters; `attributes` is storage that it points to.
  void configure(int64_t clusterCount, fp8gemm::runtime::LaunchAttributes &attributes,
                 fp8gemm::cuda::CUlaunchConfig &config) const;

  /// Readies the kernel on the device of the current context, and says what that has. Of a device where it is
  /// ready, takes no lock, except in a debug build.
  fp8gemm_status load(const fp8gemm::cuda::Driver &driver, const fp8gemm::runtime::DeviceLimits *&limits);
  /// The first of these, except for the reports of a debug build.
  fp8gemm_status loadOnDevice(const fp8gemm::cuda::Driver &driver, const fp8gemm::runtime::DeviceLimits *&limits);
  /// The same, and has the driver load the code into the current context, which it else may do at the first launch.
  fp8gemm_status loadInContext(const fp8gemm::cuda::Driver &driver);
};

#endif // FP8GEMM_RUNTIME_SRC_KERNEL_H
