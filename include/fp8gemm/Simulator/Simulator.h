// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a kernel of the hopper dialect on the CPU, and says what is wrong with its schedule.

#ifndef FP8GEMM_SIMULATOR_SIMULATOR_H
#define FP8GEMM_SIMULATOR_SIMULATOR_H

#include "fp8gemm/Simulator/Watchdog.h"
#include "llvm/Support/LogicalResult.h"

#include <array>
#include <cstdint>
#include <vector>

namespace mlir::gpu {
class GPUFuncOp;
} // namespace mlir::gpu

namespace fp8gemm::simulator {

/// An operand in host memory, which stands for device memory. Extents and strides count in
/// elements, as those of a tensor map do: what TMA reads outside of them is zero, what it writes there is dropped.
struct Matrix {
  uint8_t *data = nullptr;
  int64_t bytes = 0; ///< any access outside of [data, data + bytes) is an error
  int64_t rows = 0, columns = 0, leadingDimension = 0;
  int64_t groups = 1, groupStride = 0;
};

/// Operations of all roles; of one role in a row that only compute; iterations of one loop.
constexpr int64_t kMostOperations = int64_t(1) << 30, kMostIdleOperations = int64_t(1) << 24,
                  kMostIterations = int64_t(1) << 24;

struct Launch {
  /// By hopper::Operand: a, b, sfa, sfb, c, d, none, groups, workspace. What the kernel has no parameter
  /// for may stay empty.
  std::array<Matrix, 9> operands;
  int64_t m = 0, k = 0; ///< of <extent_m of none> and <extent_k of none>
  int64_t clusters = 1; ///< the grid, in clusters
  /// Chooses an interleaving of roles, TMA, tensor core and CTAs of a cluster. Accesses that are not ordered
  /// by the schedule are errors in any of them.
  uint64_t seed = 1;
  /// A kernel that runs longer is taken to loop for ever, and so is a role that has done that much without an access
  /// to memory, a barrier or a ring.
  int64_t maxOperations = kMostOperations, maxIdleOperations = kMostIdleOperations;
  Watchdog *watchdog = nullptr; ///< if given, and its time is over, that is an error, too

  /// If given: for each element of D's memory how often it was written, at most 255. An element that is written
  /// again with other bits, or added to twice, is an error.
  std::vector<uint8_t> *writes = nullptr;
};

/// Simulates a kernel after hopper-complete-schedule, cluster by cluster. Shared memory and barriers are those
/// of the machine: phases, arrivals, bytes to come, swizzles, the registers of wgmma. The first fault ends it, as an
/// error at the operation that shows it:
///
/// - a wait that never ends, with all that wait and what for
/// - an access to shared memory that is not ordered behind the one before: a read before the data arrived, a write
/// before all have
///   read, a TMA store without a fence of the async proxy
/// - a read of what nobody has written, a product in flight that is read, a missing wgmma.fence
/// - an arrival too many, bytes that were not expected, a barrier that is left half arrived at
/// - an access outside an operand, an element of D that is written twice with other bits
/// - a loop whose step is not positive, or that has more than kMostIterations; too many operations, of which too many
///   in a row do nothing but compute; time that is over
/// - a CTA or role that ends while TMA or another CTA still needs its shared memory
///
/// Fails, too, where the kernel has operations that a schedule doesn't have.
llvm::LogicalResult simulate(mlir::gpu::GPUFuncOp kernel, const Launch &launch);

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_SIMULATOR_H
