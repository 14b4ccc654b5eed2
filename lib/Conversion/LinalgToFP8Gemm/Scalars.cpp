// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace fp8gemm::raising {

bool isElementwise(linalg::LinalgOp op) {
  return op.hasPureTensorSemantics() && op.getNumDpsInits() == 1 && op.getNumParallelLoops() == op.getNumLoops() &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() &&
         op.getMatchingBlockArgument(op.getDpsInitOperand(0)).use_empty();
}

std::optional<APFloat> constantOf(Value value) {
  APFloat constant(0.0f);
  if (matchPattern(value, m_ConstantFloat(&constant)))
    return constant;
  Operation *op = value.getDefiningOp();
  if (!isa_and_present<arith::TruncFOp, arith::ExtFOp>(op) || !isa<FloatType>(value.getType()))
    return std::nullopt;
  std::optional<APFloat> source = constantOf(op->getOperand(0));
  bool isInexact = false;
  if (source)
    source->convert(cast<FloatType>(value.getType()).getFloatSemantics(), APFloat::rmNearestTiesToEven, &isInexact);
  return source;
}

Value Scalar::tensorAt(ArrayRef<AffineExpr> at) const {
  for (const View &view : views)
    if (ArrayRef(view.at) == at)
      return view.tensor;
  return nullptr;
}

bool Scalar::isSameElement(const Scalar &other) const {
  return llvm::any_of(views, [&](const View &view) {
    return llvm::any_of(other.views,
                        [&](const View &some) { return some.tensor == view.tensor && some.at == view.at; });
  });
}

static View simplified(View view) {
  constexpr unsigned kDims = 2;
  for (auto [index, size] : llvm::zip_equal(view.at, view.getShape()))
    index = size == 1 ? getAffineConstantExpr(0, view.tensor.getContext()) : simplifyAffineExpr(index, kDims, 0);
  return view;
}

Scalar Scalars::elementOf(Value tensor, Coordinates at) {
  SmallVector<View> views;
  View view{tensor, std::move(at)};
  while (isa<RankedTensorType>(view.tensor.getType())) {
    view = simplified(view);
    views.push_back(view);
    std::optional<View> source = throughReshape(view);
    if (source && !source->isCut) {
      visited.insert(view.tensor.getDefiningOp());
      view = *source;
      continue;
    }
    auto op = view.tensor.getDefiningOp<linalg::LinalgOp>();
    if (!op || !isElementwise(op))
      break;
    visited.insert(op);
    Scalar scalar{op.getBlock()->getTerminator()->getOperand(0), op, view.at, views};
    auto moved = dyn_cast<BlockArgument>(scalar.value);
    if (!moved || moved.getOwner() != op.getBlock())
      return scalar;
    OpOperand *input = op.getMatchingOpOperand(moved);
    view = {input->get(), {}};
    for (AffineExpr index : op.getMatchingIndexingMap(input).getResults())
      view.at.push_back(index.replaceDims(scalar.at));
  }
  return {view.tensor, {}, view.at, views};
}

Scalar Scalars::operand(const Scalar &scalar, Value value) {
  linalg::LinalgOp op = scalar.op;
  auto argument = dyn_cast<BlockArgument>(value);
  if (!op || !argument || argument.getOwner() != op.getBlock())
    return {value, op, scalar.at, {}};
  OpOperand *operand = op.getMatchingOpOperand(argument);
  Coordinates at;
  for (AffineExpr index : op.getMatchingIndexingMap(operand).getResults())
    at.push_back(index.replaceDims(scalar.at));
  if (!isa<RankedTensorType>(operand->get().getType()))
    return {operand->get(), {}, {}, {}};
  return elementOf(operand->get(), std::move(at));
}

} // namespace fp8gemm::raising
