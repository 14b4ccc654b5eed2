// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The factors of the products that a contraction sums.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace fp8gemm::raising {

/// The dimensions of indices: a row of A, a row of B, an element of K, a product of a batch.
enum Loop : unsigned { kRowOfA, kRowOfB, kColumn, kGroup, kLoops };

using Coordinates = llvm::SmallVector<mlir::AffineExpr>;

/// Elements of 8 bits that may be those of a matrix; the operation takes two of these types. f8E8M0FNU is for scales.
bool isF8(mlir::Type element);

/// A tensor, and which of its elements is used, as a function of the loops. The index of a dimension of size 1 is 0.
struct View {
  mlir::Value tensor;
  Coordinates at;
  bool isCut = false; ///< the tensor may have more elements than are used: a slice of it is taken

  mlir::RankedTensorType getType() const { return llvm::cast<mlir::RankedTensorType>(tensor.getType()); }
  llvm::ArrayRef<int64_t> getShape() const { return getType().getShape(); }
};

/// One factor, seen through one reshape after the other: the last view is the one nearest to where it comes from.
struct Factor {
  llvm::SmallVector<View> views;
  Coordinates inContraction; ///< its index in the contraction's operand
  mlir::Value obstacle{};    ///< an operation that is not a product, and hides its operands

  mlir::Type getElementType() const { return views.back().getType().getElementType(); }
  bool isF8() const { return raising::isF8(getElementType()); }
};

/// The factors of `scalars`, values in the body of `op`, whose loops have the indices `loops`. What is neither a
/// multiplication in f32, an extension nor a change of shape is a factor as a whole; in the body of `op` it is the
/// `obstacle` of a failure.
mlir::FailureOr<llvm::SmallVector<Factor>> factorsOf(mlir::linalg::LinalgOp op, llvm::ArrayRef<mlir::Value> scalars,
                                                     llvm::ArrayRef<mlir::AffineExpr> loops, mlir::Value &obstacle);

/// The source of a change of shape, or of a slice from the start, that the view's tensor is; nothing of others.
std::optional<View> throughReshape(const View &view);

/// The indices of a group of dimensions that together are the dimension with index `at`. Null unless all sizes but the
/// first are known.
std::optional<Coordinates> delinearize(mlir::AffineExpr at, llvm::ArrayRef<int64_t> sizes);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H
