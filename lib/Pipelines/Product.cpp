// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Product.h"

#include "Explain.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace fp8gemm {

const DialectRegistry &allDialects() {
  static const DialectRegistry all = [] {
    DialectRegistry dialects;
    registerDialects(dialects);
    return dialects;
  }();
  return all;
}

const DialectRegistry &allInputDialects() {
  static const DialectRegistry all = [] {
    DialectRegistry dialects;
    mlir::registerAllDialects(dialects);
    registerDialects(dialects);
    return dialects;
  }();
  return all;
}

ProductOptions::ProductOptions(const PackProblems &problems, const PackProblem &entry) {
  gpu = problems.gpu;
  batchInvariant = entry.batchInvariant;
}

Product::Product(const PackProblem &entry, const PipelineOptions &options)
    : context(allDialects(), MLIRContext::Threading::DISABLED),
      diagnostics(&context, [this](Diagnostic &diagnostic) { keep(diagnostic); }), pipeline(options) {
  context.printOpOnDiagnostic(false);
  module = buildModule(context, entry.problem, "<command line>");
}

void Product::keep(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    errors += (errors.empty() ? "" : "\n") + diagnostic.str();
}

config::Problem Product::question() { return openQuestions(*module, pipeline).front().problem; }

void Product::choose(const config::Config &config) {
  module->walk([&](ProductOpInterface op) { op.setConfigAttr(attrOf(&context, config)); });
}

std::string Product::source() {
  std::string text = pipeline.allowSpills ? "// allow spills\n" : "";
  if (pipeline.debugRings)
    text += "// debug rings, " + std::to_string(pipeline.debugRings.getValue()) + " ms\n";
  llvm::raw_string_ostream os(text);
  module->print(os);
  return text;
}

LogicalResult Product::lower(Emit level) {
  PassManager manager(&context);
  buildConfigPipeline(manager, pipeline);
  if (level >= Emit::Hopper)
    buildHopperPipeline(manager, pipeline);
  return manager.run(*module);
}

FailureOr<target::Kernel> Product::compile() {
  FailureOr<std::vector<target::Kernel>> kernels = compileInPlace(*module, pipeline);
  if (failed(kernels))
    return failure();
  if (kernels->size() != 1)
    return module->emitError("expected one kernel for a product, got ") << kernels->size();
  return std::move(kernels->front());
}

} // namespace fp8gemm
