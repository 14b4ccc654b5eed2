// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fp8gemm-compile reports the choice of a schedule.

#ifndef FP8GEMM_DRIVER_EXPLAIN_H
#define FP8GEMM_DRIVER_EXPLAIN_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Driver/Compile.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace fp8gemm {

/// A product whose schedule is still to be chosen.
struct Question {
  ProductOpInterface op;
  std::string location;
  config::Problem problem;
};

std::vector<Question> openQuestions(mlir::ModuleOp module, const PipelineOptions &options);

/// Chooses the schedule of each question, as fp8gemm-select-config does, and returns those that it can be answered
/// with, at most so many of each; 0: all. Emits an error if the options are wrong or no schedule is legal.
llvm::FailureOr<std::string> explain(mlir::MLIRContext *context, std::vector<Question> &questions,
                                     const PipelineOptions &options, unsigned candidates, Answer form);

/// The columns of a table of configs: a field that has its usual value in all of them has none.
class ConfigColumns {
public:
  explicit ConfigColumns(llvm::ArrayRef<config::Config> configs);
  void printHead(llvm::raw_ostream &os) const;
  void print(llvm::raw_ostream &os, const config::Config &config) const;

private:
  llvm::SmallVector<config::Field> fields;
};

/// The attribute "config" of an object: every field.
void printConfig(llvm::json::OStream &json, const config::Config &config);

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_EXPLAIN_H
