// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convert-fp8gemm-to-hopper: outlines a kernel for each configured product, and for each quantisation.

#include "KernelBuilder.h"
#include "Quantize.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CONVERTFP8GEMMTOHOPPERPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm;

/// PTX 8.6 is the first version with every instruction that the lowering uses.
static constexpr StringLiteral kChip = "sm_90a", kPtxFeatures = "+ptx86";

/// Adds a gpu.module for sm_90a named `name`.
static gpu::GPUModuleOp createModule(OpBuilder &builder, Location loc, StringRef name) {
  auto target = NVVM::NVVMTargetAttr::get(builder.getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", kChip,
                                          kPtxFeatures, /*flags=*/DictionaryAttr(), /*files=*/ArrayAttr());
  return gpu::GPUModuleOp::create(builder, loc, name, builder.getArrayAttr(target));
}

/// Later passes look for kernels in `module`, and not in modules nested in it.
static LogicalResult checkNesting(ModuleOp module) {
  WalkResult result = module.walk([&](Operation *op) -> WalkResult {
    if (!isa<ProductOpInterface, QuantizeOp, gpu::GPUModuleOp>(op) || op->getParentOfType<ModuleOp>() == module)
      return WalkResult::advance();
    return mlir::emitError(op->getLoc()) << "expected '" << op->getName()
                                         << "' in the outermost module, got it in a module within that: compile each "
                                            "module by itself";
  });
  return failure(result.wasInterrupted());
}

/// Adds a module with the kernel of `op`, unless there is one already, and lets `op` refer to it.
template <typename Op>
static LogicalResult outline(Op op, StringRef name, llvm::function_ref<void(gpu::GPUModuleOp)> build) {
  auto module = op->template getParentOfType<ModuleOp>();
  Operation *known = module.lookupSymbol(name);
  if (known && !isa<gpu::GPUModuleOp, gpu::BinaryOp>(known))
    return op->emitOpError() << "expected the symbol of its kernel to be free, got a '" << known->getName()
                             << "' named " << name;
  if (!known) {
    // A module needs no terminator, but may have one.
    Block *body = module.getBody();
    bool isTerminated = body->back().template hasTrait<OpTrait::IsTerminator>();
    OpBuilder builder(op->getContext());
    builder.setInsertionPoint(body, isTerminated ? Block::iterator(body->back()) : body->end());
    build(createModule(builder, op->getLoc(), name));
  }
  auto function = FlatSymbolRefAttr::get(op->getContext(), name);
  op.setKernelAttr(SymbolRefAttr::get(op->getContext(), name, function));
  return success();
}

namespace {
struct ConvertFP8GemmToHopperPass : fp8gemm::impl::ConvertFP8GemmToHopperPassBase<ConvertFP8GemmToHopperPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    ConvertFP8GemmToHopperPassBase::getDependentDialects(registry);
    registerConfigInterface(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNesting(module)))
      return signalPassFailure();
    WalkResult result = module.walk([&](ProductOpInterface op) {
      if (op.getKernelAttr())
        return WalkResult::advance();
      if (failed(checkEpilogueIsBuilt(op)))
        return WalkResult::interrupt();
      ConfigAttr config = op.getConfigAttr();
      if (!config) {
        op->emitOpError() << "expected a config, got none: run fp8gemm-select-config first";
        return WalkResult::interrupt();
      }
      // A config that was written by hand is as much an input as the product is. Every GPU of the chip has as much
      // shared memory.
      std::string error = config::check(problemOf(op), config::knownGpus().front(), configOf(config));
      if (!error.empty()) {
        op->emitOpError() << "has an illegal config: " << error;
        return WalkResult::interrupt();
      }
      Facts facts(op, config);
      return WalkResult(outline(op, nameOfKernel(facts), [&](gpu::GPUModuleOp inner) { buildKernel(facts, inner); }));
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    result = module.walk([&](QuantizeOp op) {
      if (op.getKernelAttr())
        return WalkResult::advance();
      return WalkResult(outline(op, nameOfKernel(op), [&](gpu::GPUModuleOp inner) { buildKernel(op, inner); }));
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    if (!module.getOps<gpu::GPUModuleOp>().empty())
      module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(&getContext()));
  }
};
} // namespace
