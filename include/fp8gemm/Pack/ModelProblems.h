// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems from the configuration of a model, as an engine splits and calls it.

#ifndef FP8GEMM_PACK_MODELPROBLEMS_H
#define FP8GEMM_PACK_MODELPROBLEMS_H

#include "fp8gemm/Pack/PackBuilder.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// How an engine splits and calls a model.
struct ModelOptions {
  enum class Engine { Vllm, Sglang };
  Engine engine = Engine::Vllm;
  int64_t tp = 1; ///< GPUs that attention and dense layers are split over
  int64_t ep = 1; ///< GPUs that experts are spread over; 1: each expert is split like the rest
  std::string gpu;
  int64_t maxM = kUsualMaxM; ///< rows that plans are modelled up to
  bool batchInvariant = false;
};

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

#endif // FP8GEMM_PACK_MODELPROBLEMS_H
