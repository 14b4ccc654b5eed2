// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of scalars: operations of arith and math, and blocks of them.

#ifndef FP8GEMM_LIB_SIMULATOR_SCALAR_H
#define FP8GEMM_LIB_SIMULATOR_SCALAR_H

#include "mlir/IR/Operation.h"

#include <functional>

namespace fp8gemm::simulator {

/// A result from operands that are floating-point numbers, before it is rounded to its type; exact or to double's precision.
using RealFunction = double (*)(llvm::ArrayRef<double> x);

/// Null for an operation that is none, or is not simulated.
RealFunction realFunctionOf(mlir::Operation *op);

/// IEEE 754-2019: NaN if one is NaN, and -0 is less than +0.
float maximum(float x, float y);

/// What a block of such operations, and of ones on integers, computes of its f32 arguments: the operand of its
/// terminator.
class ScalarFunction {
public:
  explicit ScalarFunction(mlir::Block &body);
  /// An operation that is not simulated; null if there is none.
  mlir::Operation *unknown() const { return unknownOp; }
  float operator()(llvm::ArrayRef<float> arguments);

private:
  /// A number: the bits of one of a floating-point type, or an integer without its sign.
  using Bits = uint64_t;
  struct Step {
    std::function<Bits(llvm::ArrayRef<Bits>)> compute;
    llvm::SmallVector<unsigned, 3> operands;
    unsigned result;
  };

  static std::function<Bits(llvm::ArrayRef<Bits>)> stepOf(mlir::Operation *op);

  llvm::SmallVector<Step> steps;
  llvm::SmallVector<Bits> values;
  unsigned yielded = 0;
  mlir::Operation *unknownOp = nullptr;
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_SCALAR_H
