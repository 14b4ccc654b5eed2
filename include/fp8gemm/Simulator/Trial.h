// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel tried out in the simulator: random operands, and float64 to compare with.

#ifndef FP8GEMM_SIMULATOR_TRIAL_H
#define FP8GEMM_SIMULATOR_TRIAL_H

#include "fp8gemm/Simulator/Simulator.h"

#include <cstdint>
#include <vector>

namespace mlir::gpu {
class GPUFuncOp;
} // namespace mlir::gpu

namespace fp8gemm::simulator {

struct TrialOptions {
  /// Rows of A, of each group where each has its own, for a kernel of any M; else the kernel's own count.
  int64_t m = 0;
  /// Of groups of rows: how many rows each has (row_end, row_count). Of groups of K: each one's K, a multiple of 16.
  /// Empty: drawn from the seed.
  std::vector<int64_t> groupSizes;
  /// Of row_index: the group of each row, or -1. Empty: drawn from the seed.
  std::vector<int32_t> rowIndex;
  int64_t padBytes = 0;                    ///< between rows, a multiple of 16
  int64_t clusters = 0;                    ///< the grid of a persistent kernel; 0: drawn from the seed
  uint64_t seed = 1;                       ///< of operands and interleaving
  int64_t maxOperations = kMostOperations; ///< after which a kernel is taken to run for ever
  Watchdog *watchdog = nullptr;            ///< also for operands and the comparison
};

struct TrialResult {
  int64_t m = 0, k = 0, clusters = 0; ///< as drawn
  std::vector<int32_t> groups;        ///< the description, as the kernel reads it
  int64_t elements = 0;               ///< of D that were compared
  int64_t untouched = 0;              ///< of D's memory that are nobody's, and kept what they held
  double worst = 0;                   ///< largest error / bound; at most 1
};

/// Simulates a kernel with a hopper.problem after hopper-complete-schedule (see simulate()). Operands are random
/// numbers with random scales; what lies around and between them is NaN. Every element of D must be within the oracle's
/// bound of docs/Numerics.md of the exact result, since the simulator adds up in f32, and what is of nobody must keep
/// its bits. Emits an error otherwise.
llvm::FailureOr<TrialResult> runTrial(mlir::gpu::GPUFuncOp kernel, const TrialOptions &options);

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_TRIAL_H
