// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of epilogues as kernels have them.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
#define FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Operands.h"

namespace fp8gemm {

/// The row [N] that the epilogue reads; null if there is none.
mlir::Value rowOf(ProductOpInterface op);

/// C, or the matrix [M, N] that the epilogue reads; null if there is none.
mlir::Value matrixOf(ProductOpInterface op);

/// A vector that problems may have, as the epilogue reads it; null if there is none.
mlir::Value vectorOf(ProductOpInterface op, const format::OperandRow &row);

/// Gives `op`, which has the vectors of a problem as its epilogue's operands, the epilogue of such problems: the sum,
/// and then the bias.
void buildProblemEpilogue(mlir::OpBuilder &builder, ProductOpInterface op);

/// True if D is what a problem can name: there is no epilogue, or that of buildProblemEpilogue.
bool isProblemEpilogue(ProductOpInterface op);

/// Fails, with an error, for an epilogue that no kernel is built for: those that are built add each argument once, at
/// most one row and one matrix.
llvm::LogicalResult checkEpilogueIsBuilt(ProductOpInterface op);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
