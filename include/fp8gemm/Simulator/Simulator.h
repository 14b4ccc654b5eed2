// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a kernel of the hopper dialect on the CPU, and reports faults of its schedule.

#ifndef FP8GEMM_SIMULATOR_SIMULATOR_H
#define FP8GEMM_SIMULATOR_SIMULATOR_H

#include "fp8gemm/Simulator/Watchdog.h"
#include "llvm/Support/LogicalResult.h"

#include <array>
#include <cstdint>
#include <vector>

namespace fp8gemm::hopper {
class KernelOp;
} // namespace fp8gemm::hopper

namespace fp8gemm::simulator {

/// An operand in host memory, which stands for device memory. Extents and strides count in
/// elements, as in a tensor map: outside of them, TMA reads zeros and drops writes.
struct Matrix {
  uint8_t *data = nullptr;
  int64_t bytes = 0; ///< any access outside of [data, data + bytes) is an error
  int64_t rows = 0, columns = 0, leadingDimension = 0;
  int64_t groups = 1, groupStride = 0;
};

/// Limits: operations of all roles; consecutive operations of one role that only compute; iterations of one loop.
constexpr int64_t kMostOperations = int64_t(1) << 30, kMostIdleOperations = int64_t(1) << 24,
                  kMostIterations = int64_t(1) << 24;

struct Launch {
  /// By hopper::Operand. Those that the kernel has no argument for, and extents, may stay empty.
  std::array<Matrix, 22> operands;
  int64_t m = 0, k = 0; ///< the arguments 'of m' and 'of k'
  int64_t clusters = 1; ///< the grid, in clusters
  /// Chooses an interleaving of roles, TMA, tensor core and CTAs of a cluster. Accesses that are not ordered
  /// by the schedule are errors in any of them.
  uint64_t seed = 1;
  /// A kernel that runs longer is assumed to loop forever, and so is a role that executes too many operations in a row
  /// without an access to memory, a barrier or a ring.
  int64_t maxOperations = kMostOperations, maxIdleOperations = kMostIdleOperations;
  Watchdog *watchdog = nullptr; ///< if given, its expiry is an error too

  /// If given: how often each element of D's memory was written, at most 255. Writing an element
  /// again with other bits, or adding to it twice, is an error.
  std::vector<uint8_t> *writes = nullptr;
};

/// Simulates a kernel after hopper-complete-schedule, cluster by cluster. Shared memory and barriers behave like those
/// of the machine: phases, arrivals, pending bytes, swizzles, the registers of wgmma. The first fault ends it, as an
/// error at the operation where it shows:
///
/// - a wait that never ends, with all waiting tasks and what they wait for
/// - an access to shared memory that is not ordered after an earlier one: a read before the data arrived, a write
///   before all have read, a TMA store without a fence of the async proxy
/// - a read of uninitialised memory or of a product in flight, a missing `hopper.fence wgmma`
/// - a surplus arrival, unexpected bytes, a barrier that is left incomplete
/// - an access outside an operand, an element of D that is written twice with different bits
/// - a loop whose step is not positive, or that has more than kMostIterations; too many operations, in total or
///   computing only in a row; an expired watchdog
/// - a CTA or role that ends while TMA or another CTA still needs its shared memory
///
/// Also fails if the kernel has operations that do not occur in schedules.
llvm::LogicalResult simulate(hopper::KernelOp kernel, const Launch &launch);

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_SIMULATOR_H
