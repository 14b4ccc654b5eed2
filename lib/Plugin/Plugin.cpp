// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialects and passes for stock tools: mlir-opt --load-dialect-plugin=... --load-pass-plugin=...

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/BufferizableOpInterfaceImpl.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Pipelines/Program.h"
#include "fp8gemm/Target/Passes.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Compiler.h"

using namespace mlir;

// Passes of upstream are the tool's own.
static void registerOurPasses() {
  fp8gemm::registerFP8GemmPasses();
  fp8gemm::registerFP8GemmConversionPasses();
  fp8gemm::hopper::registerHopperPasses();
  fp8gemm::registerFP8GemmTargetPasses();
  fp8gemm::registerPipelines();
  fp8gemm::registerProgramPipeline();
}

static void registerOurDialects(DialectRegistry *registry) {
  fp8gemm::registerDialects(*registry);
  fp8gemm::registerBufferizableOpInterfaceExternalModels(*registry);
}

extern "C" {

LLVM_ATTRIBUTE_VISIBILITY_DEFAULT DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "fp8gemm", LLVM_VERSION_STRING, registerOurDialects};
}

LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "fp8gemm", LLVM_VERSION_STRING, registerOurPasses};
}

} // extern "C"
