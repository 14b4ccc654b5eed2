// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_PIPELINES_PROBLEM_H
#define FP8GEMM_PIPELINES_PROBLEM_H

#include "fp8gemm/Pipelines/Compile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace fp8gemm {

/// A module with one function that holds the product; null, and an error, where
/// the problem breaks a rule of its operation.
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext &context, const GemmProblem &problem);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PROBLEM_H
