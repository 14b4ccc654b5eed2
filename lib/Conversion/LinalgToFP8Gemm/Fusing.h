// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What comes before and after products: quantisation as an operation, and elementwise operations and quantisation of a
// product's result as parts of it. Remarks say what was fused, and why something similar was not.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/IR/Builders.h"

namespace fp8gemm::raising {

/// Linalg that divides blocks of 128 elements of a row by their largest magnitude and rounds them to FP8 → fp8gemm.quantize.
void raiseQuantizations(mlir::Operation *root);

/// Elementwise linalg on the result of fp8gemm.gemm → its epilogue; on both halves of its columns → a gated product.
void fuseEpilogues(mlir::Operation *root);

/// fp8gemm.quantize of the result of fp8gemm.gemm → a quantised product.
void fuseQuantizations(mlir::Operation *root);

/// An f32 as elements of that type have it, and back: the same rounding as that of a D of this type.
mlir::Value rounded(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value f32, mlir::Type element);
mlir::Value widened(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value);

/// The epilogue of `product`, in `body`, which has its arguments: D before it is rounded. C is `c` there, if it is an argument.
mlir::Value inlineEpilogue(mlir::OpBuilder &builder, GemmOp product, mlir::Block *body, mlir::Value c, unsigned firstOperand);

/// The name of an operation, for remarks.
std::string nameOf(mlir::Operation *op);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H
