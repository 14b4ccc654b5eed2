// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convert-hopper-to-nvvm: the pass. Each concern has a file of patterns beside it.

#include "DebugRings.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/Hopper/IR/SmemLayout.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CONVERTHOPPERTONVVMPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm::hopper;

/// The symbol of a kernel's dynamic shared memory. An external array of no bytes
/// is what `extern __shared__` is in CUDA C++.
static constexpr StringLiteral kSmemSymbol = "smem";

static Value asType(OpBuilder &builder, Location loc, Type type, Value value) {
  return UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
}

/// Gives workgroup attributions and rings their addresses in dynamic shared
/// memory, and notes its size as hopper.smem_bytes.
static LogicalResult placeSharedMemory(gpu::GPUFuncOp func) {
  FailureOr<SmemLayout> layout = SmemLayout::compute(func);
  if (failed(layout))
    return failure();
  auto builder = OpBuilder::atBlockBegin(&func.getBody().front());
  auto pointer = LLVM::LLVMPointerType::get(func.getContext(), kShared);
  Emitter emit{builder, func.getLoc()};
  Value base = LLVM::AddressOfOp::create(builder, func.getLoc(), pointer, kSmemSymbol);
  for (auto [i, attribution] : llvm::enumerate(llvm::to_vector(func.getWorkgroupAttributions())))
    attribution.replaceAllUsesWith(
        asType(builder, func.getLoc(), attribution.getType(), emit.offset(base, layout->getAttributionOffset(i))));
  func.walk([&](RingCreateOp create) {
    Value address = emit.offset(base, layout->getRingOffset(create));
    create.getRing().replaceAllUsesWith(asType(builder, create.getLoc(), create.getRing().getType(), address));
    create.erase();
  });
  func.getBody().front().eraseArguments(func.getNumArguments(), func.getNumWorkgroupAttributions());
  func->removeAttr(gpu::GPUFuncOp::getNumWorkgroupAttributionsAttrName());
  func->setAttr("hopper.smem_bytes", builder.getI64IntegerAttr(layout->getTotalBytes()));
  return success();
}

/// A parameter of a kernel is a pointer with its strides, a tensor map or a number.
static LogicalResult checkParameters(gpu::GPUFuncOp func) {
  for (BlockArgument argument : func.getBody().front().getArguments().take_front(func.getNumArguments())) {
    auto matrix = dyn_cast<MemRefType>(argument.getType());
    if (matrix && (matrix.getMemorySpace() || matrix.getRank() < 1 || matrix.getRank() > 3))
      return func.emitOpError("expected a kernel's matrices to be in global memory and of rank 1 to 3, got ") << matrix;
    auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(argument.getType());
    if (map && !map.getTensor().hasStaticShape())
      return func.emitOpError("expected a kernel's tensor maps to have a box of static shape, got ") << map;
  }
  return success();
}

/// Notes as hopper.waits_for_previous that the kernel may be launched before the one it depends on has ended.
static void noteDependence(gpu::GPUFuncOp func) {
  bool waits = func.walk([](GriddepcontrolWaitOp) { return WalkResult::interrupt(); }).wasInterrupted();
  if (waits)
    func->setAttr("hopper.waits_for_previous", UnitAttr::get(func.getContext()));
}

/// The dialects that may remain: those that upstream passes lower from here.
static void configureTarget(ConversionTarget &target) {
  target.addLegalDialect<scf::SCFDialect, LLVM::LLVMDialect, NVVM::NVVMDialect, vector::VectorDialect>();
  target.addDynamicallyLegalDialect<arith::ArithDialect, math::MathDialect>([](Operation *op) {
    return llvm::none_of(op->getOperandTypes(), llvm::IsaPred<FragmentType>) &&
           llvm::none_of(op->getResultTypes(), llvm::IsaPred<FragmentType>);
  });
  target.addLegalOp<UnrealizedConversionCastOp, gpu::GPUModuleOp>();
  target.addIllegalDialect<HopperDialect, memref::MemRefDialect, gpu::GPUDialect>();
  target.addLegalOp<gpu::GPUModuleOp>();
  configureGlobal(target);
}

namespace {
struct ConvertHopperToNVVMPass
    : OnEach<gpu::GPUModuleOp, fp8gemm::impl::ConvertHopperToNVVMPassBase<ConvertHopperToNVVMPass>> {
  using OnEach::OnEach;

  bool isFor(gpu::GPUModuleOp module) override {
    return !module.getOps<gpu::GPUFuncOp>().empty(); // else it was lowered before
  }
  StringRef worksOn() override { return "a gpu.module with a gpu.func"; }

  LogicalResult runOn(gpu::GPUModuleOp module) override {
    SmallVector<gpu::GPUFuncOp> kernels(module.getOps<gpu::GPUFuncOp>());
    for (gpu::GPUFuncOp kernel : kernels) {
      noteDependence(kernel);
      if (failed(checkParameters(kernel)))
        return failure();
      if (debugRings && failed(numberWaits(kernel, debugRings)))
        return failure();
      if (failed(placeSharedMemory(kernel)))
        return failure();
    }
    declareSharedMemory(module);
    if (debugRings)
      declareReports(module);

    NVVMTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateKernelPatterns(converter, patterns);
    populateWarpSpecializePatterns(converter, patterns);
    populateRingPatterns(converter, patterns, debugRings);
    populateFillPatterns(converter, patterns);
    populateMmaPatterns(converter, patterns);
    populatePromotePatterns(converter, patterns);
    populateStorePatterns(converter, patterns);
    populateExchangePatterns(converter, patterns);
    populateGroupPatterns(converter, patterns);
    populateGlobalPatterns(converter, patterns);
    ConversionTarget target(getContext());
    configureTarget(target);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns, target);
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return failure();
    SmallVector<UnrealizedConversionCastOp> casts;
    module.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
    reconcileUnrealizedCasts(casts);
    return success();
  }

  static void declareSharedMemory(gpu::GPUModuleOp module) {
    auto builder = OpBuilder::atBlockBegin(module.getBody());
    auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
    LLVM::GlobalOp::create(builder, module.getLoc(), bytes, /*isConstant=*/false, LLVM::Linkage::External, kSmemSymbol,
                           Attribute(), SmemLayout::kAlignment, kShared);
  }
};
} // namespace
