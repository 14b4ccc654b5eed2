// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an element of a tensor is computed from, through elementwise operations and changes of shape.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_SCALARS_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_SCALARS_H

#include "Factors.h"

#include "llvm/ADT/SetVector.h"

namespace fp8gemm::raising {

/// Whether `op` computes each element of its one result from elements of its inputs, and of nothing else.
bool isElementwise(mlir::linalg::LinalgOp op);

/// A constant, also one that is converted to another type of floating-point numbers.
std::optional<llvm::APFloat> constantOf(mlir::Value value);

/// A value in the body of `op`, where its loops have the indices `at`; or an element of a tensor that no elementwise
/// operation computes, which has no `op`.
struct Scalar {
  mlir::Value value{};
  mlir::linalg::LinalgOp op{};
  Coordinates at{};
  llvm::SmallVector<View> views{}; ///< the tensors of which it is an element, on the way here

  template <typename Op> Op definedBy() const { return op ? value.getDefiningOp<Op>() : Op(); }
  /// The first of its tensors of which it is the element `at`; null if there is none.
  mlir::Value tensorAt(llvm::ArrayRef<mlir::AffineExpr> at) const;
  bool isSameElement(const Scalar &other) const;
};

/// Follows scalars to where they come from. Coordinates are functions of two dimensions, the row and the column of what
/// is computed in the end.
class Scalars {
public:
  Scalar elementOf(mlir::Value tensor, Coordinates at);
  /// `value` in the body of `scalar`, which may be one of its arguments.
  Scalar operand(const Scalar &scalar, mlir::Value value);

  llvm::SetVector<mlir::Operation *> visited; ///< what computes them, and changes their shapes
};

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_SCALARS_H
