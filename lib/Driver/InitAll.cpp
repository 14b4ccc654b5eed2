// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/InitAll.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Pipelines/Program.h"
#include "fp8gemm/Simulator/Passes.h"
#include "fp8gemm/Target/Passes.h"

void fp8gemm::registerAllDialects(mlir::DialectRegistry &registry) {
  registerDialects(registry);
  execution::registerCpuDialects(registry);
}

void fp8gemm::registerAllPasses() {
  registerFP8GemmPasses();
  hopper::registerHopperPasses();
  simulator::registerSimulatorPasses();
  registerFP8GemmConversionPasses();
  registerFP8GemmTargetPasses();
  registerPipelines();
  registerProgramPipeline();
  execution::registerCpuPipeline();
}
