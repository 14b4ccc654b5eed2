// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Target/Passes.h"
#include "fp8gemm/Target/Target.h"

#include "KernelFile.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <chrono>

using namespace mlir;

namespace fp8gemm {

#define GEN_PASS_DEF_SERIALIZEKERNELSPASS
#include "fp8gemm/Target/Passes.h.inc"

namespace target {

namespace {

/// Runs `work` and adds its wall time to `seconds`.
template <typename Work> auto timed(double &seconds, Work work) {
  auto begin = std::chrono::steady_clock::now();
  auto result = work();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

/// Properties that make a kernel slow but not wrong: errors unless allowed, as in a debug build.
LogicalResult checkUsage(LLVM::LLVMFuncOp kernel, const ResourceUsage &usage, bool allowed) {
  for (const std::string &warning : usage.warnings)
    kernel.emitWarning(warning);
  SmallVector<std::string> problems(usage.performance.begin(), usage.performance.end());
  if (usage.spillBytes() != 0)
    problems.push_back("expected no register spills, got " + std::to_string(usage.spillStoreBytes) +
                       " bytes of stores and " + std::to_string(usage.spillLoadBytes) + " bytes of loads per thread");
  if (usage.stackBytes != 0)
    problems.push_back("expected no local memory, got " + std::to_string(usage.stackBytes) + " bytes per thread");
  for (const std::string &problem : problems) {
    if (allowed)
      kernel.emitWarning("ptxas: ") << problem;
    else
      kernel.emitError("ptxas: ") << problem << " (allow-spills accepts it)";
  }
  return success(allowed || problems.empty());
}

} // namespace

FailureOr<Kernel> translate(gpu::GPUModuleOp module, const SerializeOptions &options) {
  FailureOr<LLVM::LLVMFuncOp> func = findKernel(module);
  if (failed(func))
    return failure();
  Kernel kernel;
  kernel.name = func->getName().str();
  FailureOr<std::string> ptx = timed(kernel.llvmSeconds, [&] { return translateToPtx(module, options.chip); });
  if (failed(ptx))
    return failure();
  kernel.ptx = std::move(*ptx);
  return kernel;
}

FailureOr<Kernel> serialize(gpu::GPUModuleOp module, const SerializeOptions &options) {
  FailureOr<Kernel> kernel = translate(module, options);
  if (failed(kernel))
    return failure();
  LLVM::LLVMFuncOp func = *findKernel(module);
  hopper::EntryOp entry = hopper::EntryOp::of(func);
  if (!entry)
    return func.emitError("expected a kernel with one hopper.entry in its module, got none or several");
  PtxasOptions ptxas{options.ptxas, options.chip, options.lineinfo};
  llvm::Expected<Cubin> cubin = timed(kernel->ptxasSeconds, [&] { return assemble(kernel->ptx, ptxas); });
  if (!cubin)
    return func.emitError(llvm::toString(cubin.takeError()));
  kernel->cubin = std::move(*cubin);
  bool allowed = options.allowSpills || bool(entry.getDebugRingsAttr());
  if (failed(checkUsage(func, kernel->cubin.usage, allowed)))
    return failure();

  FailureOr<std::string> manifest = buildManifest(entry, options.chip, kernel->cubin);
  if (failed(manifest))
    return failure();
  kernel->manifest = std::move(*manifest);
  kernel->file = format::writeKernelFile(kernel->cubin.bytes, kernel->manifest);
  // The reader's checks hold for what was written, or the entry was wrong.
  format::KernelFile readBack;
  if (std::string error = format::readKernelFile(kernel->file.data(), kernel->file.size(), readBack); !error.empty())
    return func.emitError(error);
  return kernel;
}

FailureOr<Kernel> readKernel(gpu::BinaryOp binary) {
  auto object = binary.getObjects().size() == 1 ? dyn_cast<gpu::ObjectAttr>(binary.getObjects()[0]) : nullptr;
  if (!object || object.getFormat() != gpu::CompilationTarget::Binary)
    return binary.emitOpError("expected one object that is a kernel file");
  Kernel kernel;
  kernel.file = object.getObject().getValue().str();
  format::KernelFile file;
  if (std::string error = format::readKernelFile(kernel.file.data(), kernel.file.size(), file); !error.empty())
    return binary.emitOpError(error);
  const format::Manifest &manifest = file.manifest();
  kernel.name = manifest.entry()->str();
  kernel.manifest = std::string(file.manifestBytes);
  kernel.cubin.bytes = std::string(file.cubin);
  return kernel;
}

} // namespace target

namespace {

struct SerializeKernelsPass : impl::SerializeKernelsPassBase<SerializeKernelsPass> {
  using SerializeKernelsPassBase::SerializeKernelsPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    SerializeKernelsPassBase::getDependentDialects(registry);
    target::registerTranslations(registry);
  }

  void runOnOperation() override {
    target::SerializeOptions options{ptxas, chip, allowSpills, lineinfo};
    for (auto module : llvm::make_early_inc_range(getOperation().getOps<gpu::GPUModuleOp>())) {
      FailureOr<target::Kernel> kernel = target::serialize(module, options);
      if (failed(kernel))
        return signalPassFailure();
      OpBuilder builder(module);
      Attribute target = NVVM::NVVMTargetAttr::get(&getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", options.chip);
      if (ArrayAttr targets = module.getTargetsAttr())
        target = targets[0];
      auto object = gpu::ObjectAttr::get(&getContext(), target, gpu::CompilationTarget::Binary,
                                         builder.getStringAttr(kernel->file), /*properties=*/{}, /*kernels=*/{});
      gpu::BinaryOp::create(builder, module.getLoc(), module.getName(), /*offloadingHandler=*/nullptr,
                            builder.getArrayAttr(object));
      module.erase();
    }
  }
};

} // namespace
} // namespace fp8gemm
