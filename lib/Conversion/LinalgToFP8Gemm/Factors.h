// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operand of a contraction is a product of.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace fp8gemm::raising {

/// A tensor, and which of its elements is used for element (d0, d1) of the operand: d0 counts rows of A or B, d1
/// counts K. The index of a dimension of size 1 is 0.
struct View {
  mlir::Value tensor;
  llvm::SmallVector<mlir::AffineExpr> at;

  mlir::RankedTensorType getType() const { return llvm::cast<mlir::RankedTensorType>(tensor.getType()); }
};

/// One factor, seen through one reshape after the other: the last view is the one nearest to where it comes from.
struct Factor {
  llvm::SmallVector<View> views;

  mlir::Type getElementType() const { return views.back().getType().getElementType(); }
  bool isF8() const { return llvm::isa<mlir::Float8E4M3FNType, mlir::Float8E5M2Type>(getElementType()); }
};

/// The factors of the elements of `operand` at (d0, d1) = `at`. What is neither a multiplication in f32, an extension
/// nor a change of shape is a factor as a whole.
llvm::SmallVector<Factor> factorsOf(mlir::Value operand, llvm::ArrayRef<mlir::AffineExpr> at);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FACTORS_H
