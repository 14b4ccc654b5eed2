// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_SIMULATOR_PASSES_H
#define FP8GEMM_SIMULATOR_PASSES_H

#include "fp8gemm/Simulator/Simulator.h"
#include "mlir/Pass/Pass.h"

namespace fp8gemm::simulator {

#define GEN_PASS_DECL
#include "fp8gemm/Simulator/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "fp8gemm/Simulator/Passes.h.inc"

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_PASSES_H
