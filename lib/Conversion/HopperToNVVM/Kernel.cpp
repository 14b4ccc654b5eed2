// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel around the roles: function, shared memory, grid.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// hopper.kernel -> llvm.func kernel. Tensor maps come by value as grid constants; a matrix comes as a pointer and its
/// strides. hopper.entry has the facts.
struct LowerKernel : OpConversionPattern<KernelOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(KernelOp op, OneToNOpAdaptor, ConversionPatternRewriter &rewriter) const override {
    TypeConverter::SignatureConversion signature(op.getParameters().size());
    SmallVector<DictionaryAttr> parameters;
    for (BlockArgument argument : op.getParameters()) {
      SmallVector<Type> types;
      if (isa<IndexType>(argument.getType()))
        types.push_back(rewriter.getI32Type());
      else if (failed(typeConverter->convertType(argument.getType(), types)))
        return rewriter.notifyMatchFailure(op, "has a parameter of a type that kernels don't take");
      signature.addInputs(argument.getArgNumber(), types);
      bool isMap = isa<nvgpu::TensorMapDescriptorType>(argument.getType());
      parameters.append(types.size(), isMap ? gridConstant(rewriter) : rewriter.getDictionaryAttr({}));
    }
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(getContext()), signature.getConvertedTypes());
    auto kernel = LLVM::LLVMFuncOp::create(rewriter, op.getLoc(), op.getName(), type);
    kernel.setAllArgAttrs(parameters);
    LaunchAttr launch = op.getLaunchAttr();
    kernel->setAttr("gpu.kernel", rewriter.getUnitAttr());
    kernel->setAttr("nvvm.kernel", rewriter.getUnitAttr());
    // One CTA an SM, of exactly these threads: without both, ptxas ignores setmaxnreg.
    kernel->setAttr("nvvm.maxntid", rewriter.getDenseI32ArrayAttr({static_cast<int32_t>(launch.getThreads()), 1, 1}));
    kernel->setAttr("nvvm.minctasm", rewriter.getI32IntegerAttr(1));
    if (int32_t cluster = launch.getCluster(); cluster > 1)
      kernel->setAttr("nvvm.cluster_dim", rewriter.getDenseI32ArrayAttr({cluster, 1, 1}));
    rewriter.inlineRegionBefore(op.getBody(), kernel.getBody(), kernel.end());
    if (failed(rewriter.convertRegionTypes(&kernel.getBody(), *typeConverter, &signature)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

  /// Attributes of a parameter that is a CUtensorMap.
  static DictionaryAttr gridConstant(Builder &builder) {
    NamedAttrList attributes;
    attributes.set("llvm.byval", TypeAttr::get(LLVM::LLVMArrayType::get(builder.getI8Type(), 128)));
    attributes.set("llvm.align", builder.getI64IntegerAttr(64));
    attributes.set("nvvm.grid_constant", builder.getUnitAttr());
    return attributes.getDictionary(builder.getContext());
  }
};

/// The end of a kernel -> llvm.return. Those of roles disappear with them.
struct LowerEnd : OpConversionPattern<YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(YieldOp op, OneToNOpAdaptor, ConversionPatternRewriter &rewriter) const override {
    if (!isa<LLVM::LLVMFuncOp, KernelOp>(op->getParentOp()))
      return rewriter.notifyMatchFailure(op, "not the end of a kernel");
    rewriter.replaceOpWithNewOp<LLVM::ReturnOp>(op, ValueRange());
    return success();
  }
};

/// gpu.barrier -> nvvm.barrier of all threads.
struct LowerBarrier : OpConversionPattern<gpu::BarrierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::BarrierOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::Barrier0Op>(op);
    return success();
  }
};

/// cluster_barrier -> arrive (release) and wait (acquire). Not `.aligned`: after the
/// elected thread's branch ptxas may leave warps diverged.
struct LowerClusterBarrier : OpConversionPattern<ClusterBarrierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(ClusterBarrierOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    NVVM::ClusterArriveOp::create(rewriter, op.getLoc(), UnitAttr());
    rewriter.replaceOpWithNewOp<NVVM::ClusterWaitOp>(op, UnitAttr());
    return success();
  }
};

/// griddepcontrol launch_dependents -> nvvm.griddepcontrol; wait -> the instruction, before all accesses to memory that
/// follow it. LLVM assumes that the intrinsic does not access memory, and may move loads before it.
struct LowerGriddepcontrol : OpConversionPattern<GriddepcontrolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(GriddepcontrolOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getKind() == Dependence::launch_dependents)
      rewriter.replaceOpWithNewOp<NVVM::GriddepcontrolOp>(op, NVVM::GridDepActionKind::launch_dependents);
    else
      rewriter.replaceOpWithNewOp<LLVM::InlineAsmOp>(
          op, TypeRange(), ValueRange(), "griddepcontrol.wait;", "~{memory}", /*has_side_effects=*/true,
          /*is_align_stack=*/false, LLVM::TailCallKind::None,
          LLVM::AsmDialectAttr::get(getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
    return success();
  }
};

/// fence -> nvvm.fence.mbarrier.init, nvvm.fence.proxy async.shared::cta, nvvm.wgmma.fence.aligned.
struct LowerFence : OpConversionPattern<FenceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FenceOp op, OneToNOpAdaptor, ConversionPatternRewriter &rewriter) const override {
    switch (op.getKind()) {
    case FenceKind::mbarrier_init:
      rewriter.replaceOpWithNewOp<NVVM::FenceMbarrierInitOp>(op);
      break;
    case FenceKind::async_shared:
      rewriter.replaceOpWithNewOp<NVVM::FenceProxyOp>(
          op, NVVM::ProxyKind::async_shared,
          NVVM::SharedSpaceAttr::get(op.getContext(), NVVM::SharedSpace::shared_cta));
      break;
    case FenceKind::wgmma:
      rewriter.replaceOpWithNewOp<NVVM::WgmmaFenceAlignedOp>(op);
      break;
    }
    return success();
  }
};

/// gpu.block_id x, gpu.grid_dim x and what they are for clusters -> special registers.
template <typename Source, typename Register> struct LowerGridIndex : OpConversionPattern<Source> {
  using OpConversionPattern<Source>::OpConversionPattern;
  using Adaptor = typename OpConversionPattern<Source>::OneToNOpAdaptor;
  LogicalResult matchAndRewrite(Source op, Adaptor, ConversionPatternRewriter &rewriter) const override {
    if (op.getDimension() != gpu::Dimension::x)
      return rewriter.notifyMatchFailure(op, "kernels have a 1-D grid");
    Value value = Register::create(rewriter, op.getLoc(), rewriter.getI32Type());
    rewriter.replaceOpWithNewOp<arith::IndexCastUIOp>(op, rewriter.getIndexType(), value);
    return success();
  }
};

/// memref.subview of shared memory -> address of its first element.
struct LowerSubview : OpConversionPattern<memref::SubViewOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::SubViewOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> strides;
    int64_t offset;
    MemRefType source = op.getSourceType();
    if (failed(source.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic) ||
        source.getElementTypeBitWidth() % 8 != 0)
      return rewriter.notifyMatchFailure(op, "source has no static strides of whole bytes");
    Emitter emit{rewriter, op.getLoc()};
    Value address = adaptor.getSource().front();
    unsigned nextDynamic = 0;
    for (auto [first, stride] : llvm::zip_equal(op.getStaticOffsets(), strides)) {
      int64_t bytes = stride * source.getElementTypeBitWidth() / 8;
      if (ShapedType::isDynamic(first)) {
        Value index = emit.toI32(adaptor.getOffsets()[nextDynamic++].front());
        address = emit.offset(address, emit.mul(index, bytes));
      } else {
        address = emit.offset(address, first * bytes);
      }
    }
    rewriter.replaceOp(op, address);
    return success();
  }
};

/// memref.collapse_shape of shared memory -> the same address.
struct LowerCollapse : OpConversionPattern<memref::CollapseShapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::CollapseShapeOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (adaptor.getSrc().size() != 1)
      return rewriter.notifyMatchFailure(op, "source is not in shared memory");
    rewriter.replaceOp(op, adaptor.getSrc().front());
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateKernelPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerKernel, LowerEnd, LowerBarrier, LowerGridIndex<gpu::BlockIdOp, NVVM::BlockIdXOp>,
               LowerGridIndex<gpu::GridDimOp, NVVM::GridDimXOp>, LowerGridIndex<gpu::ClusterIdOp, NVVM::ClusterIdXOp>,
               LowerGridIndex<gpu::ClusterDimOp, NVVM::ClusterDimXOp>,
               LowerGridIndex<gpu::ClusterBlockIdOp, NVVM::BlockInClusterIdXOp>, LowerClusterBarrier,
               LowerGriddepcontrol, LowerFence, LowerSubview, LowerCollapse>(converter, patterns.getContext());
}
