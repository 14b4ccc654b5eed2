// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --plan and --explain as functions.

#ifndef FP8GEMM_DRIVER_ANSWERS_H
#define FP8GEMM_DRIVER_ANSWERS_H

#include "fp8gemm/Pack/Answer.h"
#include "fp8gemm/Pack/PackBuilder.h"

namespace fp8gemm {

/// The output of --plan for the first problem. Nothing is compiled.
llvm::Expected<std::string> planProblem(const PackProblems &problems, Answer form);

/// The output of --explain for the first problem, with that many rows and candidates; 0 candidates: all.
llvm::Expected<std::string> explainProblem(const PackProblems &problems, int64_t m, unsigned candidates, Answer form);

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_ANSWERS_H
