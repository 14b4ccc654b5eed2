// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between operations and lib/Config, which knows no MLIR.

#ifndef FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H
#define FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

namespace fp8gemm {

/// Length of a group's reduction to model where the sum of them is not known: tokens of one expert.
constexpr int64_t kExpectedGroupK = 4096;

/// What lib/Config is asked for `op`. A dynamic K of groups is kExpectedGroupK for each.
config::Problem problemOf(ProductOpInterface op);

config::Grouping groupingOf(ProductOpInterface op);

/// Config's fields are the attribute's parameters, in the same order.
ConfigAttr attrOf(mlir::MLIRContext *context, const config::Config &config);
config::Config configOf(ConfigAttr attr);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_SELECTCONFIG_H
