// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convert-hopper-to-nvvm: the pass. Each concern has a file of patterns beside it.

#include "DebugRings.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
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

/// Gives shared buffers and rings their addresses in dynamic shared memory, and returns its size in bytes.
static FailureOr<int64_t> placeSharedMemory(KernelOp kernel) {
  FailureOr<SmemLayout> layout = SmemLayout::compute(kernel);
  if (failed(layout))
    return failure();
  auto builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
  auto pointer = LLVM::LLVMPointerType::get(kernel.getContext(), kShared);
  Emitter emit{builder, kernel.getLoc()};
  Value base = LLVM::AddressOfOp::create(builder, kernel.getLoc(), pointer, kSmemSymbol);
  for (auto [i, buffer] : llvm::enumerate(llvm::to_vector(kernel.getSharedBuffers())))
    buffer.replaceAllUsesWith(
        asType(builder, kernel.getLoc(), buffer.getType(), emit.offset(base, layout->getBufferOffset(i))));
  kernel.walk([&](RingCreateOp create) {
    Value address = emit.offset(base, layout->getRingOffset(create));
    create.getRing().replaceAllUsesWith(asType(builder, create.getLoc(), create.getRing().getType(), address));
    create.erase();
  });
  unsigned parameters = kernel.getParameters().size();
  kernel.getBody().front().eraseArguments(parameters, kernel.getSharedBuffers().size());
  return layout->getTotalBytes();
}

/// A parameter of a kernel is a pointer with its strides, a tensor map or a number.
static LogicalResult checkParameters(KernelOp kernel) {
  for (BlockArgument argument : kernel.getParameters()) {
    auto matrix = dyn_cast<MemRefType>(argument.getType());
    if (matrix && (matrix.getMemorySpace() || matrix.getRank() < 1 || matrix.getRank() > 3))
      return emitWithoutRegions(kernel)
             << "expected a kernel's matrices to be in global memory and of rank 1 to 3, got " << matrix;
    auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(argument.getType());
    if (map && !map.getTensor().hasStaticShape())
      return emitWithoutRegions(kernel) << "expected a kernel's tensor maps to have a box of static shape, got " << map;
  }
  return success();
}

/// The machine-level parameters that the arguments of `kernel` become: a matrix is a pointer and its strides.
static SmallVector<Attribute> describeParameters(KernelOp kernel) {
  SmallVector<Attribute> params;
  for (BlockArgument argument : kernel.getParameters()) {
    auto add = [&](ParamKind kind, nvgpu::TensorMapDescriptorType map = {}) {
      params.push_back(ParamAttr::get(kernel.getContext(), kind, kernel.getOperandOf(argument), map));
    };
    auto matrix = dyn_cast<MemRefType>(argument.getType());
    if (auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(argument.getType()))
      add(ParamKind::tensor_map, map);
    else
      add(matrix ? ParamKind::matrix : ParamKind::extent);
    ParamKind strides[] = {ParamKind::leading_dimension, ParamKind::group_stride};
    for (ParamKind kind : ArrayRef(strides).take_front(matrix ? matrix.getRank() - 1 : 0))
      add(kind);
  }
  return params;
}

/// Whether the kernel may be launched before the one it depends on has ended.
static bool waitsForPrevious(KernelOp kernel) {
  return kernel
      .walk([](GriddepcontrolOp op) {
        return op.getKind() == Dependence::wait ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// hopper.kernel -> hopper.entry, the facts of the llvm.func that the kernel becomes. Accesses to rings get their
/// numbers in `waits` if it is a debug build.
static LogicalResult describeKernel(KernelOp kernel, DebugWaits *waits) {
  LaunchAttr launch = kernel.getLaunchAttr();
  if (!launch)
    return emitWithoutRegions(kernel) << "expected a kernel to have a 'launch', got none";
  if (failed(checkParameters(kernel)))
    return failure();
  bool isDependent = waitsForPrevious(kernel);
  DebugRingsAttr debugRings;
  if (waits && !(debugRings = numberWaits(kernel, *waits)))
    return failure();
  FailureOr<int64_t> smemBytes = placeSharedMemory(kernel);
  if (failed(smemBytes))
    return failure();
  OpBuilder builder(kernel);
  EntryOp::create(builder, kernel.getLoc(), FlatSymbolRefAttr::get(kernel.getSymNameAttr()),
                  builder.getArrayAttr(describeParameters(kernel)), kernel.getProblemAttr(),
                  kernel.getQuantizationAttr(), kernel.getConfigAttr(),
                  launch, builder.getI64IntegerAttr(*smemBytes), isDependent ? builder.getUnitAttr() : UnitAttr(),
                  debugRings);
  return success();
}

/// cluster_barrier at the end of a role -> arrive.relaxed and wait, if CTAs of the cluster only read each other's shared
/// memory: nobody reads after it, so it need not publish, which would cost a fence of the whole GPU. An arrival at
/// another CTA's mbarrier may still be on its way, and waits for the fence.
static void relaxLastBarriers(KernelOp kernel) {
  LaunchAttr launch = kernel.getLaunchAttr();
  if (launch.getClusterM() * launch.getClusterN() > 1)
    return;
  SmallVector<ClusterBarrierOp> last;
  kernel.walk([&](ClusterBarrierOp barrier) {
    if (isa<WarpSpecializeOp>(barrier->getParentOp()) && isa<YieldOp>(barrier->getNextNode()))
      last.push_back(barrier);
  });
  for (ClusterBarrierOp barrier : last) {
    OpBuilder builder(barrier);
    NVVM::ClusterArriveRelaxedOp::create(builder, barrier.getLoc(), UnitAttr());
    NVVM::ClusterWaitOp::create(builder, barrier.getLoc(), UnitAttr());
    barrier.erase();
  }
}

/// The dialects that may remain: those that upstream passes lower from here.
static void configureTarget(ConversionTarget &target) {
  target.addLegalDialect<scf::SCFDialect, LLVM::LLVMDialect, NVVM::NVVMDialect, vector::VectorDialect>();
  target.addDynamicallyLegalDialect<arith::ArithDialect, math::MathDialect>([](Operation *op) {
    return llvm::none_of(op->getOperandTypes(), llvm::IsaPred<FragmentType, ScalesType>) &&
           llvm::none_of(op->getResultTypes(), llvm::IsaPred<FragmentType, ScalesType>);
  });
  target.addIllegalDialect<HopperDialect, memref::MemRefDialect, gpu::GPUDialect>();
  target.addLegalOp<UnrealizedConversionCastOp, gpu::GPUModuleOp, EntryOp>();
  configureGlobal(target);
}

namespace {
struct ConvertHopperToNVVMPass
    : OnEach<gpu::GPUModuleOp, fp8gemm::impl::ConvertHopperToNVVMPassBase<ConvertHopperToNVVMPass>> {
  using OnEach::OnEach;

  bool isFor(gpu::GPUModuleOp module) override {
    return !module.getOps<KernelOp>().empty(); // else it was lowered before
  }
  StringRef worksOn() override { return "a gpu.module with a hopper.kernel"; }

  LogicalResult runOn(gpu::GPUModuleOp module) override {
    DebugWaits debugWaits;
    debugWaits.limitMs = debugRings;
    DebugWaits *waits = debugRings ? &debugWaits : nullptr;
    SmallVector<KernelOp> kernels(module.getOps<KernelOp>());
    for (KernelOp kernel : kernels)
      if (failed(describeKernel(kernel, waits)))
        return failure();
    llvm::for_each(kernels, relaxLastBarriers);
    declareSharedMemory(module);
    if (debugRings)
      declareReports(module);

    NVVMTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateKernelPatterns(converter, patterns);
    populateWarpSpecializePatterns(converter, patterns);
    populateRingPatterns(converter, patterns, waits);
    populateFillPatterns(converter, patterns);
    populateMmaPatterns(converter, patterns);
    populatePromotePatterns(converter, patterns);
    populateFragmentPatterns(converter, patterns);
    populateStorePatterns(converter, patterns);
    populateExchangePatterns(converter, patterns);
    populateGroupPatterns(converter, patterns);
    populateGroupMapPatterns(converter, patterns);
    populateGlobalPatterns(converter, patterns);
    ConversionTarget target(getContext());
    configureTarget(target);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns, target);
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return failure();
    SmallVector<UnrealizedConversionCastOp> casts;
    module.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
    reconcileUnrealizedCasts(casts);
    return expandMath(module);
  }

  static void declareSharedMemory(gpu::GPUModuleOp module) {
    auto builder = OpBuilder::atBlockBegin(module.getBody());
    auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
    LLVM::GlobalOp::create(builder, module.getLoc(), bytes, /*isConstant=*/false, LLVM::Linkage::External, kSmemSymbol,
                           Attribute(), SmemLayout::kAlignment, kShared);
  }
};
} // namespace
