// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fp8gemm;

/// Scales in the 16 bytes that rows of them are aligned to (C13, C14).
static constexpr int64_t kAlignedScales = 4;

namespace {

/// A product of no rows → its destination, which has no elements.
template <typename ProductOp> struct FoldNoRows : OpRewritePattern<ProductOp> {
  using OpRewritePattern<ProductOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ProductOp op, PatternRewriter &rewriter) const override {
    if (!llvm::is_contained(cast<ShapedType>(op.getD().getType()).getShape(), 0))
      return rewriter.notifyMatchFailure(op, "D may have elements");
    SmallVector<Value> results;
    if (op->getNumResults())
      llvm::append_range(results, op.getDpsInits());
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// Some rows of a product → the product of these rows of A, its scales and C. What a row is does not depend on the
/// other rows (docs/Numerics.md, Reproducibility), so nothing changes but the work.
struct SinkRowSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp slice, PatternRewriter &rewriter) const override;
};

} // namespace

/// Rows of `matrix`, all columns.
static Value sliceRows(OpBuilder &builder, Location loc, Value matrix, OpFoldResult first, OpFoldResult rows) {
  int64_t columns = cast<RankedTensorType>(matrix.getType()).getDimSize(1);
  SmallVector<OpFoldResult> offsets{first, builder.getIndexAttr(0)}, sizes{rows, builder.getIndexAttr(columns)};
  SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, loc, matrix, offsets, sizes, strides);
}

/// The columns of mn_major scales that serve rows from `first` on: those requested, rounded up to what rows of
/// scales are aligned to. Null where they can't be cut out in whole aligned pieces.
static Value sliceScaleColumns(OpBuilder &builder, Location loc, Value scales, OpFoldResult first, OpFoldResult rows) {
  auto type = cast<RankedTensorType>(scales.getType());
  std::optional<int64_t> start = getConstantIntValue(first), count = getConstantIntValue(rows);
  if (!start || !count || *start % kAlignedScales != 0 || type.isDynamicDim(1))
    return nullptr;
  int64_t columns = llvm::alignTo(*count, kAlignedScales);
  if (*start + columns > type.getDimSize(1))
    return nullptr;
  SmallVector<OpFoldResult> offsets{builder.getIndexAttr(0), first};
  SmallVector<OpFoldResult> sizes{builder.getIndexAttr(type.getDimSize(0)), builder.getIndexAttr(columns)};
  SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, loc, scales, offsets, sizes, strides);
}

LogicalResult SinkRowSlice::matchAndRewrite(tensor::ExtractSliceOp slice, PatternRewriter &rewriter) const {
  auto op = slice.getSource().getDefiningOp<GemmOp>();
  if (!op || !op->hasOneUse())
    return rewriter.notifyMatchFailure(slice, "not the only use of a gemm");
  if (op->getBlock() != slice->getBlock())
    return rewriter.notifyMatchFailure(slice, "in a loop or a branch: it might be computed more than once");
  if (op.getSfd())
    return rewriter.notifyMatchFailure(slice, "the scales of D would have to be sliced, too");
  // A schedule was chosen, and a kernel built, for these rows.
  if (op.getConfigAttr() || op.getKernelAttr())
    return rewriter.notifyMatchFailure(slice, "the gemm has a schedule");
  if (slice.getType().getRank() != 2 || slice.getType().isDynamicDim(1) || !slice.hasUnitStride() ||
      !isConstantIntValue(slice.getMixedOffsets()[1], 0) ||
      !isConstantIntValue(slice.getMixedSizes()[1], op.getColumnsOfD()))
    return rewriter.notifyMatchFailure(slice, "not whole rows");
  OpFoldResult first = slice.getMixedOffsets()[0], rows = slice.getMixedSizes()[0];
  if (isConstantIntValue(first, 0) && getConstantIntValue(rows) == op.getM())
    return rewriter.notifyMatchFailure(slice, "all rows");
  bool mnMajor = op.getAScale().getLayout() == ScaleLayout::mn_major;
  Location loc = op.getLoc();
  Value sfa = mnMajor ? sliceScaleColumns(rewriter, loc, op.getSfa(), first, rows)
                      : sliceRows(rewriter, loc, op.getSfa(), first, rows);
  if (!sfa)
    return rewriter.notifyMatchFailure(slice, "scales that can't be cut there");
  Value a = sliceRows(rewriter, loc, op.getA(), first, rows), d = sliceRows(rewriter, loc, op.getD(), first, rows);
  Value c = !op.getC() || op.isInPlace() ? op.getC() : sliceRows(rewriter, loc, op.getC(), first, rows);
  SmallVector<Value> epilogueOperands; // what serves all rows of D stays, what has them is sliced like it
  for (Value operand : op.getEpilogueOperands())
    epilogueOperands.push_back(broadcastOf(operand).rows ? sliceRows(rewriter, loc, operand, first, rows) : operand);
  auto sliced = GemmOp::create(rewriter, loc, {a, sfa, op.getAScale()}, {op.getB(), op.getSfb(), op.getBScale()}, d,
                               op.isInPlace() ? d : c);
  sliced.getEpilogueOperandsMutable().assign(epilogueOperands);
  sliced.setGated(op.getGated());
  if (op.getEpilogueBody())
    rewriter.cloneRegionBefore(op.getEpilogue(), sliced.getEpilogue(), sliced.getEpilogue().end());
  rewriter.replaceOp(slice, sliced);
  return success();
}

void GemmOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldNoRows<GemmOp>, SinkRowSlice>(context);
}

void GroupedGemmOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldNoRows<GroupedGemmOp>>(context);
}

/// None: neither M nor K may be 0 in its types (K4, K5), and which groups are empty only their lengths say.
void KGroupedGemmOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Of the destination.
template <typename ProductOp>
static LogicalResult reify(ProductOp op, OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  if (op->getNumResults() == 0)
    return failure();
  for (Value init : op.getDpsInits())
    shapes.push_back(tensor::getMixedSizes(builder, op.getLoc(), init));
  return success();
}

LogicalResult GemmOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reify(*this, builder, shapes);
}
LogicalResult GroupedGemmOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reify(*this, builder, shapes);
}
LogicalResult KGroupedGemmOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reify(*this, builder, shapes);
}
