// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace fp8gemm::hopper {

#define GEN_PASS_DECL
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
/// The passes that complete a schedule as it was written, in their order: afterwards hopper IR shows what runs,
/// and is ready for hopper-check-rings, hopper-simulate and convert-hopper-to-nvvm. `kernel` is of hopper.kernel.
void buildCompleteSchedulePipeline(mlir::OpPassManager &kernel);

#define GEN_PASS_REGISTRATION
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_H
