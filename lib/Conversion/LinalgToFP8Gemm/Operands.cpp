// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Determines the terms that a contraction sums, and which of their factors are A, B and the scales.

#include "Raising.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineMap.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

static constexpr int64_t kBlock = 128; ///< elements of K, and rows of B, that share a scale

std::string raising::shapeToString(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(shape, stream << '[', [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      stream << '?';
    else
      stream << size;
  });
  stream << ']';
  return text;
}

/// The operation that prevents tracing: 'arith.truncf' (bf16).
static std::string describe(Value obstacle) {
  std::string type = toString(getElementTypeOrSelf(obstacle.getType()));
  if (Operation *op = obstacle.getDefiningOp())
    return ("'" + op->getName().getStringRef() + "' (" + type + ")").str();
  return "a value of " + type;
}

static bool dependsOn(ArrayRef<AffineExpr> at, Loop loop) {
  return llvm::any_of(at, [&](AffineExpr index) { return index.isFunctionOfDim(loop); });
}

static int64_t blocksOf(int64_t elements, int64_t block) {
  return ShapedType::isDynamic(elements) ? elements : int64_t(llvm::divideCeil(elements, block));
}

/// Element (row, k), or (group, row, k), of a side; (row of a, row of b, k) where it is of both.
std::string Raising::place(const Factor &factor, Loop row) {
  const View &view = factor.views.back();
  SmallVector<Loop> order{row, kColumn};
  if (isBatched)
    order.insert(order.begin(), kGroup);
  if (dependsOn(view.at, row == kRowOfA ? kRowOfB : kRowOfA))
    order.insert(order.end() - 1, row == kRowOfA ? kRowOfB : kRowOfA);
  SmallVector<AffineExpr> dims(kLoops, getAffineConstantExpr(0, op.getContext()));
  for (auto [position, which] : llvm::enumerate(order))
    dims[which] = getAffineDimExpr(position, op.getContext());
  SmallVector<AffineExpr> at;
  for (AffineExpr index : view.at)
    at.push_back(index.replaceDims(dims));
  return toString(AffineMap::get(order.size(), 0, at, op.getContext())) + " of " + toString(view.tensor.getType());
}

/// The values whose product the body of a contraction adds to the sum: one, or the two of an fma. None where it does
/// something else.
static SmallVector<Value> summandsOf(linalg::LinalgOp op, Value sum) {
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  if (auto fma = yielded.getDefiningOp<math::FmaOp>(); fma && fma.getC() == sum)
    return {fma.getA(), fma.getB()};
  auto add = yielded.getDefiningOp<arith::AddFOp>();
  if (add && (add.getLhs() == sum || add.getRhs() == sum))
    return {add.getLhs() == sum ? add.getRhs() : add.getLhs()};
  return {};
}

LogicalResult Raising::findFactors() {
  Value sum = op.getMatchingBlockArgument(op.getDpsInitOperand(0));
  if (!sum.getType().isF32())
    return refuse("expected the sum in f32, got " + toString(sum.getType()));
  SmallVector<Value> summands = summandsOf(op, sum);
  if (summands.empty())
    return refuse("expected the body to yield the sum plus one product and nothing else, got " +
                  describe(op.getBlock()->getTerminator()->getOperand(0)));
  Value obstacle;
  FailureOr<SmallVector<Factor>> found = factorsOf(op, summands, loops, obstacle);
  if (failed(found))
    return refuse("expected a product of extended elements in f32, got " + describe(obstacle));
  factors = *found;
  return success();
}

LogicalResult Raising::refuse(const Twine &reason) {
  op->emitRemark(isBatched ? "not raised to fp8gemm.grouped_gemm: " : "not raised to fp8gemm.gemm: ") << reason;
  return failure();
}

/// Whether an index is the one of a dimension with this extent.
bool Raising::isFor(AffineExpr index, AffineExpr expected, int64_t extent) {
  return index == expected || (extent == 1 && index == getAffineConstantExpr(0, op.getContext()));
}

/// The side on whose rows a factor depends; null if on those of both, or of none.
Side *Raising::sideOf(const Factor &factor) {
  for (ArrayRef<AffineExpr> at : {ArrayRef(factor.views.back().at), ArrayRef(factor.inContraction)}) {
    bool ofA = dependsOn(at, kRowOfA), ofB = dependsOn(at, kRowOfB);
    if (ofA != ofB)
      return ofA ? &a : &b;
  }
  return nullptr;
}

/// Gives each factor to a side: one without a row to that which lacks one of its kind.
LogicalResult Raising::findSides() {
  if (llvm::all_of(factors, [](const Factor &factor) { return factor.isF8(); }))
    return refuse(
        "expected scales among the factors that are summed, got none; scales that multiply sums, of all of K or "
        "of its blocks, are not recognised");
  SmallVector<Factor *> ofNone;
  for (Factor &factor : factors) {
    if (Side *side = sideOf(factor))
      (factor.isF8() ? side->matrices : side->scales).push_back(factor);
    else if (dependsOn(factor.views.back().at, kRowOfA))
      return refuse("expected each factor to depend on rows of one matrix, got element (row of a, row of b, k) at " +
                    place(factor, kRowOfA));
    else
      ofNone.push_back(&factor);
  }
  for (Factor *factor : ofNone) {
    auto of = [&](Side &side) -> SmallVector<Factor> & { return factor->isF8() ? side.matrices : side.scales; };
    of(of(a).size() <= of(b).size() ? a : b).push_back(*factor);
  }
  for (Side *side : {&a, &b}) {
    for (const Factor &factor : side->scales)
      if (side->matrices.empty() && factor.obstacle && factor.obstacle.getDefiningOp())
        return refuse("expected '" + side->name +
                      "' to be FP8 elements, extended and multiplied by scales in f32, got " +
                      describe(factor.obstacle));
    if (side->matrices.size() != 1)
      return refuse("expected one factor of f8E4M3FN or f8E5M2 in '" + side->name + "', got " +
                    Twine(side->matrices.size()));
    if (side->scales.size() != 1)
      return refuse("expected one factor of scales in '" + side->name + "', got " + Twine(side->scales.size()));
  }
  return success();
}

/// Finds the view of the matrix that is stored as the operation reads it.
LogicalResult Raising::matchMatrix(Side &side) {
  SmallVector<int64_t> shape{extents[side.row], extents[kColumn]};
  if (isBatched)
    shape.insert(shape.begin(), extents[kGroup]);
  const Factor &factor = side.matrices.front();
  const View *found = nullptr;
  for (const View &view : llvm::reverse(factor.views)) {
    size_t rank = view.at.size();
    if (rank != shape.size() || !isOfGroup(view) || !isFor(view.at[rank - 2], indexOf(side.row), extents[side.row]) ||
        !isFor(view.at[rank - 1], indexOf(kColumn), extents[kColumn]))
      continue;
    found = &view;
    // Where nothing is cut off a dynamic size is the loop's.
    auto isWhole = [&](int64_t size, int64_t extent) {
      return ShapedType::isDynamic(size) || ShapedType::isDynamic(extent) ? !view.isCut : size == extent;
    };
    if (!llvm::all_of(llvm::zip_equal(view.getShape(), shape),
                      [&](auto pair) { return isWhole(std::get<0>(pair), std::get<1>(pair)); }))
      continue;
    side.matrix = view.tensor;
    return success();
  }
  if (found)
    return refuse("expected '" + side.name + "' to be " + shapeToString(shape) + ", as the loops are, got " +
                  (found->isCut ? "a part of " : "") + toString(found->tensor.getType()));
  return refuse("expected '" + side.name + "' to be " + (isBatched ? "[groups, rows, K]" : "[rows, K]") +
                " with K innermost, got " + element() + " at " + place(factor, side.row));
}

/// Finds the view of the scales whose index says which block of the matrix each serves.
LogicalResult Raising::matchScales(Side &side) {
  const Factor &factor = side.scales.front();
  int64_t kBlocks = blocksOf(extents[kColumn], kBlock);
  std::string wrongShape;
  for (const View &view : llvm::reverse(factor.views)) {
    size_t rank = view.at.size();
    if (rank != (isBatched ? 3 : 2) || !isOfGroup(view))
      continue;
    for (int64_t rows : {int64_t(1), kBlock})
      for (ScaleLayout layout : {ScaleLayout::k_major, ScaleLayout::mn_major}) {
        bool kMajor = layout == ScaleLayout::k_major;
        int64_t rowDim = rank - (kMajor ? 2 : 1), kDim = rank - (kMajor ? 1 : 2);
        int64_t rowBlocks = blocksOf(extents[side.row], rows);
        bool isThat = isFor(view.at[rowDim], indexOf(side.row).floorDiv(rows), rowBlocks) &&
                      isFor(view.at[kDim], indexOf(kColumn).floorDiv(kBlock), kBlocks);
        if (!isThat || (rows != 1 && side.row == kRowOfA))
          continue;
        // Only mn_major rows may be stored longer than they are used (C10, C11). For row blocks, and
        // after a slice, a dynamic size may be anything.
        int64_t stored = view.getShape()[rowDim];
        bool isDynamic = ShapedType::isDynamic(stored) || ShapedType::isDynamic(rowBlocks);
        bool isImplied = (rows == 1 || ShapedType::isDynamic(rowBlocks)) && !view.isCut;
        bool hasRows = !kMajor || (isDynamic ? isImplied : stored == rowBlocks);
        if (hasRows && view.getShape()[kDim] == kBlocks) {
          side.scale = view.tensor;
          side.attribute = ScaleAttr::get(op.getContext(), rows, kBlock, layout);
          return success();
        }
        SmallVector<int64_t> shape(view.getShape());
        shape[kDim] = kBlocks;
        shape[rowDim] = kMajor ? rowBlocks : stored;
        if (wrongShape.empty())
          wrongShape = shapeToString(shape) + " (" + stringifyScaleLayout(layout).str() + "), got " +
                       toString(view.tensor.getType());
      }
  }
  if (!wrongShape.empty())
    return refuse("expected scales of '" + side.name + "' to be " + wrongShape);
  if (!factor.getElementType().isF32())
    return refuse("expected scales of '" + side.name + "' in f32, got " + toString(factor.getElementType()));
  return refuse("expected one scale for 1x128 " + Twine(side.row == kRowOfB ? "or 128x128 " : "") + "elements of '" +
                side.name + "', got that of " + element() + " at " + place(factor, side.row));
}
