// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Connects operations and lib/Config, which does not use MLIR.

#ifndef FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H
#define FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

namespace fp8gemm {

/// Modelled length of a group's reduction if the sum of the lengths is not known: tokens of one expert.
constexpr int64_t kExpectedGroupK = 4096;

/// The problem of `op` for lib/Config. A dynamic K of groups counts as kExpectedGroupK for each.
config::Problem problemOf(ProductOpInterface op);

/// Config's fields are the attribute's parameters, in the same order.
ConfigAttr attrOf(mlir::MLIRContext *context, const config::Config &config);
config::Config configOf(ConfigAttr attr);

/// The options of fp8gemm-select-config, checked.
class Selection {
public:
  /// Sets them; returns what is wrong with them, or nothing.
  std::string set(llvm::StringRef gpu, int64_t expectedM, llvm::StringRef config, bool batchInvariant);
  /// Chooses the config of `op` and sets it. Emits an error if none is legal.
  llvm::FailureOr<config::Choice> select(ProductOpInterface op) const;

  const config::Gpu *gpu = nullptr;
  int64_t expectedM = 0; ///< rows to model for a dynamic M
  config::Config given;  ///< fields that may not be chosen

private:
  bool batchInvariant = false;
};

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H
