// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of grouped products: which rows, or which part of K, make a product of
// matrices; that itself is written as for fp8gemm.gemm. What a description says is cut to
// what is there, so that a wrong one reads and writes nothing else.

#include "Writer.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::linalg_conversion;

/// Matrix `group` of a value of rank 3, or all of one of rank 2; of it `size` rows (dimension
/// 0) or columns (1) from `first`.
static Window window(Writer &w, Value source, Value group, unsigned dim, OpFoldResult first, OpFoldResult size) {
  unsigned rank = cast<ShapedType>(source.getType()).getRank();
  Window window{SmallVector<OpFoldResult>(rank, w.getIndexAttr(0)), {}, 2};
  for (unsigned i = 0; i < rank; ++i)
    window.sizes.push_back(w.size(source, i));
  if (rank == 3) {
    window.offsets[0] = group;
    window.sizes[0] = w.getIndexAttr(1);
  }
  window.offsets[rank - 2 + dim] = first;
  window.sizes[rank - 2 + dim] = size;
  return window;
}

/// All of matrix `group`.
static Window window(Writer &w, Value source, Value group) {
  unsigned rank = cast<ShapedType>(source.getType()).getRank();
  return window(w, source, group, 0, w.getIndexAttr(0), w.size(source, rank - 2));
}

/// The dimension of a matrix of scales that counts K blocks.
static unsigned kDim(ScaleAttr scale) { return scale.getLayout() == ScaleLayout::k_major ? 1 : 0; }

namespace {
/// Rows that are multiplied with the B of one group.
struct Rows {
  Value group, first;
  OpFoldResult count;
};

/// fp8gemm.grouped_gemm → a loop over the groups, or over the blocks of rows that have one
/// index, that writes the product of the rows.
struct ConvertGroupedGemm : OpRewritePattern<GroupedGemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GroupedGemmOp op, PatternRewriter &rewriter) const override {
    Writer w(rewriter, op);
    Value d = op.getD();
    OpFoldResult m = w.size(ShapedType::isDynamic(op.getM()) ? d : op.getA(), op.isContiguous() ? 0 : 1);
    Value sfd = op.getSfd();
    // Without rows D has no elements; and upstream refuses slices of none.
    if (!isConstantIntValue(m, 0)) {
      auto multiply = [&](const Rows &rows, Value state) { return multiplyRows(w, op, rows, state); };
      if (!sfd) {
        d = forRows(w, op, m, d, multiply);
      } else {
        SmallVector<OpFoldResult> sizes;
        for (unsigned dim = 0; dim < cast<ShapedType>(d.getType()).getRank(); ++dim)
          sizes.push_back(w.size(d, dim));
        Value temporary = w.temporary(sizes), product = forRows(w, op, m, temporary, multiply);
        sfd = forRows(w, op, m, sfd, [&](const Rows &rows, Value state) {
          Window part = scalesOf(w, op, rows, state);
          Quantization quantization = quantizationOf(w, op, rows, product);
          Value scales = writeScales(w, quantization, w.slice(state, part));
          return w.insert(scales, state, part);
        });
        d = forRows(w, op, m, d, [&](const Rows &rows, Value state) {
          Window dRows = window(w, state, rows.group, 0, rows.first, rows.count);
          Quantization quantization = quantizationOf(w, op, rows, product);
          Value scales = w.slice(sfd, scalesOf(w, op, rows, sfd));
          Value elements = w.slice(state, dRows);
          elements = writeElements(w, quantization, scales, elements);
          return w.insert(elements, state, dRows);
        });
        w.free(product);
      }
    }
    rewriter.replaceOp(op, w.results(d, sfd));
    return success();
  }

private:
  /// `body` for the rows of each group, or of each block of rows that have one index.
  static Value forRows(Writer &w, GroupedGemmOp op, OpFoldResult m, Value state,
                       llvm::function_ref<Value(const Rows &, Value)> body) {
    OpFoldResult count = w.getIndexAttr(op.getGroupCount());
    if (op.getGroups() && op.getGroupingAttr().getKind() == GroupingKind::row_index)
      count = w.divideCeil(w.value(m), op.getGroupingAttr().getAlign());
    return w.loop(count, state, [&](Value i, Value state) {
      Rows rows = rowsOf(w, op, i, m);
      if (!op.getGroups())
        return body(rows, state);
      return w.when(w.isPositive(w.value(rows.count)), state, [&] { return body(rows, state); });
    });
  }

  /// That of these rows of `product`.
  static Quantization quantizationOf(Writer &w, GroupedGemmOp op, const Rows &rows, Value product) {
    Value x = w.slice(product, window(w, product, rows.group, 0, rows.first, rows.count));
    return {x, op.getDScaleAttr(), op.getPowerOfTwo(), op.getDElement(), rows.count, op.getColumnsOfD()};
  }

  static Window scalesOf(Writer &w, GroupedGemmOp op, const Rows &rows, Value scales) {
    return window(w, scales, rows.group, 1 - kDim(op.getDScaleAttr()), rows.first, rows.count);
  }

  /// The rows of group i, or of block i.
  static Rows rowsOf(Writer &w, GroupedGemmOp op, Value i, OpFoldResult m) {
    Value groups = op.getGroups();
    if (!groups)
      return {i, w.index(0), m};
    int64_t align = op.getGroupingAttr().getAlign();
    switch (op.getGroupingAttr().getKind()) {
    case GroupingKind::row_index:
      return rowsOfBlock(w, op, w.multiply(i, w.getIndexAttr(align)), m);
    case GroupingKind::row_end: {
      Value first = w.clamp(alignUp(w, endBefore(w, groups, i), align), m);
      Value end = w.clamp(w.load(groups, i), m);
      return {i, first, w.subtract(end, first)};
    }
    case GroupingKind::row_count:
    case GroupingKind::k_count: // not of this operation
      break;
    }
    return {i, w.index(0), w.clamp(w.load(groups, i), m)};
  }

  /// The rows of the block that starts at row `first`, up to one of another index; none if that is
  /// no group.
  static Rows rowsOfBlock(Writer &w, GroupedGemmOp op, Value first, OpFoldResult m) {
    Value last = w.smaller(w.add(first, w.index(op.getGroupingAttr().getAlign())), m);
    Value group = w.load(op.getGroups(), first);
    Value end = w.reduce(first, last, last, [&](Value row, Value end) -> Value {
      Value same = w.compare(arith::CmpIPredicate::eq, w.load(op.getGroups(), row), group);
      return w.select(same, end, w.smaller(end, row));
    });
    // Unsigned, -1 is larger than every group.
    Value isGroup = w.compare(arith::CmpIPredicate::ult, group, w.index(op.getGroupCount()));
    Value length = w.subtract(end, first);
    return {group, first, w.select(isGroup, length, w.index(0))};
  }

  /// Where the rows of the group before i end; 0 for the first group.
  static Value endBefore(Writer &w, Value ends, Value i) {
    Value isFirst = w.compare(arith::CmpIPredicate::eq, i, w.index(0));
    Value before = w.select(isFirst, i, w.subtract(i, w.index(1)));
    Value zero = w.index(0);
    return w.select(isFirst, zero, w.load(ends, before));
  }

  static Value alignUp(Writer &w, Value row, int64_t align) {
    return w.multiply(w.divideCeil(row, align), w.getIndexAttr(align));
  }

  /// What an operand of the epilogue has for these rows.
  static Value epiloguePart(Writer &w, Value operand, const Rows &rows) {
    ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
    if (shape.size() < 2)
      return operand;
    bool hasGroups = shape.size() == 3 && shape[0] != 1, hasRows = shape[shape.size() - 2] != 1;
    Value group = hasGroups ? rows.group : w.index(0);
    return w.slice(operand, hasRows ? window(w, operand, group, 0, rows.first, rows.count) : window(w, operand, group));
  }

  static Value multiplyRows(Writer &w, GroupedGemmOp op, const Rows &rows, Value d) {
    auto part = [&](Value source, unsigned dim) {
      return w.slice(source, window(w, source, rows.group, dim, rows.first, rows.count));
    };
    Value matrix = rows.group; // of B: those of groups with the same remainder are one
    if (int64_t matrices = cast<ShapedType>(op.getB().getType()).getDimSize(0); matrices != op.getGroupCount())
      matrix = arith::RemUIOp::create(w, rows.group, w.index(matrices));
    auto whole = [&](Value source) { return w.slice(source, window(w, source, matrix)); };
    Window dRows = window(w, d, rows.group, 0, rows.first, rows.count);
    Value c = op.getC() ? w.slice(op.getC(), dRows) : Value();
    SmallVector<Value> epilogueOperands;
    for (Value operand : op.getEpilogueOperands())
      epilogueOperands.push_back(epiloguePart(w, operand, rows));
    Value result = write(w, {part(op.getA(), 0), part(op.getSfa(), 1 - kDim(op.getAScale())), whole(op.getB()),
                             whole(op.getSfb()), c, w.slice(d, dRows), op.getAScale(), op.getBScale(), rows.count,
                             w.getIndexAttr(op.getN()), w.getIndexAttr(op.getK()), op.getEpilogueBody(), op.isGated(),
                             epilogueOperands});
    return w.insert(result, d, dRows);
  }
};

/// fp8gemm.k_grouped_gemm → a loop over the groups that writes the product of the group's
/// part of K.
struct ConvertKGroupedGemm : OpRewritePattern<KGroupedGemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KGroupedGemmOp op, PatternRewriter &rewriter) const override {
    Writer w(rewriter, op);
    Value d = w.loop(w.getIndexAttr(op.getGroupCount()), op.getD(), [&](Value group, Value d) {
      Part part = partOf(w, op, group);
      // In place, a group of length 0 is not touched: not even a -0 becomes 0.
      if (!op.isInPlace())
        return multiplyPart(w, op, group, part, d);
      return w.when(w.isPositive(part.length), d, [&] { return multiplyPart(w, op, group, part, d); });
    });
    rewriter.replaceOp(op, w.isOnTensors() ? ValueRange(d) : ValueRange());
    return success();
  }

private:
  /// A group's part of K.
  struct Part {
    Value start, length;      ///< elements of K
    Value firstBlock, blocks; ///< scales of K blocks
  };

  static Part partOf(Writer &w, KGroupedGemmOp op, Value group) {
    int64_t blockK = op.getAScale().getColumns();
    Value zero = w.index(0);
    auto lengthOf = [&](Value i) -> Value { return arith::MaxSIOp::create(w, w.load(op.getGroups(), i), zero); };
    Value start = w.reduce(zero, group, zero, [&](Value i, Value sum) { return w.add(sum, lengthOf(i)); });
    Value firstBlock =
        w.reduce(zero, group, zero, [&](Value i, Value sum) { return w.add(sum, w.divideCeil(lengthOf(i), blockK)); });
    start = w.smaller(start, ksum(w, op));
    firstBlock = w.smaller(firstBlock, w.size(op.getSfa(), kDim(op.getAScale())));
    Value own = lengthOf(group);
    Value length = w.smaller(own, w.subtract(ksum(w, op), start));
    Value blocksLeft = w.subtract(w.size(op.getSfa(), kDim(op.getAScale())), firstBlock);
    length = w.smaller(length, w.multiply(blocksLeft, w.getIndexAttr(blockK)));
    return {start, length, firstBlock, w.divideCeil(length, blockK)};
  }

  static Value ksum(Writer &w, KGroupedGemmOp op) {
    Value size = w.value(w.size(op.getA(), op.isFlattened() ? 0 : 1));
    return op.isFlattened() ? arith::DivSIOp::create(w, size, w.index(op.getM())).getResult() : size;
  }

  static Value multiplyPart(Writer &w, KGroupedGemmOp op, Value group, const Part &part, Value d) {
    auto matrix = [&](Value source, int64_t rows) {
      if (!op.isFlattened())
        return w.slice(source, window(w, source, group, 1, part.start, part.length));
      OpFoldResult count = w.getIndexAttr(rows);
      OpFoldResult first = w.multiply(part.start, count), length = w.multiply(part.length, count);
      Value elements = w.slice(source, first, length);
      return w.matrix(elements, rows, part.length);
    };
    auto scales = [&](Value source, ScaleAttr scale) {
      return w.slice(source, window(w, source, group, kDim(scale), part.firstBlock, part.blocks));
    };
    Window dGroup = window(w, d, group);
    Value c = op.getC() ? w.slice(op.getC(), dGroup) : Value();
    Value result =
        write(w, {matrix(op.getA(), op.getM()), scales(op.getSfa(), op.getAScale()), matrix(op.getB(), op.getN()),
                  scales(op.getSfb(), op.getBScale()), c, w.slice(d, dGroup), op.getAScale(), op.getBScale(),
                  w.getIndexAttr(op.getM()), w.getIndexAttr(op.getN()), part.length});
    return w.insert(result, d, dGroup);
  }
};
} // namespace

void fp8gemm::linalg_conversion::populateGroupedPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertGroupedGemm, ConvertKGroupedGemm>(patterns.getContext());
}
