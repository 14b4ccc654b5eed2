// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Program.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace fp8gemm {

void buildProgramPipeline(OpPassManager &manager, const ProgramOptions &options) {
  execution::buildBufferizationPipeline(manager);
  bool compiles = options.pack.empty();
  if (compiles)
    buildFP8GemmToCubinPipeline(manager, options);
  manager.addPass(createConvertFP8GemmToRuntimePass(
      {options.pack, options.embedPack, !compiles && options.batchInvariant, options.memory}));
  execution::buildHostLoweringPipeline(manager);
}

void registerProgramPipeline() {
  PassPipelineRegistration<ProgramOptions>(
      "fp8gemm-to-llvm-host", "whole programs to the LLVM dialect of a CPU, in which products are calls of the runtime",
      buildProgramPipeline);
}

} // namespace fp8gemm
