// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Compiler.h"

#include "fp8gemm/Target/Target.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace fp8gemm {

using target::Kernel;

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

FailureOr<std::vector<Kernel>> compileInPlace(ModuleOp module, const PipelineOptions &options) {
  MLIRContext &context = *module.getContext();
  context.appendDialectRegistry(allDialects());
  PassManager manager(&context);
  buildLoweringPipeline(manager, options);
  if (failed(manager.run(module)))
    return failure();

  target::SerializeOptions serialize{options.ptxas, options.chip, options.allowSpills, options.lineinfo};
  std::vector<Kernel> kernels;
  for (Operation &op : *module.getBody()) {
    FailureOr<Kernel> kernel;
    if (auto source = dyn_cast<gpu::GPUModuleOp>(op))
      kernel = target::serialize(source, serialize);
    else if (auto binary = dyn_cast<gpu::BinaryOp>(op))
      kernel = target::readKernel(binary);
    else
      continue;
    if (failed(kernel))
      return failure();
    kernels.push_back(std::move(*kernel));
  }
  if (kernels.empty())
    return module.emitError("expected a module with a product of fp8gemm or a kernel, got none");
  return kernels;
}

FailureOr<std::vector<Kernel>> compile(ModuleOp module, const PipelineOptions &options) {
  OwningOpRef<ModuleOp> copy = module.clone();
  return compileInPlace(*copy, options);
}

FailureOr<Kernel> compile(MLIRContext &context, const format::Problem &problem, const PipelineOptions &options) {
  OwningOpRef<ModuleOp> module = buildModule(context, problem);
  if (!module)
    return failure();
  FailureOr<std::vector<Kernel>> kernels = compileInPlace(*module, options);
  if (failed(kernels))
    return failure();
  return std::move(kernels->front());
}

} // namespace fp8gemm
