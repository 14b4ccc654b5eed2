// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operation computes, as compiler and runtime call it.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_PROBLEM_H
#define FP8GEMM_DIALECT_FP8GEMM_IR_PROBLEM_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Operands.h"

namespace fp8gemm {

/// The fields of `op`; a dynamic M or K is -1.
format::Problem fieldsOf(ProductOpInterface op);

/// The same for any M, as a pack has it, whose plan serves them all; only where K is grouped there is one M.
format::Problem fieldsForAnyM(ProductOpInterface op);

/// Its operand; null if there is none, and for C that is D itself.
mlir::Value operandOf(ProductOpInterface op, const format::OperandRow &row);

/// The name of a type of elements, and the type of a name: f8E4M3FN is e4m3. Null of others.
const char *elementName(mlir::Type type);
mlir::Type elementNamed(mlir::MLIRContext *context, llvm::StringRef name);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_PROBLEM_H
