// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel around the roles: function, shared memory, grid.

#include "DebugRings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// gpu.func -> llvm.func kernel. Tensor maps come by value as grid constants;
/// a matrix comes as a pointer and its strides. Each parameter keeps
/// its hopper.param, for the manifest.
struct LowerKernel : OpConversionPattern<gpu::GPUFuncOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::GPUFuncOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto launch = op->getAttrOfType<LaunchAttr>("hopper.launch");
    if (!launch || !op.isKernel() || op.getNumResults() != 0)
      return rewriter.notifyMatchFailure(op, "not a kernel with hopper.launch");
    TypeConverter::SignatureConversion signature(op.getNumArguments());
    SmallVector<DictionaryAttr> parameters;
    for (BlockArgument argument : op.getArguments()) {
      SmallVector<Type> types;
      if (isa<IndexType>(argument.getType()))
        types.push_back(rewriter.getI32Type());
      else if (failed(typeConverter->convertType(argument.getType(), types)))
        return rewriter.notifyMatchFailure(op, "has a parameter of a type that kernels don't take");
      signature.addInputs(argument.getArgNumber(), types);
      describe(rewriter, op, argument, parameters);
    }
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(getContext()), signature.getConvertedTypes());
    auto kernel = LLVM::LLVMFuncOp::create(rewriter, op.getLoc(), op.getName(), type);
    kernel.setAllArgAttrs(parameters);
    for (StringRef name : {"hopper.problem", "hopper.launch", "hopper.config", "hopper.smem_bytes",
                           "hopper.workspace_bytes", "hopper.waits_for_previous", kDebugRings.data()})
      if (Attribute attribute = op->getAttr(name))
        kernel->setAttr(name, attribute);
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

  /// Attributes of the parameters that `argument` becomes.
  static void describe(OpBuilder &builder, gpu::GPUFuncOp op, BlockArgument argument,
                       SmallVectorImpl<DictionaryAttr> &parameters) {
    NamedAttrList attributes;
    auto param = op.getArgAttrOfType<ParamAttr>(argument.getArgNumber(), "hopper.param");
    if (param)
      attributes.set("hopper.param", param);
    if (isa<nvgpu::TensorMapDescriptorType>(argument.getType())) {
      auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 128);
      attributes.set("hopper.map", TypeAttr::get(argument.getType()));
      attributes.set("llvm.byval", TypeAttr::get(bytes));
      attributes.set("llvm.align", builder.getI64IntegerAttr(64));
      attributes.set("nvvm.grid_constant", builder.getUnitAttr());
    }
    parameters.push_back(attributes.getDictionary(builder.getContext()));
    auto memref = dyn_cast<MemRefType>(argument.getType());
    if (!memref)
      return;
    ParamKind strides[] = {ParamKind::leading_dimension, ParamKind::group_stride};
    for (ParamKind kind : ArrayRef(strides).take_front(memref.getRank() - 1)) {
      NamedAttrList stride;
      if (param)
        stride.set("hopper.param", ParamAttr::get(builder.getContext(), kind, param.getOperand()));
      parameters.push_back(stride.getDictionary(builder.getContext()));
    }
  }
};

/// gpu.return -> llvm.return.
struct LowerReturn : OpConversionPattern<gpu::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::ReturnOp op, OneToNOpAdaptor, ConversionPatternRewriter &rewriter) const override {
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

/// griddepcontrol.wait -> the instruction, before all accesses to memory that follow it. LLVM
/// assumes that the intrinsic does not access memory, and may move loads before it.
struct LowerGriddepcontrolWait : OpConversionPattern<GriddepcontrolWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(GriddepcontrolWaitOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::InlineAsmOp>(
        op, TypeRange(), ValueRange(), "griddepcontrol.wait;", "~{memory}", /*has_side_effects=*/true,
        /*is_align_stack=*/false, LLVM::TailCallKind::None,
        LLVM::AsmDialectAttr::get(getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
    return success();
  }
};

/// griddepcontrol.launch_dependents -> nvvm.griddepcontrol.
struct LowerGriddepcontrolLaunchDependents : OpConversionPattern<GriddepcontrolLaunchDependentsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(GriddepcontrolLaunchDependentsOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::GriddepcontrolOp>(op, NVVM::GridDepActionKind::launch_dependents);
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
  patterns.add<LowerKernel, LowerReturn, LowerBarrier, LowerGridIndex<gpu::BlockIdOp, NVVM::BlockIdXOp>,
               LowerGridIndex<gpu::GridDimOp, NVVM::GridDimXOp>, LowerGridIndex<gpu::ClusterIdOp, NVVM::ClusterIdXOp>,
               LowerGridIndex<gpu::ClusterDimOp, NVVM::ClusterDimXOp>,
               LowerGridIndex<gpu::ClusterBlockIdOp, NVVM::BlockInClusterIdXOp>, LowerClusterBarrier,
               LowerGriddepcontrolWait, LowerGriddepcontrolLaunchDependents, LowerSubview, LowerCollapse>(
      converter, patterns.getContext());
}
