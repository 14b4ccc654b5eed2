// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Factors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace fp8gemm::raising {

/// Limits of the search: more factors can never be the operands of an operation.
static constexpr unsigned kMostFactors = 8, kMostSteps = 256;

bool isF8(Type element) {
  auto type = dyn_cast<FloatType>(element);
  return type && type.getWidth() == 8 && !isa<Float8E8M0FNUType>(type);
}

/// The index of a dimension, of what it is made of: those of a group of dimensions. `sizes` are theirs.
static std::optional<AffineExpr> linearize(ArrayRef<AffineExpr> at, ArrayRef<int64_t> sizes) {
  AffineExpr index = at.front();
  for (auto [next, size] : llvm::zip_equal(at.drop_front(), sizes.drop_front())) {
    if (ShapedType::isDynamic(size) || size == 0)
      return std::nullopt;
    auto inner = dyn_cast<AffineBinaryOpExpr>(next);
    // (x floordiv size) * size + x mod size
    if (inner && inner.getKind() == AffineExprKind::Mod &&
        inner.getRHS() == getAffineConstantExpr(size, next.getContext()) && index == inner.getLHS().floorDiv(size))
      index = inner.getLHS();
    else
      index = index * size + next;
  }
  return index;
}

std::optional<Coordinates> delinearize(AffineExpr at, ArrayRef<int64_t> sizes) {
  Coordinates coordinates(sizes.size());
  int64_t inner = 1;
  for (size_t dim = sizes.size(); dim-- > 0;) {
    AffineExpr index = at.floorDiv(inner);
    if (dim != 0) {
      if (ShapedType::isDynamic(sizes[dim]) || sizes[dim] == 0 || llvm::MulOverflow(inner, sizes[dim], inner))
        return std::nullopt;
      index = index % sizes[dim];
    }
    coordinates[dim] = index;
  }
  return coordinates;
}

/// A slice from the start: its elements have the same indices in its source.
static std::optional<View> throughSlice(tensor::ExtractSliceOp slice, const View &view) {
  RankedTensorType source = slice.getSourceType();
  bool isFromStart = llvm::all_of(slice.getMixedOffsets(), isZeroInteger) && slice.hasUnitStride() &&
                     source.getRank() == slice.getType().getRank();
  if (!isFromStart)
    return std::nullopt;
  return View{slice.getSource(), view.at, true};
}

/// The source of a change of shape. (Changes of order are structured operations.)
std::optional<View> throughReshape(const View &view) {
  Operation *op = view.tensor.getDefiningOp();
  if (auto cast = dyn_cast_if_present<tensor::CastOp>(op)) {
    if (isa<RankedTensorType>(cast.getSource().getType()))
      return View{cast.getSource(), view.at, view.isCut};
    return std::nullopt;
  }
  if (auto slice = dyn_cast_if_present<tensor::ExtractSliceOp>(op))
    return throughSlice(slice, view);
  if (auto expand = dyn_cast_if_present<tensor::ExpandShapeOp>(op)) {
    View source{expand.getSrc(), {}, view.isCut};
    for (const ReassociationIndices &group : expand.getReassociationIndices()) {
      auto from = [&](auto range) { return range.slice(group.front(), group.size()); };
      auto index = linearize(from(ArrayRef(view.at)), from(expand.getResultType().getShape()));
      if (!index)
        return std::nullopt;
      source.at.push_back(*index);
    }
    return source;
  }
  if (auto collapse = dyn_cast_if_present<tensor::CollapseShapeOp>(op)) {
    View source{collapse.getSrc(), {}, view.isCut};
    if (view.at.empty()) // all dimensions are of size 1
      source.at.assign(collapse.getSrcType().getRank(), getAffineConstantExpr(0, op->getContext()));
    for (auto [group, index] : llvm::zip_equal(collapse.getReassociationIndices(), view.at)) {
      auto indices = delinearize(index, collapse.getSrcType().getShape().slice(group.front(), group.size()));
      if (!indices)
        return std::nullopt;
      llvm::append_range(source.at, *indices);
    }
    return source;
  }
  return std::nullopt;
}

namespace {

class Tracer {
public:
  explicit Tracer(linalg::LinalgOp contraction)
      : contraction(contraction), dims(std::max<unsigned>(kLoops, contraction.getNumLoops())) {}

  /// The factors of a value in the body of `op`; false if it is none of what is known, which is the `obstacle` then.
  bool traceScalar(linalg::LinalgOp op, Value scalar, const Coordinates &loops, bool isCut);

  SmallVector<Factor> factors;
  Value obstacle;

private:
  void trace(View view, SmallVector<View> views);
  bool traceElementwise(const View &view, const SmallVector<View> &views);
  bool traceStructured(linalg::LinalgOp op, const View &view, const SmallVector<View> &views);

  bool isAt(Value scalar) {
    obstacle = scalar;
    return false;
  }
  View at(OpOperand &operand, linalg::LinalgOp op, const Coordinates &loops, bool isCut) {
    View view{operand.get(), {}, isCut};
    for (AffineExpr index : op.getMatchingIndexingMap(&operand).getResults())
      view.at.push_back(index.replaceDims(loops));
    return view;
  }

  linalg::LinalgOp contraction;
  unsigned dims;             ///< that indices may be functions of
  Coordinates inContraction; ///< of the operand that is being traced
  unsigned steps = 0;
};

bool Tracer::traceScalar(linalg::LinalgOp op, Value scalar, const Coordinates &loops, bool isCut) {
  if (++steps > kMostSteps || factors.size() > kMostFactors)
    return isAt(scalar);
  if (auto argument = dyn_cast<BlockArgument>(scalar)) {
    if (argument.getOwner() != op.getBlock())
      return isAt(scalar);
    OpOperand *operand = op.getMatchingOpOperand(argument);
    if (op.isDpsInit(operand) || !isa<RankedTensorType>(operand->get().getType()))
      return isAt(scalar);
    View view = at(*operand, op, loops, isCut);
    if (op == contraction)
      inContraction = view.at;
    trace(view, {});
    return true;
  }
  if (auto extend = scalar.getDefiningOp<arith::ExtFOp>()) // exact
    return traceScalar(op, extend.getIn(), loops, isCut);
  auto multiply = scalar.getDefiningOp<arith::MulFOp>();
  if (multiply && multiply.getType().isF32()) // a narrower one would round
    return traceScalar(op, multiply.getLhs(), loops, isCut) && traceScalar(op, multiply.getRhs(), loops, isCut);
  return isAt(scalar);
}

/// Elementwise linalg: what it multiplies are the factors; of what it only moves, `view` is one more view.
bool Tracer::traceStructured(linalg::LinalgOp op, const View &view, const SmallVector<View> &views) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation())
    return isAt(view.tensor);
  Coordinates loops(op.getNumLoops());
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [index, dim] : llvm::zip_equal(view.at, output.getResults()))
    loops[cast<AffineDimExpr>(dim).getPosition()] = index;
  Value scalar = op.getBlock()->getTerminator()->getOperand(0);
  auto moved = dyn_cast<BlockArgument>(scalar);
  if (!moved || moved.getOwner() != op.getBlock() || op.isDpsInit(op.getMatchingOpOperand(moved)))
    return traceScalar(op, scalar, loops, view.isCut);
  OpOperand &source = *op.getMatchingOpOperand(moved);
  if (!isa<RankedTensorType>(source.get().getType()))
    return isAt(view.tensor);
  trace(at(source, op, loops, view.isCut), views);
  return true;
}

bool Tracer::traceElementwise(const View &view, const SmallVector<View> &views) {
  Operation *op = view.tensor.getDefiningOp();
  if (auto structured = dyn_cast_if_present<linalg::LinalgOp>(op))
    return traceStructured(structured, view, views);
  if (auto extend = dyn_cast_if_present<arith::ExtFOp>(op)) {
    trace({extend.getIn(), view.at, view.isCut}, {});
    return true;
  }
  auto multiply = dyn_cast_if_present<arith::MulFOp>(op);
  if (!multiply || !getElementTypeOrSelf(multiply.getType()).isF32())
    return isAt(view.tensor);
  trace({multiply.getLhs(), view.at, view.isCut}, {});
  trace({multiply.getRhs(), view.at, view.isCut}, {});
  return true;
}

/// Appends the factors of the tensor of `view`, which is seen through `views`.
void Tracer::trace(View view, SmallVector<View> views) {
  for (auto [index, size] : llvm::zip_equal(view.at, view.getShape()))
    index = size == 1 ? getAffineConstantExpr(0, view.tensor.getContext()) : simplifyAffineExpr(index, dims, 0);
  views.push_back(view);
  bool mayGoOn = ++steps <= kMostSteps && factors.size() <= kMostFactors;
  if (mayGoOn)
    if (std::optional<View> source = throughReshape(view))
      return trace(*source, views);
  size_t before = factors.size();
  if (mayGoOn && traceElementwise(view, views))
    return;
  factors.truncate(before);
  factors.push_back({views, inContraction, mayGoOn ? obstacle : view.tensor});
}

} // namespace

FailureOr<SmallVector<Factor>> factorsOf(linalg::LinalgOp op, ArrayRef<Value> scalars, ArrayRef<AffineExpr> loops,
                                         Value &obstacle) {
  SmallVector<Factor> all;
  for (Value scalar : scalars) {
    Tracer tracer(op);
    if (!tracer.traceScalar(op, scalar, Coordinates(loops), /*isCut=*/false)) {
      obstacle = tracer.obstacle;
      return failure();
    }
    llvm::append_range(all, tracer.factors);
  }
  return all;
}

} // namespace fp8gemm::raising
