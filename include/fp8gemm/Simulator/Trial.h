// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A trial of a kernel in the simulator: random operands, and a comparison with float64.

#ifndef FP8GEMM_SIMULATOR_TRIAL_H
#define FP8GEMM_SIMULATOR_TRIAL_H

#include "fp8gemm/Simulator/Simulator.h"

#include <cstdint>
#include <vector>

namespace fp8gemm::hopper {
class KernelOp;
} // namespace fp8gemm::hopper

namespace fp8gemm::simulator {

struct TrialOptions {
  /// Rows of A, or of each group if groups have their own rows, for a kernel of any M; otherwise the kernel's M.
  int64_t m = 0;
  /// For groups of rows, the rows of each (row_end, row_count); for groups of K, the K of each, a multiple of 16.
  /// Empty: drawn from the seed.
  std::vector<int64_t> groupSizes;
  /// For row_index: the group of each row, or -1. Empty: drawn from the seed.
  std::vector<int32_t> rowIndex;
  int64_t padBytes = 0;                    ///< between rows, a multiple of 16
  int64_t clusters = 0;                    ///< the grid of a persistent kernel; 0: drawn from the seed
  uint64_t seed = 1;                       ///< of operands and interleaving
  int64_t maxOperations = kMostOperations; ///< after which a kernel is assumed to run forever
  Watchdog *watchdog = nullptr;            ///< also for operands and the comparison
};

struct TrialResult {
  int64_t m = 0, k = 0, clusters = 0; ///< as drawn
  std::vector<int32_t> groups;        ///< the description, as the kernel reads it
  int64_t elements = 0;               ///< compared elements of D
  int64_t untouched = 0;              ///< padding elements of D's memory, which kept their contents
  int64_t unbounded = 0;              ///< of these, elements that the epilogue's errors leave any value
  double worst = 0;                   ///< largest error / bound; at most 1
};

/// Simulates a kernel with a `problem` after hopper-complete-schedule (see simulate()). Operands are random
/// numbers with random scales, with NaN around and between them. Every element of D must be within the oracle's
/// bound of docs/Numerics.md of the exact result, since the simulator sums in f32, and padding elements must keep
/// their bits. Emits an error otherwise.
llvm::FailureOr<TrialResult> runTrial(hopper::KernelOp kernel, const TrialOptions &options);

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_TRIAL_H
