// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report that a kernel built with --debug-rings writes for a wait that lasts too long: compiler and
// runtime agree on it here.

#ifndef FP8GEMM_RUNTIME_FORMAT_RINGREPORT_H
#define FP8GEMM_RUNTIME_FORMAT_RINGREPORT_H

#include <cstdint>

namespace fp8gemm::format {

/// The cubin's global (8 bytes) that holds the device address of kMaxRingReports reports, all zero; 0: nobody reads
/// them, and none is written. The memory is the host's: what the device has is lost when a kernel traps.
constexpr char kRingReportSymbol[] = "fp8gemm_ring_report";

/// More than all warps of a whole GH100.
constexpr uint32_t kMaxRingReports = 4096;

/// A warp that waited too long.
struct RingReport {
  uint32_t isWritten; ///< not 0, once all else is there
  uint32_t wait;      ///< index into the manifest's waits
  uint32_t stage;
  uint32_t phase;
  uint32_t cta;
  uint32_t rank; ///< of the CTA in its cluster
  uint32_t thread;
  uint32_t unused;
};
static_assert(sizeof(RingReport) == 32);

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_RINGREPORT_H
