// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Pipelines.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Target/Passes.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace fp8gemm {

void buildConfigPipeline(OpPassManager &manager, const PipelineOptions &options) {
  manager.addPass(createSelectConfigPass(
      {options.gpu, options.expectedM, options.config, options.batchInvariant, options.explain}));
}

void buildHopperPipeline(OpPassManager &manager, const PipelineOptions &options) {
  manager.addPass(createConvertFP8GemmToHopperPass());
  if (options.lineinfo && !options.lineinfoFile.empty())
    manager.addPass(createLocationSnapshot({options.lineinfoFile, /*tag=*/""}));
}

void buildNVVMPipeline(OpPassManager &manager, const PipelineOptions &options) {
  OpPassManager &module = manager.nest<gpu::GPUModuleOp>();
  OpPassManager &kernel = module.nest<hopper::KernelOp>();
  hopper::buildCompleteSchedulePipeline(kernel);
  kernel.addPass(hopper::createCheckRingsPass());
  kernel.addPass(hopper::createCheckResourcesPass());
  module.addPass(createConvertHopperToNVVMPass({options.debugRings}));
  module.addNestedPass<LLVM::LLVMFuncOp>(createCheckKernelPass());
}

void buildLLVMPipeline(OpPassManager &manager, const PipelineOptions &options) {
  OpPassManager &module = manager.nest<gpu::GPUModuleOp>();
  module.addPass(createSCFToControlFlowPass());
  module.addPass(createConvertKernelsToLLVMPass());
  module.addPass(createCanonicalizerPass());
  module.addPass(createCSEPass());
  module.addPass(createReconcileUnrealizedCastsPass());
  if (options.lineinfo)
    manager.addPass(LLVM::createDIScopeForLLVMFuncOpPass({LLVM::DIEmissionKind::DebugDirectivesOnly}));
}

void buildLoweringPipeline(OpPassManager &manager, const PipelineOptions &options, llvm::StringRef last) {
  for (const LoweringStep &step : kLoweringSteps) {
    step.build(manager, options);
    if (last == step.level)
      break;
  }
}

void buildFP8GemmToCubinPipeline(OpPassManager &manager, const PipelineOptions &options) {
  buildLoweringPipeline(manager, options);
  manager.addPass(createSerializeKernelsPass({options.ptxas, options.chip, options.allowSpills, options.lineinfo}));
}

void registerPipelines() {
  for (const LoweringStep &step : kLoweringSteps)
    PassPipelineRegistration<PipelineOptions>(std::string("fp8gemm-to-") + step.level,
                                              std::string("lower any level to ") + step.level,
                                              [&step](OpPassManager &manager, const PipelineOptions &options) {
                                                buildLoweringPipeline(manager, options, step.level);
                                              });
  PassPipelineRegistration<>("hopper-complete-schedule", "unroll, and give ring accesses their positions",
                             hopper::buildCompleteSchedulePipeline);
  PassPipelineRegistration<PipelineOptions>("fp8gemm-to-cubin", "compile any level to kernel files",
                                            buildFP8GemmToCubinPipeline);
}

} // namespace fp8gemm
