// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares what a kernel left in memory with the exact result.

#ifndef FP8GEMM_LIB_SIMULATOR_TRIALCHECK_H
#define FP8GEMM_LIB_SIMULATOR_TRIALCHECK_H

#include "Interval.h"
#include "TrialProblem.h"

namespace fp8gemm::simulator {

/// Of one trial; an error at `kernel` where D is not what it should be, or bits change that are not D's.
struct Checker {
  hopper::KernelOp kernel;
  TrialProblem &trial;
  const std::vector<uint8_t> &writes;
  TrialResult &result;
  Watchdog *watchdog;
  std::vector<uint8_t> isOwned; ///< of each element of D's memory, as `writes`

  llvm::LogicalResult checkProduct(const GroupProduct &product);
  /// What the function may make of these sums in D[row, column].
  Interval bounds(const GroupProduct &product, int64_t row, int64_t column, llvm::SmallVector<Interval, 2> sums);
  /// A block of 128 columns of a quantised D, of elements that are known within `exact`.
  llvm::LogicalResult checkQuantised(const GroupProduct &product, int64_t row, int64_t block,
                                     llvm::ArrayRef<Interval> exact);
  llvm::LogicalResult checkRest();
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_TRIALCHECK_H
