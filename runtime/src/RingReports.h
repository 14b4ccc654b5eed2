// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reports of kernels built with --debug-rings.

#ifndef FP8GEMM_RUNTIME_SRC_RINGREPORTS_H
#define FP8GEMM_RUNTIME_SRC_RINGREPORTS_H

#include "Driver.h"
#include "Error.h"
#include "KernelFile.h"
#include "RingReport.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fp8gemm::runtime {

/// The reports of one kernel, in each context that it was loaded in. They lie in memory of the host, so
/// that they can be read while the GPU hangs and when a context is lost.
class RingReports {
public:
  ~RingReports();

  /// Tells the kernel in the current context where to write; does nothing where it knows.
  fp8gemm_status attach(const cuda::Driver &driver, cuda::CUlibrary library);

  /// Who waits for what, a line for each role and place; empty if nobody reported.
  std::string text(const format::Manifest &manifest);

private:
  struct Buffer {
    const cuda::Driver *driver;
    cuda::CUcontext context;
    cuda::CUdevice device;
    std::unique_ptr<format::RingReport[], void (*)(void *)> reports;
  };

  std::mutex mutex;
  std::vector<Buffer> buffers;
};

/// The text of reports that are given.
std::string describeReports(const format::Manifest &manifest, const std::vector<format::RingReport> &reports);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_RINGREPORTS_H
