// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantisation in linalg: the largest magnitude of each block is a reduction, and the elements times the reciprocal of
// its scale are rounded to FP8.

#include "Fusing.h"
#include "Raising.h"
#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

static constexpr int64_t kBlock = 128; ///< elements of a row that share a scale
static constexpr float kLeastAmax = 1e-4f;

static bool isConstant(Value value, float expected) {
  std::optional<APFloat> constant = constantOf(value);
  return constant && &constant->getSemantics() == &APFloat::IEEEsingle() && constant->convertToFloat() == expected;
}

namespace {

/// The quantisation whose elements `rounding` makes.
class Quantization {
public:
  explicit Quantization(linalg::LinalgOp rounding) : rounding(rounding), builder(rounding.getContext()) {}

  void raise();

private:
  LogicalResult match();
  LogicalResult matchShape();
  LogicalResult matchScale(const Scalar &scale);
  LogicalResult matchLargest(const Scalar &largest);
  LogicalResult replace();
  void eraseUnused();

  LogicalResult refuse(const Twine &reason) {
    rounding->emitRemark("not raised to fp8gemm.quantize: ") << reason;
    return failure();
  }
  AffineExpr row() { return getAffineDimExpr(0, rounding.getContext()); }
  AffineExpr column() { return getAffineDimExpr(1, rounding.getContext()); }

  linalg::LinalgOp rounding;
  OpBuilder builder;
  Scalars scalars;
  Scalar x, scale;
  Value source, scales; ///< X, and the scales that the elements are divided by, as they are in linalg
  int64_t block = 0;
};

} // namespace

/// A reduction in the chain of values that `value` is computed from: its result, as the element of a tensor.
static std::optional<Scalar> largestOf(Scalars &scalars, const Scalar &scalar, unsigned depth = 0) {
  constexpr unsigned kMostDepth = 8;
  if (!scalar.op) {
    auto reduction = scalar.value ? scalar.value.getDefiningOp<linalg::LinalgOp>() : linalg::LinalgOp();
    return reduction && reduction.getNumReductionLoops() == 1 ? std::optional(scalar) : std::nullopt;
  }
  Operation *op = scalar.value.getDefiningOp();
  if (!op || depth == kMostDepth)
    return std::nullopt;
  for (Value operand : op->getOperands())
    if (std::optional<Scalar> found = largestOf(scalars, scalars.operand(scalar, operand), depth + 1))
      return found;
  return std::nullopt;
}

/// Elements of [M, K], or of [M, blocks, 128].
LogicalResult Quantization::matchShape() {
  auto type = cast<RankedTensorType>(rounding->getResult(0).getType());
  if (type.getRank() == 3 && !ShapedType::isDynamic(type.getDimSize(1)) && !ShapedType::isDynamic(type.getDimSize(2)))
    return success();
  if (type.getRank() == 2 && !type.isDynamicDim(1))
    return success();
  return refuse("expected rows, or blocks of rows, of a static length, got " + toString(type));
}

/// amax(m, kb) = max over k in block kb of |X[m, k]|
LogicalResult Quantization::matchLargest(const Scalar &largest) {
  auto reduction = largest.value.getDefiningOp<linalg::LinalgOp>();
  unsigned number = cast<OpResult>(largest.value).getResultNumber();
  OpOperand *init = reduction.getDpsInitOperand(number);
  BlockArgument running = reduction.getMatchingBlockArgument(init);
  Value yielded = reduction.getBlock()->getTerminator()->getOperand(number);
  auto maximum = yielded.getDefiningOp<arith::MaximumFOp>();
  auto fill = init->get().getDefiningOp<linalg::FillOp>();
  std::optional<APFloat> start = fill ? constantOf(fill.getInputs()[0]) : std::nullopt;
  if (!maximum || (maximum.getLhs() != running && maximum.getRhs() != running) || !start ||
      start->isNaN() || !(start->isZero() || start->isNegative()))
    return refuse("expected the largest magnitude of a block by arith.maximumf, from zero or less, got another reduction");
  Scalar body{yielded, reduction, Coordinates(reduction.getNumLoops()), {}};
  AffineMap output = reduction.getMatchingIndexingMap(init);
  for (auto [index, dim] : llvm::zip_equal(largest.at, output.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(dim)) // others are those of a dimension of size 1
      body.at[loop.getPosition()] = index;
  }
  for (auto [loop, index] : llvm::enumerate(body.at))
    if (!index) { // the one that is reduced
      block = reduction.getStaticLoopRanges()[loop];
      index = column() % block;
    }
  Scalar magnitude = scalars.operand(body, maximum.getLhs() == running ? maximum.getRhs() : maximum.getLhs());
  auto absolute = magnitude.definedBy<math::AbsFOp>();
  if (!absolute)
    return refuse("expected the largest magnitude of a block, by math.absf, got the largest of other values");
  Scalar element = scalars.operand(magnitude, absolute.getOperand());
  scalars.visited.insert(reduction);
  if (!element.isSameElement(x))
    return refuse("expected the largest magnitude of the elements that are divided, got that of others");
  return success();
}

/// max(amax(m, kb), 1e-4) / 448
LogicalResult Quantization::matchScale(const Scalar &ofBlock) {
  bool isE5M2 = isa<Float8E5M2Type>(getElementTypeOrSelf(rounding->getResult(0).getType()));
  std::string formula = isE5M2 ? "max(amax, 1e-4) / 57344" : "max(amax, 1e-4) / 448";
  auto wrong = [&](const Scalar &got) {
    Operation *op = got.op ? got.value.getDefiningOp() : nullptr;
    std::string name = op ? "'" + op->getName().getStringRef().str() + "'" : "none";
    return refuse("expected scales " + formula + " by these operations, since others have other bits, got " + name);
  };
  auto division = ofBlock.definedBy<arith::DivFOp>();
  if (!division || !isConstant(division.getRhs(), isE5M2 ? 57344 : 448))
    return wrong(ofBlock);
  Scalar limited = scalars.operand(ofBlock, division.getLhs());
  Value other;
  if (auto maximum = limited.definedBy<arith::MaximumFOp>()) {
    bool isLeft = isConstant(maximum.getLhs(), kLeastAmax);
    other = isLeft || isConstant(maximum.getRhs(), kLeastAmax) ? isLeft ? maximum.getRhs() : maximum.getLhs() : Value();
  } else if (auto select = limited.definedBy<arith::SelectOp>()) { // clamp
    auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
    bool isLess = compare && (compare.getPredicate() == arith::CmpFPredicate::ULT ||
                              compare.getPredicate() == arith::CmpFPredicate::OLT);
    if (isLess && isConstant(select.getTrueValue(), kLeastAmax) && isConstant(compare.getRhs(), kLeastAmax) &&
        compare.getLhs() == select.getFalseValue())
      other = select.getFalseValue();
  }
  if (!other)
    return wrong(limited);
  Scalar largest = scalars.operand(limited, other);
  if (largest.op || !largest.value.getDefiningOp<linalg::LinalgOp>())
    return wrong(largest);
  return matchLargest(largest);
}

LogicalResult Quantization::match() {
  auto type = cast<RankedTensorType>(rounding->getResult(0).getType());
  Scalar rounded{rounding.getBlock()->getTerminator()->getOperand(0), rounding, {row(), column()}, {}};
  if (type.getRank() == 3)
    rounded.at = {row(), column().floorDiv(type.getDimSize(2)), column() % type.getDimSize(2)};
  auto truncation = rounded.definedBy<arith::TruncFOp>();
  if (!truncation || !truncation.getIn().getType().isF32())
    return failure();
  Scalar scaled = scalars.operand(rounded, truncation.getIn());
  std::optional<Scalar> largest;
  if (auto product = scaled.definedBy<arith::MulFOp>()) {
    for (auto [one, two] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())}) {
      Scalar reciprocal = scalars.operand(scaled, one);
      auto division = reciprocal.definedBy<arith::DivFOp>();
      if (largest || !division || !isConstant(division.getLhs(), 1))
        continue;
      scale = scalars.operand(reciprocal, division.getRhs());
      largest = largestOf(scalars, scale);
      x = scalars.operand(scaled, two);
    }
  } else if (auto quotient = scaled.definedBy<arith::DivFOp>()) {
    scale = scalars.operand(scaled, quotient.getRhs());
    largest = largestOf(scalars, scale);
    x = scalars.operand(scaled, quotient.getLhs());
  }
  if (!largest) // by a scale that was known before, or that is multiplied by: another quantisation
    return failure();
  if (failed(matchShape()) || failed(matchScale(scale)))
    return failure();
  if (block != kBlock)
    return refuse("expected blocks of 128 elements of a row, got " + Twine(block));
  if (auto extension = x.definedBy<arith::ExtFOp>()) // exact
    if (Scalar narrow = scalars.operand(x, extension.getIn()); narrow.tensorAt({row(), column()}))
      x = narrow;
  source = x.tensorAt({row(), column()});
  scales = scale.tensorAt({row(), column().floorDiv(kBlock)});
  if (!scales)
    scales = scale.tensorAt({row(), column().floorDiv(kBlock), getAffineConstantExpr(0, rounding.getContext())});
  if (!source || !scales)
    return refuse("expected X [M, K] and scales [M, blocks], got other shapes");
  if (source.getParentBlock() != rounding->getBlock() || scales.getParentBlock() != rounding->getBlock())
    return refuse("expected X, its scales and Q in one block");
  return success();
}

void Quantization::eraseUnused() {
  SmallVector<Operation *> ops(scalars.visited.begin(), scalars.visited.end());
  ops.push_back(rounding);
  llvm::sort(ops, [](Operation *a, Operation *b) { return a != b && b->isBeforeInBlock(a); });
  ops.erase(llvm::unique(ops), ops.end());
  for (Operation *op : ops)
    if (op->use_empty())
      op->erase();
}

LogicalResult Quantization::replace() {
  Location loc = rounding.getLoc();
  builder.setInsertionPointAfterValue(source);
  auto xType = cast<RankedTensorType>(source.getType());
  int64_t blocks = llvm::divideCeil(xType.getDimSize(1), kBlock);
  Type f8 = getElementTypeOrSelf(rounding->getResult(0).getType());
  OpFoldResult m = tensor::getMixedSize(builder, loc, source, 0);
  auto empty = [&](int64_t columns, Type element) -> Value {
    Value made = tensor::EmptyOp::create(builder, loc, {m, builder.getIndexAttr(columns)}, element);
    auto type = RankedTensorType::get({xType.getDimSize(0), columns}, element);
    return made.getType() == type ? made : tensor::CastOp::create(builder, loc, type, made).getResult();
  };
  Value q = empty(xType.getDimSize(1), f8), ofBlocks = empty(blocks, builder.getF32Type());
  auto layout = ScaleAttr::get(builder.getContext(), 1, kBlock, ScaleLayout::k_major);
  auto quantize = QuantizeOp::create(builder, loc, TypeRange{q.getType(), ofBlocks.getType()}, source, q, ofBlocks, layout,
                                     /*power_of_two=*/false, /*gated=*/false, SymbolRefAttr());
  if (std::optional<std::string> reason = invalidity(quantize)) {
    quantize.erase();
    return refuse(*reason);
  }
  auto shaped = [&](Value value, Value old) -> Value {
    auto type = cast<RankedTensorType>(old.getType());
    if (type.getRank() == 3) // the columns are blocks of the last dimension's size
      value = tensor::ExpandShapeOp::create(builder, loc,
                                            RankedTensorType::get({xType.getDimSize(0), type.getDimSize(1), type.getDimSize(2)},
                                                                  type.getElementType()),
                                            value, ArrayRef<ReassociationIndices>{{0}, {1, 2}},
                                            SmallVector<OpFoldResult>{m, builder.getIndexAttr(type.getDimSize(1)),
                                                                      builder.getIndexAttr(type.getDimSize(2))});
    return value.getType() == type ? value : tensor::CastOp::create(builder, loc, type, value).getResult();
  };
  Value newElements = shaped(quantize->getResult(0), rounding->getResult(0));
  Value newScales = shaped(quantize->getResult(1), scales);
  rounding->getResult(0).replaceAllUsesWith(newElements);
  scales.replaceAllUsesWith(newScales);
  quantize->emitRemark("raised to fp8gemm.quantize");
  eraseUnused();
  return success();
}

void Quantization::raise() {
  if (succeeded(match()))
    (void)replace();
}

void raising::raiseQuantizations(Operation *root) {
  SmallVector<linalg::LinalgOp> roundings;
  root->walk([&](linalg::LinalgOp op) {
    auto type = op->getNumResults() == 1 ? dyn_cast<RankedTensorType>(op->getResult(0).getType()) : RankedTensorType();
    if (type && (type.getRank() == 2 || type.getRank() == 3) && isElementwise(op) &&
        isa<Float8E4M3FNType, Float8E5M2Type>(type.getElementType()))
      roundings.push_back(op);
  });
  for (linalg::LinalgOp op : roundings)
    Quantization(op).raise();
}
