// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Storing a tile: registers -> staging -> TMA; and reading one, of C.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Bytes of the unit that TMA swizzles move, and of the row of 8 bf16 that one
/// lane's address gives to stmatrix.
static constexpr int64_t kChunkBytes = 16;

namespace {

/// Panels of a 64-row fragment in shared memory. Within the rows of a panel the chunk
/// of 16 bytes is XORed with the row as the TMA swizzle does.
struct Panels {
  int64_t width, elementBytes, rowBytes, stride; // columns, and bytes

  explicit Panels(MemRefType type) {
    SmallVector<int64_t> strides;
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset); // static: the operations verify it
    width = type.getDimSize(2), elementBytes = type.getElementTypeBitWidth() / 8;
    rowBytes = width * elementBytes, stride = strides[0] * elementBytes;
  }

  /// The number with which a row's chunks are XORed. The swizzle repeats every 8 rows of 128
  /// bytes: bits 7-9 of the address.
  Value swizzle(Emitter emit, Value rowModulo8) const {
    return emit.rem(emit.div(rowModulo8, 128 / rowBytes), rowBytes / kChunkBytes);
  }

  /// For each 8 columns j and each row half h, in this order: the address of the thread's two
  /// neighbouring elements, row 16w + l/4 + 8h and column 8j + 2(l%4) (see !hopper.fragment).
  void forEachPair(Emitter emit, Value base, int64_t columns, function_ref<void(int64_t, Value)> body) const {
    Value rowModulo8 = emit.div(emit.lane(), 4);
    Value row = emit.add(emit.mul(emit.warpInWarpgroup(), 16), rowModulo8);
    // The pair lies (l%4) * 2 elements from column 8j on: in its chunk, or the next one.
    Value behind = emit.mul(emit.rem(emit.lane(), 4), 2 * elementBytes);
    Value inChunk = emit.rem(behind, kChunkBytes), chunkBehind = emit.div(behind, kChunkBytes);
    Value flip = arith::XOrIOp::create(emit.builder, emit.loc, swizzle(emit, rowModulo8), chunkBehind);
    Value rowAddress = emit.offset(emit.offset(base, emit.mul(row, rowBytes)), inChunk);
    for (int64_t column = 0; column < columns; column += 8) {
      int64_t first = column % width * elementBytes; // of an even chunk where pairs reach the next one
      Value chunk = arith::XOrIOp::create(emit.builder, emit.loc, flip, emit.i32(first / kChunkBytes));
      Value address = emit.offset(rowAddress, emit.mul(chunk, kChunkBytes));
      for (int64_t half = 0; half < 2; ++half)
        body(4 * (column / 8) + 2 * half, emit.offset(address, column / width * stride + half * 8 * rowBytes + first % kChunkBytes));
    }
  }
};

/// store_fragment -> to bf16: convert pairs to bf16x2, one stmatrix.x4 for each 16 columns;
/// to f32 and f8: one store for each pair.
struct LowerStoreFragment : OpConversionPattern<StoreFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(StoreFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto type = cast<MemRefType>(op.getStaging().getType());
    int64_t columns = op.getFragment().getType().getColumns();
    if (op.getTransposed())
      storeTransposed(emit, adaptor.getStaging().front(), adaptor.getFragment(), columns);
    else if (isa<Float8E4M3FNType>(type.getElementType()))
      storeF8(emit, Panels(type), adaptor.getStaging().front(), adaptor.getFragment(), columns);
    else if (type.getElementType().isF32())
      storeF32(emit, Panels(type), adaptor.getStaging().front(), adaptor.getFragment(), columns);
    else
      storeBf16(emit, Panels(type), adaptor.getStaging().front(), adaptor.getFragment(), columns);
    rewriter.eraseOp(op);
    return success();
  }

  static void storeF32(Emitter emit, const Panels &panels, Value staging, ValueRange fragment, int64_t columns) {
    auto f32x2 = VectorType::get({2}, emit.builder.getF32Type());
    panels.forEachPair(emit, staging, columns, [&](int64_t first, Value address) {
      Value pair = LLVM::PoisonOp::create(emit.builder, emit.loc, f32x2);
      for (int64_t i = 0; i < 2; ++i)
        pair = LLVM::InsertElementOp::create(emit.builder, emit.loc, pair, fragment[first + i], emit.i32(i));
      LLVM::StoreOp::create(emit.builder, emit.loc, pair, address, /*alignment=*/8);
    });
  }

  /// PTX has no conversion that does not saturate.
  static void storeF8(Emitter emit, const Panels &panels, Value staging, ValueRange fragment, int64_t columns) {
    panels.forEachPair(emit, staging, columns, [&](int64_t first, Value address) {
      // The first operand is the upper byte.
      Value pair = NVVM::ConvertF32x2ToF8x2Op::create(
          emit.builder, emit.loc, emit.builder.getI16Type(), fragment[first + 1], fragment[first],
          NVVM::FPRoundingMode::RN, NVVM::SaturationMode::SATFINITE,
          /*relu=*/false, Float8E4M3FNType::get(emit.builder.getContext()));
      LLVM::StoreOp::create(emit.builder, emit.loc, pair, address, /*alignment=*/2);
    });
  }

  /// Matrix i of the four is columns 8 * (i / 2), rows 8 * (i % 2) of the warp's 16 x 16
  /// part; lanes 8i .. 8i + 7 give the addresses of its rows.
  static void storeBf16(Emitter emit, const Panels &panels, Value staging, ValueRange fragment, int64_t columns) {
    Value lane = emit.lane();
    Value rowInMatrix = emit.rem(lane, 8), matrix = emit.div(lane, 8);
    Value rowOfWarp = emit.mul(emit.warpInWarpgroup(), 16), rowOfMatrix = emit.mul(emit.rem(matrix, 2), 8);
    Value row = emit.add(emit.add(rowOfWarp, rowOfMatrix), rowInMatrix);
    Value rowAddress = emit.offset(staging, emit.mul(row, panels.rowBytes));
    Value swizzle = panels.swizzle(emit, rowInMatrix), columnHalf = emit.div(matrix, 2);

    for (int64_t column = 0; column < columns; column += 16) {
      SmallVector<Value> sources;
      for (int64_t i = 0; i < 4; ++i) {
        int64_t first = 4 * (column / 8 + i / 2) + 2 * (i % 2);
        sources.push_back(packBf16(emit, fragment[first], fragment[first + 1]));
      }
      int64_t panel = column / panels.width, firstChunk = (column % panels.width) / 8;
      Value chunk = emit.add(columnHalf, firstChunk);
      chunk = arith::XOrIOp::create(emit.builder, emit.loc, chunk, swizzle);
      Value address = emit.offset(emit.offset(rowAddress, emit.mul(chunk, kChunkBytes)), panel * panels.stride);
      NVVM::StMatrixOp::create(emit.builder, emit.loc, address, sources, NVVM::MMALayout::row,
                               NVVM::LdStMatrixShapeAttr::get(emit.builder.getContext(), 8, 8),
                               NVVM::LdStMatrixEltType::B16);
    }
  }

  /// Of each 8 columns, two matrices: rows 0-7 and 8-15 of the warp's 16. Transposed, lane i of a
  /// matrix gives the address of column i, a row of 64 elements; up to four matrices at once.
  static void storeTransposed(Emitter emit, Value staging, ValueRange fragment, int64_t columns) {
    constexpr int64_t kRowBytes = 2 * 64;
    Value lane = emit.lane(), column = emit.rem(lane, 8), matrix = emit.div(lane, 8);
    Value chunk = emit.mul(emit.warpInWarpgroup(), 2);
    chunk = emit.add(chunk, emit.rem(matrix, 2));
    chunk = arith::XOrIOp::create(emit.builder, emit.loc, chunk, column); // the 128-byte swizzle
    Value row = emit.add(emit.mul(emit.div(matrix, 2), 8), column);
    Value rowBytes = emit.mul(row, kRowBytes), chunkBytes = emit.mul(chunk, kChunkBytes);
    Value address = emit.offset(staging, emit.add(rowBytes, chunkBytes));
    for (int64_t first = 0; first < columns; first += 16) {
      SmallVector<Value> sources;
      for (int64_t i = 4 * (first / 8); i < 4 * (std::min(first + 16, columns) / 8); i += 2)
        sources.push_back(packBf16(emit, fragment[i], fragment[i + 1]));
      NVVM::StMatrixOp::create(emit.builder, emit.loc, emit.offset(address, first * kRowBytes), sources,
                               NVVM::MMALayout::col, NVVM::LdStMatrixShapeAttr::get(emit.builder.getContext(), 8, 8),
                               NVVM::LdStMatrixEltType::B16);
    }
  }

  /// Two f32 rounded to nearest even, the first in the low half.
  static Value packBf16(Emitter emit, Value low, Value high) {
    auto bf16x2 = VectorType::get({2}, emit.builder.getBF16Type());
    Value packed = NVVM::ConvertF32x2ToBF16x2Op::create(emit.builder, emit.loc, bf16x2, high, low, Value(),
                                                        NVVM::FPRoundingMode::RN);
    return LLVM::BitcastOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), packed);
  }
};

/// load_fragment of panels -> one load for each pair; bf16 is extended.
struct LowerLoadFragment : OpConversionPattern<LoadFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LoadFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto type = cast<MemRefType>(op.getSource().getType());
    if (op.isOfMatrix())
      return rewriter.notifyMatchFailure(op, "of a matrix");
    Type element = type.getElementType(), f32 = rewriter.getF32Type();
    FragmentType fragment = op.getFragment().getType();
    SmallVector<Value> registers(fragment.getRegisters());
    Panels panels(type);
    panels.forEachPair(emit, adaptor.getSource().front(), fragment.getColumns(), [&](int64_t first, Value address) {
      Value pair = LLVM::LoadOp::create(rewriter, op.getLoc(), VectorType::get({2}, element), address,
                                        /*alignment=*/2 * panels.elementBytes);
      for (int64_t i = 0; i < 2; ++i) {
        Value value = LLVM::ExtractElementOp::create(rewriter, op.getLoc(), pair, emit.i32(i));
        if (element != f32)
          value = LLVM::FPExtOp::create(rewriter, op.getLoc(), f32, value);
        registers[first + i] = value;
      }
    });
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

/// named_barrier -> nvvm.barrier.
struct LowerNamedBarrier : OpConversionPattern<NamedBarrierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(NamedBarrierOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Value id = emit.toI32(adaptor.getId().front()), threads = emit.i32(op.getThreads());
    NVVM::BarrierOp::create(rewriter, op.getLoc(), TypeRange(), id, threads, NVVM::BarrierReductionAttr(), Value());
    rewriter.eraseOp(op);
    return success();
  }
};

/// tma_store -> thread 0 of the warpgroup stores or adds every panel, as one bulk group.
struct LowerTmaStore : OpConversionPattern<TmaStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaStoreOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto staging = cast<MemRefType>(op.getStaging().getType());
    Panels panels(staging);
    Value row = emit.toI32(adaptor.getRow().front()), column = emit.toI32(adaptor.getColumn().front());
    emit.when(emit.equals(emit.threadInWarpgroup(), 0), [&] {
      for (int64_t panel = 0; panel < staging.getDimSize(0); ++panel) {
        SmallVector<Value> coordinates{emit.add(column, panel * panels.width), row};
        if (op.getGroup())
          coordinates.push_back(emit.toI32(adaptor.getGroup().front()));
        Value source = emit.offset(adaptor.getStaging().front(), panel * panels.stride), map = adaptor.getMap().front();
        if (op.getAdd())
          NVVM::CpAsyncBulkTensorReduceOp::create(rewriter, op.getLoc(), map, source, NVVM::TMAReduxKind::ADD,
                                                  NVVM::TMAStoreMode::TILE, coordinates, /*l2CacheHint=*/Value());
        else
          NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(rewriter, op.getLoc(), map, source, coordinates,
                                                             /*l2CacheHint=*/Value(), NVVM::TMAStoreMode::TILE,
                                                             /*predicate=*/Value());
      }
      NVVM::CpAsyncBulkCommitGroupOp::create(rewriter, op.getLoc());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// store_rows -> each thread copies every 128th chunk of 16 bytes.
struct LowerStoreRows : OpConversionPattern<StoreRowsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(StoreRowsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Location loc = op.getLoc();
    auto staging = cast<MemRefType>(op.getStaging().getType());
    Panels panels(staging);
    int64_t chunksPerRow = panels.rowBytes / kChunkBytes, chunkElements = kChunkBytes / panels.elementBytes;
    Value column = emit.toI32(adaptor.getColumn().front());
    Value columns = emit.i32(cast<MemRefType>(op.getD().getType()).getShape().back());
    Value count = emit.toI32(adaptor.getCount().front());
    Value rows = arith::MinUIOp::create(rewriter, loc, count, emit.i32(staging.getDimSize(1)));
    Value thread = emit.threadInWarpgroup(), chunks = emit.mul(rows, chunksPerRow), step = emit.i32(kThreadsPerWarpgroup);
    auto loop = scf::ForOp::create(rewriter, loc, thread, chunks, step);
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(loop.getBody());
      Value row = emit.div(loop.getInductionVar(), chunksPerRow),
            chunk = emit.rem(loop.getInductionVar(), chunksPerRow);
      Value swizzled = arith::XOrIOp::create(rewriter, loc, chunk, panels.swizzle(emit, emit.rem(row, 8)));
      Value rowBytes = emit.mul(row, panels.rowBytes), chunkBytes = emit.mul(swizzled, kChunkBytes);
      Value source = emit.offset(adaptor.getStaging().front(), emit.add(rowBytes, chunkBytes));
      Value first = emit.add(column, emit.mul(chunk, chunkElements));
      Value target = rowAddress(emit, op, adaptor, emit.add(emit.toI32(adaptor.getRow().front()), row));
      auto bytes = VectorType::get({4}, rewriter.getI32Type());
      for (int64_t panel = 0; panel < staging.getDimSize(0); ++panel) {
        Value position = emit.add(first, panel * panels.width);
        emit.when(emit.lessThan(position, columns), [&] {
          Value copied = LLVM::LoadOp::create(rewriter, loc, bytes, emit.offset(source, panel * panels.stride),
                                              /*alignment=*/kChunkBytes);
          Value address = emit.element(target, sized(staging.getElementType()), position);
          LLVM::StoreOp::create(rewriter, loc, copied, address, /*alignment=*/kChunkBytes);
        });
      }
    }
    rewriter.eraseOp(op);
    return success();
  }

  /// LLVM has no type for FP8.
  static Type sized(Type element) {
    return isa<Float8E4M3FNType>(element) ? IntegerType::get(element.getContext(), 8) : element;
  }

  /// The first element of a row of D, whose elements may be more than 2^31.
  static Value rowAddress(Emitter emit, StoreRowsOp op, OneToNOpAdaptor adaptor, Value row) {
    Value position = emit.mul(emit.toI64(row), adaptor.getD()[1]);
    if (op.getGroup())
      position = emit.add(position, emit.mul(emit.toI64(adaptor.getGroup().front()), adaptor.getD()[2]));
    return emit.element(adaptor.getD()[0], sized(cast<MemRefType>(op.getD().getType()).getElementType()), position);
  }
};

/// tma_store.wait -> thread 0 of the warpgroup: cp.async.bulk.wait_group.
struct LowerTmaStoreWait : OpConversionPattern<TmaStoreWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(TmaStoreWaitOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    emit.when(emit.equals(emit.threadInWarpgroup(), 0), [&] {
      NVVM::CpAsyncBulkWaitGroupOp::create(rewriter, op.getLoc(), rewriter.getI32IntegerAttr(op.getPending()),
                                           op.getRead() ? rewriter.getUnitAttr() : UnitAttr());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateStorePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns
      .add<LowerStoreFragment, LowerLoadFragment, LowerNamedBarrier, LowerTmaStore, LowerStoreRows, LowerTmaStoreWait>(
          converter, patterns.getContext());
}
