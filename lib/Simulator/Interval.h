// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a function of scalars may give, of numbers that are known within bounds: the errors that docs/Numerics.md allows.

#ifndef FP8GEMM_LIB_SIMULATOR_INTERVAL_H
#define FP8GEMM_LIB_SIMULATOR_INTERVAL_H

#include "mlir/IR/Operation.h"

#include <functional>
#include <limits>

namespace fp8gemm::simulator {

/// Numbers from `low` to `high`; of any if one of them is infinite or NaN.
struct Interval {
  double low = 0, high = 0;

  static Interval any() { return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()}; }
  bool isBounded() const;
  /// Further out by `relative` of the bounds, and `absolute`.
  Interval widened(double relative, double absolute) const;
};

/// Evaluates a block of arith and math on f32, and on the results of comparisons, by intervals.
class IntervalFunction {
public:
  explicit IntervalFunction(mlir::Block &body) : body(body) {}
  /// The operand of the terminator. What can't be bounded is any number.
  Interval operator()(llvm::ArrayRef<Interval> arguments) const;

private:
  mlir::Block &body;
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_INTERVAL_H
