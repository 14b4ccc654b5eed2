// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace fp8gemm::hopper {

#define GEN_PASS_DECL
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H
