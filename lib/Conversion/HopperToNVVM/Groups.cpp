// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups: where each begins and ends, which one a tile belongs to.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// A row of the table: chunks before, begin, end, 0.
static constexpr int64_t kRowBytes = 16;
/// The warp that tabulates: not the one whose first thread initialises the rings.
static constexpr int64_t kScanningWarp = 1;

static VectorType rowType(OpBuilder &builder) { return VectorType::get({4}, builder.getI32Type()); }

static Value minU(Emitter emit, Value lhs, Value rhs) {
  return arith::MinUIOp::create(emit.builder, emit.loc, lhs, rhs);
}

static Value minU(Emitter emit, Value lhs, int64_t rhs) { return minU(emit, lhs, emit.i32(rhs)); }

static Value atLeast(Emitter emit, Value value, int64_t least) {
  return arith::MaxSIOp::create(emit.builder, emit.loc, value, emit.i32(least));
}

static Value select(Emitter emit, Value condition, Value yes, Value no) {
  return arith::SelectOp::create(emit.builder, emit.loc, condition, yes, no);
}

/// Entry `position` of a description of groups in global memory, which no kernel writes.
static Value loadEntry(Emitter emit, Value base, Value position) {
  Type i32 = emit.builder.getI32Type();
  Value address = emit.element(base, i32, position);
  return LLVM::LoadOp::create(emit.builder, emit.loc, i32, address, /*alignment=*/4, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, /*isInvariant=*/true);
}

static Value shuffle(Emitter emit, Value value, Value source, NVVM::ShflKind kind) {
  int64_t clamp = kind == NVVM::ShflKind::up ? 0 : kThreadsPerWarp - 1;
  Value allLanes = emit.i32(-1), last = emit.i32(clamp);
  return NVVM::ShflOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), allLanes, value, source, last, kind,
                              UnitAttr());
}

/// The sum of `value` over the lanes up to this one.
static Value inclusiveSum(Emitter emit, Value value) {
  for (int64_t distance = 1; distance < kThreadsPerWarp; distance *= 2) {
    Value below = shuffle(emit, value, emit.i32(distance), NVVM::ShflKind::up);
    Value lane = emit.lane(), from = emit.i32(distance);
    Value has = arith::CmpIOp::create(emit.builder, emit.loc, arith::CmpIPredicate::uge, lane, from);
    value = select(emit, has, emit.add(value, below), value);
  }
  return value;
}

static Value lastLane(Emitter emit, Value value) {
  return shuffle(emit, value, emit.i32(kThreadsPerWarp - 1), NVVM::ShflKind::idx);
}

static void storeRow(Emitter emit, Value table, Value row, ArrayRef<Value> values) {
  Value vector = LLVM::ZeroOp::create(emit.builder, emit.loc, rowType(emit.builder));
  for (auto [i, value] : llvm::enumerate(values))
    vector = LLVM::InsertElementOp::create(emit.builder, emit.loc, vector, value, emit.i32(i));
  LLVM::StoreOp::create(emit.builder, emit.loc, vector, emit.offset(table, emit.mul(row, kRowBytes)),
                        /*alignment=*/kRowBytes);
}

namespace {

/// scan_groups -> one warp: 32 groups at a time, all loads first, then prefix sums by shuffles.
struct LowerScanGroups : OpConversionPattern<ScanGroupsOp> {
  using OpConversionPattern::OpConversionPattern;

  struct Group {
    Value begin, end;
  };

  LogicalResult matchAndRewrite(ScanGroupsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Value limit = emit.toI32(adaptor.getLimit().front()), table = adaptor.getTable().front();
    Value source = adaptor.getGroups().front();
    int64_t count = cast<MemRefType>(op.getTable().getType()).getDimSize(0) - 1;
    emit.when(emit.equals(emit.div(emit.thread(), kThreadsPerWarp), kScanningWarp), [&] {
      // The entry of each lane's group, and for ends that of the one before.
      SmallVector<Value> entries, before;
      bool ends = op.getBy() == Grouping::row_end;
      for (int64_t first = 0; first < count; first += kThreadsPerWarp) {
        Value group = groupOf(emit, op, emit.add(emit.lane(), first), count);
        entries.push_back(loadEntry(emit, source, minU(emit, group, count - 1)));
        if (ends)
          before.push_back(loadEntry(emit, source, minU(emit, atLeast(emit, emit.sub(group, 1), 0), count - 1)));
      }
      Value chunksBefore = emit.i32(0), lengthBefore = emit.i32(0);
      for (int64_t chunk = 0; chunk < int64_t(entries.size()); ++chunk) {
        Value row = emit.add(emit.lane(), chunk * kThreadsPerWarp);
        Value inside = emit.lessThan(row, count);
        Group rows = ends ? between(emit, op, before[chunk], entries[chunk], groupOf(emit, op, row, count), limit)
                          : counted(emit, op, entries[chunk], inside, limit, lengthBefore);
        Value length = emit.sub(rows.end, rows.begin);
        Value chunks = emit.div(emit.add(length, op.getChunk() - 1), op.getChunk());
        chunks = select(emit, inside, chunks, emit.i32(0));
        Value sum = inclusiveSum(emit, chunks);
        Value first = emit.add(chunksBefore, emit.sub(sum, chunks));
        emit.when(inside, [&] { storeRow(emit, table, row, {first, rows.begin, rows.end}); });
        chunksBefore = emit.add(chunksBefore, lastLane(emit, sum));
      }
      storeRow(emit, table, emit.i32(count), chunksBefore); // every lane the same
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// The group of a row of the table: those that share weights follow each other.
  static Value groupOf(Emitter emit, ScanGroupsOp op, Value row, int64_t count) {
    int64_t sharing = op.getSharing();
    if (sharing == 1)
      return row;
    Value weights = emit.div(row, sharing), within = emit.sub(row, emit.mul(weights, sharing));
    return emit.add(emit.mul(within, count / sharing), weights);
  }

  /// row_end: from the aligned end before to the own end.
  static Group between(Emitter emit, ScanGroupsOp op, Value before, Value end, Value group, Value limit) {
    int64_t align = op.getAlign();
    Value begin = minU(emit, atLeast(emit, before, 0), limit);
    if (align > 1)
      begin = minU(emit, emit.mul(emit.div(emit.add(begin, align - 1), align), align), limit);
    Value isFirst = emit.equals(group, 0);
    begin = select(emit, isFirst, emit.i32(0), begin);
    end = minU(emit, atLeast(emit, end, 0), limit);
    return {begin, arith::MaxUIOp::create(emit.builder, emit.loc, begin, end)};
  }

  /// row_count: starts at 0; k_count: starts after all previous groups. `lengthBefore` becomes the sum with this
  /// chunk's.
  static Group counted(Emitter emit, ScanGroupsOp op, Value count, Value inside, Value limit, Value &lengthBefore) {
    Value length = minU(emit, atLeast(emit, count, 0), limit);
    if (op.getBy() == Grouping::row_count)
      return {emit.i32(0), length};
    length = select(emit, inside, length, emit.i32(0));
    Value sum = inclusiveSum(emit, length);
    Value end = emit.add(lengthBefore, sum), begin = emit.sub(end, length);
    lengthBefore = emit.add(lengthBefore, lastLane(emit, sum));
    begin = minU(emit, begin, limit);
    // Lengths that lie may overflow.
    end = arith::MaxUIOp::create(emit.builder, emit.loc, begin, minU(emit, end, limit));
    return {begin, end};
  }
};

/// find_group -> a binary search of the chunks before each group, then one vector load.
struct LowerFindGroup : OpConversionPattern<FindGroupOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FindGroupOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Location loc = op.getLoc();
    int64_t count = cast<MemRefType>(op.getTable().getType()).getDimSize(0) - 1;
    Value table = adaptor.getTable().front(), chunk = emit.toI32(adaptor.getChunk().front());
    auto rowAddress = [&](Value row) { return emit.offset(table, emit.mul(row, kRowBytes)); };
    Value group = emit.i32(0);
    for (int64_t step = llvm::PowerOf2Ceil(count) / 2; step > 0; step /= 2) {
      // Before row `count` are all chunks, so it is never taken.
      Value next = minU(emit, emit.add(group, step), count);
      Value before = LLVM::LoadOp::create(rewriter, loc, rewriter.getI32Type(), rowAddress(next), /*alignment=*/4);
      Value take = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::ule, before, chunk);
      group = select(emit, take, next, group);
    }
    Value row = LLVM::LoadOp::create(rewriter, loc, rowType(rewriter), rowAddress(group), /*alignment=*/kRowBytes);
    SmallVector<Value> results{group};
    for (int64_t i = 0; i < 3; ++i)
      results.push_back(LLVM::ExtractElementOp::create(rewriter, loc, row, emit.i32(i)));
    for (Value &result : results)
      result = arith::IndexCastUIOp::create(rewriter, loc, rewriter.getIndexType(), result);
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// count_rows -> each lane compares every 32nd row; the first 0 in the ballots.
struct LowerCountRows : OpConversionPattern<CountRowsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(CountRowsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Location loc = op.getLoc();
    Value first = emit.toI32(adaptor.getFirst().front()), limit = emit.toI32(adaptor.getLimit().front());
    SmallVector<Value> ballots;
    for (int64_t offset = 0; offset < int64_t(op.getMost()); offset += kThreadsPerWarp) {
      Value row = emit.add(first, emit.add(emit.lane(), offset));
      Value entry = loadEntry(emit, adaptor.getIndex().front(), minU(emit, row, emit.sub(limit, 1)));
      Value same = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, entry, adaptor.getGroup().front());
      same = arith::AndIOp::create(rewriter, loc, same, emit.lessThan(row, limit));
      Value different =
          arith::XOrIOp::create(rewriter, loc, same, arith::ConstantIntOp::create(rewriter, loc, 1, /*width=*/1));
      ballots.push_back(NVVM::VoteSyncOp::create(rewriter, loc, rewriter.getI32Type(), emit.i32(-1), different,
                                                 NVVM::VoteSyncKind::ballot));
    }
    Value count = emit.i32(op.getMost());
    for (int64_t i = ballots.size() - 1; i >= 0; --i) {
      Value zeros = LLVM::CountTrailingZerosOp::create(rewriter, loc, rewriter.getI32Type(), ballots[i], false);
      Value here = minU(emit, emit.add(zeros, i * kThreadsPerWarp), op.getMost());
      count = select(emit, emit.equals(ballots[i], 0), count, here);
    }
    rewriter.replaceOpWithNewOp<arith::IndexCastUIOp>(op, rewriter.getIndexType(), count);
    return success();
  }
};

/// memref.load of i32: from a table in shared memory, or from a description of groups.
struct LowerLoad : OpConversionPattern<memref::LoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::LoadOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    MemRefType type = op.getMemRefType();
    Value base = adaptor.getMemref().front();
    if (!type.getElementType().isInteger(32))
      return rewriter.notifyMatchFailure(op, "kernels load only i32");
    if (cast<LLVM::LLVMPointerType>(base.getType()).getAddressSpace() == kGlobal) {
      if (type.getRank() != 1 || !type.getLayout().isIdentity())
        return rewriter.notifyMatchFailure(op, "kernels load only from contiguous rank-1 memrefs");
      rewriter.replaceOp(op, loadEntry(emit, base, emit.toI32(adaptor.getIndices()[0].front())));
      return success();
    }
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(type.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic))
      return rewriter.notifyMatchFailure(op, "source has no static strides");
    for (auto [index, stride] : llvm::zip_equal(adaptor.getIndices(), strides))
      base = emit.offset(base, emit.mul(emit.toI32(index.front()), 4 * stride));
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, rewriter.getI32Type(), base, /*alignment=*/4);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateGroupPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerScanGroups, LowerFindGroup, LowerCountRows, LowerLoad>(converter, patterns.getContext());
}
