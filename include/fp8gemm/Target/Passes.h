// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_TARGET_PASSES_H
#define FP8GEMM_TARGET_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace fp8gemm {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "fp8gemm/Target/Passes.h.inc"

} // namespace fp8gemm

#endif // FP8GEMM_TARGET_PASSES_H
