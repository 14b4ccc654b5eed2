// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Storing a tile: registers -> stmatrix -> staging -> TMA.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Bytes of the unit that TMA swizzles move, and of the row of 8 bf16 that one
/// lane's address gives to stmatrix.
static constexpr int64_t kChunkBytes = 16;

namespace {

/// store_fragment -> convert pairs to bf16x2; one stmatrix.x4 for each 16 columns.
///
/// Matrix i of the four is columns 8 * (i / 2), rows 8 * (i % 2) of the warp's 16 x 16
/// part; lanes 8i .. 8i + 7 give the addresses of its rows. Within a panel of rows of
/// 2w bytes, the chunk of 16 bytes is XORed with the row as the TMA swizzle does.
struct LowerStoreFragment : OpConversionPattern<StoreFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(StoreFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    int64_t width = cast<MemRefType>(op.getStaging().getType()).getDimSize(2);
    int64_t rowBytes = 2 * width, chunks = rowBytes / kChunkBytes, panelBytes = 64 * rowBytes;

    Value lane = emit.lane();
    Value rowInMatrix = emit.rem(lane, 8), matrix = emit.div(lane, 8);
    Value row = emit.add(
        emit.add(emit.mul(emit.warpInGroup(), emit.i32(16)), emit.mul(emit.rem(matrix, 2), emit.i32(8))), rowInMatrix);
    Value rowAddress = emit.offset(adaptor.getStaging().front(), emit.mul(row, emit.i32(rowBytes)));
    // The swizzle repeats every 8 rows of 128 bytes: bits 7-9 of the address.
    Value swizzle = emit.rem(emit.div(rowInMatrix, 128 / rowBytes), chunks);
    Value columnHalf = emit.div(matrix, 2);

    for (int64_t column = 0; column < op.getFragment().getType().getColumns(); column += 16) {
      SmallVector<Value> sources;
      for (int64_t i = 0; i < 4; ++i) {
        int64_t first = 4 * (column / 8 + i / 2) + 2 * (i % 2);
        sources.push_back(packBf16(emit, adaptor.getFragment()[first], adaptor.getFragment()[first + 1]));
      }
      int64_t panel = column / width, firstChunk = (column % width) / 8;
      Value chunk = emit.add(columnHalf, emit.i32(firstChunk));
      chunk = arith::XOrIOp::create(rewriter, op.getLoc(), chunk, swizzle);
      Value address = emit.offset(emit.offset(rowAddress, emit.mul(chunk, emit.i32(kChunkBytes))), panel * panelBytes);
      NVVM::StMatrixOp::create(rewriter, op.getLoc(), address, sources, NVVM::MMALayout::row,
                               NVVM::LdStMatrixShapeAttr::get(op.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
    }
    rewriter.eraseOp(op);
    return success();
  }

  /// Two f32 rounded to nearest even, the first in the low half.
  static Value packBf16(Emitter emit, Value low, Value high) {
    auto bf16x2 = VectorType::get({2}, emit.builder.getBF16Type());
    Value packed = NVVM::ConvertF32x2ToBF16x2Op::create(emit.builder, emit.loc, bf16x2, high, low, Value(),
                                                        NVVM::FPRoundingMode::RN);
    return LLVM::BitcastOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), packed);
  }
};

/// fence.async_shared -> nvvm.fence.proxy async.shared::cta.
struct LowerFenceAsyncShared : OpConversionPattern<FenceAsyncSharedOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FenceAsyncSharedOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto space = NVVM::SharedSpaceAttr::get(op.getContext(), NVVM::SharedSpace::shared_cta);
    rewriter.replaceOpWithNewOp<NVVM::FenceProxyOp>(op, NVVM::ProxyKind::async_shared, space);
    return success();
  }
};

/// named_barrier -> nvvm.barrier.
struct LowerNamedBarrier : OpConversionPattern<NamedBarrierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(NamedBarrierOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    NVVM::BarrierOp::create(rewriter, op.getLoc(), TypeRange(), emit.toI32(adaptor.getId().front()),
                            emit.i32(op.getThreads()), NVVM::BarrierReductionAttr(), Value());
    rewriter.eraseOp(op);
    return success();
  }
};

/// tma_store -> thread 0 of the warpgroup stores every panel, as one bulk group.
struct LowerTmaStore : OpConversionPattern<TmaStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaStoreOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto staging = cast<MemRefType>(op.getStaging().getType());
    int64_t width = staging.getDimSize(2), panelBytes = 64 * 2 * width;
    Value row = emit.toI32(adaptor.getRow().front()), column = emit.toI32(adaptor.getColumn().front());
    emit.when(emit.equals(emit.threadInGroup(), 0), [&] {
      for (int64_t panel = 0; panel < staging.getDimSize(0); ++panel) {
        Value coordinates[] = {emit.add(column, emit.i32(panel * width)), row};
        NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(
            rewriter, op.getLoc(), adaptor.getMap().front(),
            emit.offset(adaptor.getStaging().front(), panel * panelBytes), coordinates, /*l2CacheHint=*/Value(),
            NVVM::TMAStoreMode::TILE, /*predicate=*/Value());
      }
      NVVM::CpAsyncBulkCommitGroupOp::create(rewriter, op.getLoc());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// tma_store.wait -> thread 0 of the warpgroup: cp.async.bulk.wait_group.
struct LowerTmaStoreWait : OpConversionPattern<TmaStoreWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaStoreWaitOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    emit.when(emit.equals(emit.threadInGroup(), 0), [&] {
      NVVM::CpAsyncBulkWaitGroupOp::create(rewriter, op.getLoc(), rewriter.getI32IntegerAttr(op.getPending()),
                                           op.getRead() ? rewriter.getUnitAttr() : UnitAttr());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateStorePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerStoreFragment, LowerFenceAsyncShared, LowerNamedBarrier, LowerTmaStore, LowerTmaStoreWait>(
      converter, patterns.getContext());
}
