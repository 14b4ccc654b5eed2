// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filling a stage, by TMA and by the helper warp, and L2.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// tma_load -> cp.async.bulk.tensor that completes at the slot's full barrier, one a panel.
struct LowerTmaLoad : OpConversionPattern<TmaLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaLoadOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    // PTX ISA 8.x has only the shared::cluster destination; the own CTA's
    // addresses are valid in it.
    auto cluster = LLVM::LLVMPointerType::get(op.getContext(), kSharedCluster);
    Value everyRank;
    if (op.getMulticast()) {
      auto acquire = op.getSlot().getDefiningOp<RingAcquireOp>();
      if (!acquire)
        return rewriter.notifyMatchFailure(op, "slot is not made by ring.acquire");
      int64_t mask = (int64_t(1) << acquire.getRing().getType().getCluster()) - 1;
      everyRank = arith::ConstantIntOp::create(rewriter, op.getLoc(), mask, 16);
    }
    Value row = emit.toI32(adaptor.getRow().front()), column = emit.toI32(adaptor.getColumn().front());
    MemRefType box = op.getMap().getType().getTensor();
    int64_t boxBytes = box.getNumElements() * box.getElementTypeBitWidth() / 8;
    auto buffer = cast<MemRefType>(op.getBuffer().getType());
    for (int64_t panel = 0; panel < buffer.getNumElements() / box.getNumElements(); ++panel) {
      Value destination = LLVM::AddrSpaceCastOp::create(rewriter, op.getLoc(), cluster,
                                                        emit.offset(adaptor.getBuffer().front(), panel * boxBytes));
      // Innermost coordinate first.
      SmallVector<Value> coordinates{panel == 0 ? column : emit.add(column, panel * box.getShape().back()), row};
      if (op.getGroup())
        coordinates.push_back(emit.toI32(adaptor.getGroup().front()));
      NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
          rewriter, op.getLoc(), destination, adaptor.getMap().front(), coordinates, adaptor.getSlot()[0],
          /*im2colOffsets=*/ValueRange(), /*multicastMask=*/everyRank, /*l2CacheHint=*/Value(), NVVM::TMALoadMode::TILE,
          /*isCTAOnly=*/false, NVVM::CTAGroupKindAttr(), /*predicate=*/Value());
    }
    rewriter.eraseOp(op);
    return success();
  }
};

/// tma_prefetch -> cp.async.bulk.prefetch.tensor.
struct LowerTmaPrefetch : OpConversionPattern<TmaPrefetchOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaPrefetchOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    // Innermost coordinate first.
    SmallVector<Value> coordinates;
    coordinates.push_back(emit.toI32(adaptor.getColumn().front()));
    coordinates.push_back(emit.toI32(adaptor.getRow().front()));
    if (op.getGroup())
      coordinates.push_back(emit.toI32(adaptor.getGroup().front()));
    rewriter.replaceOpWithNewOp<NVVM::CpAsyncBulkTensorPrefetchOp>(
        op, adaptor.getMap().front(), coordinates, /*im2colOffsets=*/ValueRange(), NVVM::TMALoadMode::TILE,
        /*l2CacheHint=*/Value());
    return success();
  }
};

/// fetch_scales -> one cached global load for each 32 scales, index clamped to
/// the last block.
struct LowerFetchScales : OpConversionPattern<FetchScalesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FetchScalesOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Location loc = op.getLoc();
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(cast<MemRefType>(op.getSource().getType()).getStridesAndOffset(strides, offset)))
      return rewriter.notifyMatchFailure(op, "source is not strided");
    Type f32 = rewriter.getF32Type();
    Value base = adaptor.getSource()[0];
    if (op.getGroup())
      base = emit.element(base, f32, emit.mul(emit.toI64(adaptor.getGroup().front()), adaptor.getSource()[2]));
    // Outer rows may be far apart: 64 bits for the address of one, 32 for what is in it.
    auto outerRow = [&](Value row) {
      return emit.element(base, f32, emit.mul(emit.toI64(row), adaptor.getSource()[1]));
    };
    bool rowIsOuter = strides.back() == 1;
    Value first = emit.toI32(adaptor.getFirst().front()), kBlock = emit.toI32(adaptor.getKBlock().front());
    Value blockRow = rowIsOuter ? Value() : outerRow(kBlock);
    Value last = emit.add(emit.toI32(adaptor.getLimit().front()), -1);
    auto vector = cast<VectorType>(op.getValues().getType());
    Value values = LLVM::PoisonOp::create(rewriter, loc, vector);
    for (int64_t element = 0; element < vector.getNumElements(); ++element) {
      Value index = emit.add(emit.lane(), element * kThreadsPerWarp);
      Value row = emit.add(first, emit.mul(index, op.getStep()));
      row = emit.div(arith::MinUIOp::create(rewriter, loc, row, last), op.getPer());
      Value address = emit.element(rowIsOuter ? outerRow(row) : blockRow, f32, rowIsOuter ? kBlock : row);
      Value scale = LLVM::LoadOp::create(rewriter, loc, f32, address, /*alignment=*/4,
                                         /*isVolatile=*/false, /*isNonTemporal=*/false, /*isInvariant=*/true);
      values = LLVM::InsertElementOp::create(rewriter, loc, values, scale, emit.i32(element));
    }
    rewriter.replaceOp(op, values);
    return success();
  }
};

/// put_scales -> one shared store for each 32 scales, guarded where the buffer ends.
struct LowerPutScales : OpConversionPattern<PutScalesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(PutScalesOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.isOfAccumulator())
      return rewriter.notifyMatchFailure(op, "of an accumulator");
    Emitter emit{rewriter, op.getLoc()};
    int64_t size = cast<MemRefType>(op.getBuffer().getType()).getDimSize(0);
    int64_t elements = cast<VectorType>(op.getValues().getType()).getNumElements();
    for (int64_t element = 0; element < elements; ++element) {
      Value scale =
          LLVM::ExtractElementOp::create(rewriter, op.getLoc(), adaptor.getValues().front(), emit.i32(element));
      Value index = emit.add(emit.lane(), element * kThreadsPerWarp);
      auto store = [&] {
        Value address = emit.offset(adaptor.getBuffer().front(), emit.mul(index, 4));
        LLVM::StoreOp::create(rewriter, op.getLoc(), scale, address, /*alignment=*/4);
      };
      if ((element + 1) * kThreadsPerWarp <= size)
        store();
      else
        emit.when(emit.lessThan(index, size), store);
    }
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateFillPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerTmaLoad, LowerTmaPrefetch, LowerFetchScales, LowerPutScales>(converter, patterns.getContext());
}
