// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of epilogues as kernels have them, and the functions that problems can name.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
#define FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Operands.h"

namespace fp8gemm {

/// Of what an epilogue's operand has an element each; other extents are 1, or missing.
struct Broadcast {
  bool groups, rows, columns;
};
Broadcast broadcastOf(mlir::Value operand);

/// True if the epilogue adds up the sum and at most one row [N] and one matrix, C included, each of them once. Kernels load
/// this matrix as they do C. Of all other epilogues, the consumers load the operands from global memory.
bool addsBiasAndC(ProductOpInterface op);

/// That row; null if there is none.
mlir::Value rowOf(ProductOpInterface op);

/// C, or that matrix; null if there is none.
mlir::Value matrixOf(ProductOpInterface op);

/// A vector that problems may have, as the epilogue reads it; null if there is none.
mlir::Value vectorOf(ProductOpInterface op, const format::OperandRow &row);

/// Gives `op`, which has the vectors of a problem as its epilogue's operands, in the order of their table, the epilogue of
/// such problems.
void buildProblemEpilogue(mlir::OpBuilder &builder, ProductOpInterface op, format::Activation activation);

/// The activation, if D is what a problem can name: there is no epilogue, or that of buildProblemEpilogue.
std::optional<format::Activation> activationOf(ProductOpInterface op);

/// Gives `op` the prologue of such problems, and of a prologue the activation, likewise.
void buildProblemPrologue(mlir::OpBuilder &builder, QuantizeOp op, format::Activation activation);
std::optional<format::Activation> activationOf(QuantizeOp op);

/// Operands of an epilogue that a kernel has parameters for.
constexpr size_t kMostEpilogueOperands = 8;

/// Fails, with an error, for an epilogue that no kernel is built for.
llvm::LogicalResult checkEpilogueIsBuilt(ProductOpInterface op);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
