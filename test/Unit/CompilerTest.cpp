// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as C++ functions: what comes out, what is said to diagnostic handlers, and that nothing else happens.

#include "fp8gemm/Pipelines/Compiler.h"
#include "fp8gemm/InitAll.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace fp8gemm;
using mlir::failed;

namespace {

constexpr const char *kTwoProducts = R"(
  func.func @first(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<264x256xf8E4M3FN>,
                   %sfb: memref<3x2xf32>, %d: memref<?x264xbf16>) {
    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<264x256xf8E4M3FN>, memref<3x2xf32>, memref<?x264xbf16>
    return
  }
  func.func @second(%a: memref<16x512xf8E4M3FN>, %sfa: memref<4x16xf32>, %b: memref<128x512xf8E4M3FN>,
                    %sfb: memref<1x4xf32>, %d: memref<16x128xbf16>) {
    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<16x512xf8E4M3FN>, memref<4x16xf32>, memref<128x512xf8E4M3FN>, memref<1x4xf32>, memref<16x128xbf16>
    return
  })";

/// A context whose diagnostics are kept. Nothing may come out on stderr or stdout.
class Compiler : public testing::Test {
protected:
  void SetUp() override {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
  }
  void TearDown() override {
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(const char *text) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }

  std::string print(mlir::ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream os(text);
    module.print(os);
    return text;
  }

  mlir::MLIRContext context; // as it comes: nothing is registered
  std::string said;
  mlir::ScopedDiagnosticHandler keep{&context, [this](mlir::Diagnostic &diagnostic) {
                                       llvm::raw_string_ostream os(said);
                                       os << diagnostic.getLocation() << ": " << diagnostic.str() << '\n';
                                     }};
};

format::Problem gemm(int64_t n, int64_t k) {
  format::Problem problem;
  problem.n = n, problem.k = k;
  return problem;
}

TEST_F(Compiler, CompilesProblemInAnyContext) {
  auto kernel = compile(context, gemm(264, 256));
  ASSERT_FALSE(failed(kernel)) << said;
  EXPECT_EQ(kernel->cubin.bytes.substr(1, 3), "ELF");
  EXPECT_FALSE(kernel->manifest.empty());
  EXPECT_EQ(kernel->file.compare(0, kernel->cubin.bytes.size(), kernel->cubin.bytes), 0);
  EXPECT_GT(kernel->cubin.usage.registers, 0);
  EXPECT_EQ(said, "");
}

TEST_F(Compiler, CompilesEachProductAndKeepsModule) {
  auto module = parse(kTwoProducts);
  std::string before = print(*module);
  auto kernels = compile(*module);
  ASSERT_FALSE(failed(kernels)) << said;
  ASSERT_EQ(kernels->size(), 2u);
  EXPECT_NE((*kernels)[0].name.find("n264_k256"), std::string::npos);
  EXPECT_NE((*kernels)[1].name.find("n128_k512"), std::string::npos);
  EXPECT_EQ(print(*module), before);
  // The first is a problem, too.
  auto alone = compile(context, gemm(264, 256));
  ASSERT_FALSE(failed(alone));
  EXPECT_EQ(alone->file, kernels->front().file);
}

TEST_F(Compiler, NamedPipelinesAreTheSame) {
  registerAllPasses();
  registerAllPasses();
  auto module = parse(kTwoProducts);
  auto kernels = compile(*module);
  ASSERT_FALSE(failed(kernels)) << said;
  for (const char *pipelines :
       {"builtin.module(fp8gemm-to-cubin{gpu=h100-sxm})",
        "builtin.module(fp8gemm-to-config,fp8gemm-to-hopper,fp8gemm-to-nvvm,fp8gemm-to-cubin)"}) {
    mlir::OwningOpRef<mlir::ModuleOp> copy = module->clone();
    mlir::PassManager manager(&context, mlir::ModuleOp::getOperationName());
    ASSERT_TRUE(succeeded(mlir::parsePassPipeline(pipelines, manager)));
    ASSERT_TRUE(succeeded(manager.run(*copy))) << said;
    auto compiled = compile(*copy); // at its last level there is nothing left to do
    ASSERT_FALSE(failed(compiled)) << said;
    ASSERT_EQ(compiled->size(), 2u);
    for (size_t i : {0, 1})
      EXPECT_EQ((*compiled)[i].file, (*kernels)[i].file);
  }
}

TEST_F(Compiler, OptionsCount) {
  PipelineOptions options;
  options.config = "tile_m = 64, tile_n = 64, stages = 3, consumers = 1";
  auto kernel = compile(context, gemm(264, 256), options);
  ASSERT_FALSE(failed(kernel)) << said;
  EXPECT_NE(kernel->name.find("tile64x64_stages3"), std::string::npos) << kernel->name;
}

TEST_F(Compiler, SaysErrorsToHandlers) {
  EXPECT_TRUE(failed(compile(context, gemm(264, 40))));
  EXPECT_NE(said.find("<problem>"), std::string::npos) << said;
  EXPECT_NE(said.find("expected K to be a positive multiple of 16, got 40"), std::string::npos) << said;

  said.clear();
  PipelineOptions options;
  options.gpu = "h9000";
  EXPECT_TRUE(failed(compile(context, gemm(264, 256), options)));
  EXPECT_NE(said.find("h9000"), std::string::npos) << said;

  said.clear();
  PipelineOptions noPtxas;
  noPtxas.ptxas = "/none/ptxas";
  EXPECT_TRUE(failed(compile(context, gemm(264, 256), noPtxas)));
  EXPECT_NE(said.find("expected the path of ptxas, got '/none/ptxas'"), std::string::npos) << said;

  said.clear();
  auto module = parse("func.func @nothing() { return }");
  EXPECT_TRUE(failed(compile(*module)));
  EXPECT_NE(said.find("expected a module with a product of fp8gemm or a kernel, got none"), std::string::npos) << said;
}

} // namespace
