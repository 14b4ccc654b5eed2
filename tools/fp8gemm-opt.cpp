// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Pipelines/Program.h"
#include "fp8gemm/Simulator/Passes.h"
#include "fp8gemm/Target/Passes.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  fp8gemm::registerDialects(registry);
  fp8gemm::execution::registerCpuDialects(registry);
  mlir::func::registerInlinerExtension(registry);
  fp8gemm::execution::registerCpuPipeline();
  fp8gemm::registerConvertFP8GemmToHopperPass();
  fp8gemm::registerConvertFP8GemmToRuntimePass();
  fp8gemm::registerConvertHopperToNVVMPass();
  fp8gemm::registerRaiseLinalgToFP8GemmPass();
  fp8gemm::hopper::registerHopperPasses();
  fp8gemm::simulator::registerSimulatorPasses();
  fp8gemm::registerPipelines();
  fp8gemm::registerProgramPipeline();
  fp8gemm::registerFP8GemmPasses();
  fp8gemm::registerFP8GemmTargetPasses();
  // Upstream's passes of the pipeline, to run its steps one by one.
  mlir::registerTransformsPasses();
  mlir::registerPass([] { return mlir::memref::createResolveRankedShapeTypeResultDimsPass(); });
  mlir::registerPass([] { return mlir::createSCFToControlFlowPass(); });
  mlir::registerPass([] { return mlir::createReconcileUnrealizedCastsPass(); });
  mlir::registerPass([] { return mlir::LLVM::createDIScopeForLLVMFuncOpPass(); });
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "fp8gemm optimizer\n", registry));
}
