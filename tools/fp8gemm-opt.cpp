// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tool.h"

#include "fp8gemm/InitAll.h"
#include "fp8gemm/Support/Files.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

#include <csignal>

/// As upstream's, but files are read and written as by the other tools: the output whole or not at all.
static mlir::LogicalResult run(llvm::StringRef input, llvm::StringRef output, mlir::DialectRegistry &registry,
                               const mlir::MlirOptMainConfig &config) {
  auto fail = [](llvm::Error error) {
    llvm::WithColor::error(llvm::errs(), "fp8gemm-opt") << llvm::toString(std::move(error)) << '\n';
    return mlir::failure();
  };
  if (llvm::Error error = fp8gemm::checkOutputFile(output))
    return fail(std::move(error));
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> source = fp8gemm::readText(input);
  if (!source)
    return fail(source.takeError());
  if (output == "-") { // in order with the diagnostics
    mlir::LogicalResult result = mlir::MlirOptMain(llvm::outs(), std::move(*source), registry, config);
    if (llvm::Error error = fp8gemm::writeFile(output, ""))
      return fail(std::move(error));
    return result;
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  if (mlir::failed(mlir::MlirOptMain(os, std::move(*source), registry, config)))
    return mlir::failure();
  if (llvm::Error error = fp8gemm::writeFile(output, text))
    return fail(std::move(error));
  return mlir::success();
}

static constexpr const char kExamples[] = R"(
EXAMPLES:
  fp8gemm-opt gemm.mlir --fp8gemm-select-config=gpu=h200-sxm   # - for standard input, -o FILE for the output
  fp8gemm-opt gemm.mlir --fp8gemm-select-config --convert-fp8gemm-to-hopper -o gemm.hopper.mlir
  fp8gemm-opt gemm.mlir --convert-fp8gemm-to-linalg            # what the product means
)";

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::OptionCategory category("fp8gemm-opt");
  fp8gemm::startTool(category);
  llvm::cl::extrahelp help(kExamples);
  std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error like a full disk
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry); // what programs hold beside products
  fp8gemm::registerAllDialects(registry);
  mlir::func::registerInlinerExtension(registry);
  fp8gemm::registerAllPasses();
  // Upstream's passes of the pipeline, to run its steps one by one.
  mlir::registerTransformsPasses();
  mlir::registerPass([] { return mlir::memref::createResolveRankedShapeTypeResultDimsPass(); });
  mlir::registerPass([] { return mlir::createSCFToControlFlowPass(); });
  mlir::registerPass([] { return mlir::createReconcileUnrealizedCastsPass(); });
  mlir::registerPass([] { return mlir::LLVM::createDIScopeForLLVMFuncOpPass(); });
  auto [input, output] = mlir::registerAndParseCLIOptions(argc, argv, "fp8gemm optimizer\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, input, output, registry));
  return mlir::asMainReturnCode(run(input, output, registry, config));
}
