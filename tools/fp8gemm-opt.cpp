// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tool.h"

#include "fp8gemm/InitAll.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

static constexpr const char kExamples[] = R"(
EXAMPLES:
  fp8gemm-opt gemm.mlir --fp8gemm-select-config=gpu=h200-sxm   # - for standard input, -o FILE for the output
  fp8gemm-opt gemm.mlir --fp8gemm-select-config --convert-fp8gemm-to-hopper -o gemm.hopper.mlir
  fp8gemm-opt gemm.mlir --convert-fp8gemm-to-linalg            # what the product means
)";

int main(int argc, char **argv) {
  llvm::cl::OptionCategory category("fp8gemm-opt");
  fp8gemm::startTool(category);
  llvm::cl::extrahelp help(kExamples);
  mlir::DialectRegistry registry;
  fp8gemm::registerAllDialects(registry);
  mlir::func::registerInlinerExtension(registry);
  fp8gemm::registerAllPasses();
  // Upstream's passes of the pipeline, to run its steps one by one.
  mlir::registerTransformsPasses();
  mlir::registerPass([] { return mlir::memref::createResolveRankedShapeTypeResultDimsPass(); });
  mlir::registerPass([] { return mlir::createSCFToControlFlowPass(); });
  mlir::registerPass([] { return mlir::createReconcileUnrealizedCastsPass(); });
  mlir::registerPass([] { return mlir::LLVM::createDIScopeForLLVMFuncOpPass(); });
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "fp8gemm optimizer\n", registry));
}
