// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of epilogues as kernels have them.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
#define FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

namespace fp8gemm {

/// The row [N] that the epilogue reads; null if there is none.
mlir::Value rowOf(ProductOpInterface op);

/// C, or the matrix [M, N] that the epilogue reads; null if there is none.
mlir::Value matrixOf(ProductOpInterface op);

/// True if the epilogue adds a row [N] to the sum and nothing else, which is what a problem with a bias is.
bool addsRowLast(ProductOpInterface op);

/// Fails, with an error, for an epilogue that no kernel is built for: those that are built add each argument once, at
/// most one row and one matrix.
llvm::LogicalResult checkEpilogueIsBuilt(ProductOpInterface op);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_EPILOGUE_H
