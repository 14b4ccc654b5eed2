// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems from the configuration of a model, as an engine splits and calls it.

#ifndef FP8GEMM_PIPELINES_MODELPROBLEMS_H
#define FP8GEMM_PIPELINES_MODELPROBLEMS_H

#include "fp8gemm/Pipelines/Compile.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// A list of problems as --pack takes it ({"gpu": ..., "problems": [...]}), and the layer of each.
struct ModelProblems {
  llvm::json::Value list = nullptr;
  std::vector<std::string> layers;
};

/// The products of a checkpoint whose weights have a scale for each 128 x 128 block, from the text of its config.json.
/// Equal products of several layers are one. An error where a split leaves a layer that blocks don't divide: it names
/// the layer. Errors start with `name`.
llvm::Expected<ModelProblems> readModelProblems(llvm::StringRef config, llvm::StringRef name,
                                                const ModelOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_MODELPROBLEMS_H
