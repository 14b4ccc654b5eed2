// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The problems that a pack is asked for, as JSON. The format is told in docs/Runtime.md.

#ifndef FP8GEMM_PIPELINES_PACKPROBLEMS_H
#define FP8GEMM_PIPELINES_PACKPROBLEMS_H

#include "fp8gemm/Pipelines/Compile.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace fp8gemm {

struct PackProblem {
  std::string place; ///< "problems[3]", for messages
  GemmProblem problem;
  int64_t maxM = CompileOptions().maxM;
  bool batchInvariant = false;
};

struct PackProblems {
  std::string gpu;
  std::vector<PackProblem> problems;
};

/// Reads a file. The message of an error starts with it, and names the entry.
llvm::Expected<PackProblems> readPackProblems(llvm::StringRef path);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PACKPROBLEMS_H
