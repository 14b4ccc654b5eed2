// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Factors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineMap.h"

using namespace mlir;

namespace fp8gemm::raising {

namespace {

using Coordinates = SmallVector<AffineExpr>;

/// The index of a dimension, of what it is made of: those of a group of dimensions. `sizes` are theirs.
std::optional<AffineExpr> linearize(ArrayRef<AffineExpr> at, ArrayRef<int64_t> sizes) {
  AffineExpr index = at.front();
  for (auto [next, size] : llvm::zip_equal(at.drop_front(), sizes.drop_front())) {
    if (ShapedType::isDynamic(size))
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

/// The indices of a group of dimensions that together are the dimension with index `at`.
std::optional<Coordinates> delinearize(AffineExpr at, ArrayRef<int64_t> sizes) {
  Coordinates coordinates(sizes.size());
  int64_t inner = 1;
  for (size_t dim = sizes.size(); dim-- > 0;) {
    AffineExpr index = at.floorDiv(inner);
    if (dim != 0) {
      if (ShapedType::isDynamic(sizes[dim]))
        return std::nullopt;
      index = index % sizes[dim];
      inner *= sizes[dim];
    }
    coordinates[dim] = index;
  }
  return coordinates;
}

class Tracer {
public:
  /// Appends the factors of `tensor` at `at` to `factors`.
  void trace(Value tensor, Coordinates at, SmallVector<View> views);

  SmallVector<Factor> factors;

private:
  std::optional<View> throughReshape(const View &view);
  bool traceGeneric(linalg::GenericOp op, const View &view);
  bool traceScalar(linalg::GenericOp op, Value scalar, const Coordinates &loops);
};

/// The source of a change of shape or of order.
std::optional<View> Tracer::throughReshape(const View &view) {
  Operation *op = view.tensor.getDefiningOp();
  if (auto cast = dyn_cast_if_present<tensor::CastOp>(op)) {
    if (isa<RankedTensorType>(cast.getSource().getType()))
      return View{cast.getSource(), view.at};
    return std::nullopt;
  }
  if (auto expand = dyn_cast_if_present<tensor::ExpandShapeOp>(op)) {
    View source{expand.getSrc(), {}};
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
    View source{collapse.getSrc(), {}};
    for (auto [group, index] : llvm::zip_equal(collapse.getReassociationIndices(), view.at)) {
      auto indices = delinearize(index, collapse.getSrcType().getShape().slice(group.front(), group.size()));
      if (!indices)
        return std::nullopt;
      llvm::append_range(source.at, *indices);
    }
    return source;
  }
  if (auto transpose = dyn_cast_if_present<linalg::TransposeOp>(op)) {
    View source{transpose.getInput(), Coordinates(view.at.size())};
    for (auto [result, dim] : llvm::enumerate(transpose.getPermutation()))
      source.at[dim] = view.at[result];
    return source;
  }
  if (auto broadcast = dyn_cast_if_present<linalg::BroadcastOp>(op)) {
    View source{broadcast.getInput(), {}};
    for (auto [dim, index] : llvm::enumerate(view.at))
      if (!llvm::is_contained(broadcast.getDimensions(), int64_t(dim)))
        source.at.push_back(index);
    return source;
  }
  return std::nullopt;
}

/// Elementwise: what it multiplies are the factors.
bool Tracer::traceGeneric(linalg::GenericOp op, const View &view) {
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() || !output.isPermutation())
    return false;
  Coordinates loops(op.getNumLoops());
  for (auto [index, dim] : llvm::zip_equal(view.at, output.getResults()))
    loops[cast<AffineDimExpr>(dim).getPosition()] = index;
  size_t before = factors.size();
  if (traceScalar(op, op.getBody()->getTerminator()->getOperand(0), loops))
    return true;
  factors.truncate(before);
  return false;
}

bool Tracer::traceScalar(linalg::GenericOp op, Value scalar, const Coordinates &loops) {
  if (auto argument = dyn_cast<BlockArgument>(scalar)) {
    if (argument.getOwner() != op.getBody() || int64_t(argument.getArgNumber()) >= op.getNumDpsInputs())
      return false;
    OpOperand *input = op.getDpsInputOperand(argument.getArgNumber());
    if (!isa<RankedTensorType>(input->get().getType()))
      return false;
    Coordinates at;
    for (AffineExpr index : op.getMatchingIndexingMap(input).getResults())
      at.push_back(index.replaceDims(loops));
    trace(input->get(), at, {});
    return true;
  }
  if (auto extend = scalar.getDefiningOp<arith::ExtFOp>()) // exact
    return traceScalar(op, extend.getIn(), loops);
  auto multiply = scalar.getDefiningOp<arith::MulFOp>();
  if (multiply && multiply.getType().isF32()) // a narrower one would round
    return traceScalar(op, multiply.getLhs(), loops) && traceScalar(op, multiply.getRhs(), loops);
  return false;
}

void Tracer::trace(Value tensor, Coordinates at, SmallVector<View> views) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(tensor.getType()).getShape();
  for (auto [index, size] : llvm::zip_equal(at, shape))
    index = size == 1 ? getAffineConstantExpr(0, tensor.getContext()) : simplifyAffineExpr(index, 2, 0);
  views.push_back({tensor, at});
  if (std::optional<View> source = throughReshape(views.back()))
    return trace(source->tensor, source->at, views);
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (!generic || !traceGeneric(generic, views.back()))
    factors.push_back({views});
}

} // namespace

SmallVector<Factor> factorsOf(Value operand, ArrayRef<AffineExpr> at) {
  Tracer tracer;
  tracer.trace(operand, Coordinates(at), {});
  return tracer.factors;
}

} // namespace fp8gemm::raising
