// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_CONVERSION_PASSES_H
#define FP8GEMM_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace fp8gemm {
#define GEN_PASS_DECL
#include "fp8gemm/Conversion/Passes.h.inc"
/// Lets #fp8gemm.config be the config of a hopper.kernel: the dialects don't know each other.
void registerConfigInterface(mlir::DialectRegistry &registry);

#define GEN_PASS_REGISTRATION
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

#endif // FP8GEMM_CONVERSION_PASSES_H
