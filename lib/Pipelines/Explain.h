// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fp8gemm-compile tells of the choice of a schedule.

#ifndef FP8GEMM_PIPELINES_EXPLAIN_H
#define FP8GEMM_PIPELINES_EXPLAIN_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Pipelines/Compile.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// A product whose schedule is still to be chosen.
struct Question {
  std::string location;
  config::Problem problem;
};

std::vector<Question> openQuestions(mlir::ModuleOp module);

/// The schedules that each question can be answered with. The options must be those
/// that fp8gemm-select-config has accepted.
std::string explain(const std::vector<Question> &questions, const CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_EXPLAIN_H
