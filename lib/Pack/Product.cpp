// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pack/Product.h"

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace fp8gemm {

ProductOptions::ProductOptions(const PackProblems &problems, const PackProblem &entry) {
  gpu = problems.gpu;
  batchInvariant = entry.problem.batchInvariant;
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

config::Problem Product::question() {
  config::Problem problem;
  module->walk([&](ProductOpInterface op) { problem = problemOf(op); });
  problem.batchInvariant = pipeline.batchInvariant;
  return problem;
}

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

LogicalResult Product::lower(llvm::StringRef level) {
  PassManager manager(&context);
  buildLoweringPipeline(manager, pipeline, level);
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
