// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values are the same in all threads of a CTA, before the roles start.

#ifndef FP8GEMM_LIB_DIALECT_HOPPER_IR_UNIFORMVALUES_H
#define FP8GEMM_LIB_DIALECT_HOPPER_IR_UNIFORMVALUES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseSet.h"

namespace fp8gemm::hopper {

/// Remembers what it has found. A value is the same in all threads if it is a function's argument, a constant, what
/// identifies the CTA and its cluster, a ring, or arithmetic, a view or a load whose operands are all the same.
class UniformValues {
public:
  /// Of the values that `value` is computed from, itself included, one that may differ; null if there is none.
  mlir::Value findDiffering(mlir::Value value);

private:
  llvm::DenseSet<mlir::Value> known;
};

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_DIALECT_HOPPER_IR_UNIFORMVALUES_H
