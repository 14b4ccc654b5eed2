// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RingReports.h"
#include "Kernel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace fp8gemm;
using namespace fp8gemm::runtime;

RingReports::~RingReports() {
  for (Buffer &buffer : buffers)
    // Memory that the device may still write to is not freed.
    if (buffer.driver->memHostUnregister(buffer.reports.get()))
      (void)buffer.reports.release();
}

constexpr size_t kReportBytes = format::kMaxRingReports * sizeof(format::RingReport);

/// Zeros on pages of their own: a page can't be registered twice.
static format::RingReport *allocateReports() {
  constexpr size_t kPage = 4096;
  static_assert(kReportBytes % kPage == 0);
  void *memory = std::aligned_alloc(kPage, kReportBytes);
  if (!memory)
    throw std::bad_alloc();
  return static_cast<format::RingReport *>(std::memset(memory, 0, kReportBytes));
}

fp8gemm_status RingReports::attach(const cuda::Driver &cu, cuda::CUlibrary library) {
  cuda::CUcontext context = nullptr;
  if (auto result = cu.ctxGetCurrent(&context))
    return failedCall(cu, result, "cuCtxGetCurrent");
  std::lock_guard<std::mutex> lock(mutex);
  if (std::any_of(buffers.begin(), buffers.end(), [&](const Buffer &known) { return known.context == context; }))
    return FP8GEMM_OK;
  Buffer buffer{&cu, context, 0, {allocateReports(), std::free}};
  if (auto result = cu.ctxGetDevice(&buffer.device))
    return failedCall(cu, result, "cuCtxGetDevice");
  cuda::CUdeviceptr place = 0, reports = 0;
  size_t bytes = 0;
  if (auto result = cu.libraryGetGlobal(&place, &bytes, library, format::kRingReportSymbol))
    return failedCall(cu, result, "cuLibraryGetGlobal(fp8gemm_ring_report)");
  if (bytes != sizeof(reports))
    return fail(FP8GEMM_INVALID_FILE, "expected %s of %zu bytes in a kernel built with --debug-rings, got %zu",
                format::kRingReportSymbol, sizeof(reports), bytes);
  if (auto result = cu.memHostRegister(buffer.reports.get(), kReportBytes,
                                       cuda::kMemHostRegisterPortable | cuda::kMemHostRegisterDeviceMap))
    return failedCall(cu, result, "cuMemHostRegister");
  void *address = buffer.reports.get();
  buffers.push_back(std::move(buffer));
  const char *call = "cuMemHostGetDevicePointer";
  auto result = cu.memHostGetDevicePointer(&reports, address, 0);
  if (!result) {
    call = "cuMemcpyHtoD";
    result = cu.memcpyHtoD(place, &reports, sizeof(reports));
  }
  if (!result)
    return FP8GEMM_OK;
  cu.memHostUnregister(address);
  buffers.pop_back();
  return failedCall(cu, result, call);
}

std::string RingReports::text(const format::Manifest &manifest) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string text;
  for (const Buffer &buffer : buffers) {
    std::vector<format::RingReport> reports;
    for (uint32_t i = 0; i < format::kMaxRingReports; ++i) {
      const volatile uint32_t &isWritten = buffer.reports[i].isWritten;
      if (!isWritten)
        continue;
      std::atomic_thread_fence(std::memory_order_acquire);
      reports.push_back(buffer.reports[i]);
    }
    if (!reports.empty() && buffers.size() > 1)
      text += "on device " + std::to_string(buffer.device) + ":\n";
    text += describeReports(manifest, reports);
  }
  return text;
}

const char *fp8gemm_kernel_ring_report(fp8gemm_kernel *kernel) {
  static thread_local std::string text;
  fp8gemm_status status = guarded([&] {
    if (!kernel)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel, got null");
    if (!kernel->reports)
      return fail(FP8GEMM_INVALID_ARGUMENT,
                  "expected a kernel built with --debug-rings, got '%s', which waits without a limit and reports "
                  "nothing; compile it with fp8gemm-compile --debug-rings",
                  kernel->facts.entry);
    text = kernel->reports->text(kernel->manifest());
    return FP8GEMM_OK;
  });
  return status == FP8GEMM_OK ? text.c_str() : nullptr;
}
