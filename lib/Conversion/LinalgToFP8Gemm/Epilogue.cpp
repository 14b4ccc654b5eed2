// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Epilogue.h"

#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace fp8gemm::raising {

namespace {

/// An elementwise operation on a sum: an addend, a rounding to bf16 after it, or both.
struct Step {
  Operation *op;
  Value addend; ///< f32 or bf16, then extended
  bool isRounded;
};

} // namespace

static Value startOf(linalg::LinalgOp contraction) {
  Value start = contraction.getDpsInits()[0];
  while (auto cast = start.getDefiningOp<tensor::CastOp>())
    start = cast.getSource();
  return start;
}

bool startsFromZero(linalg::LinalgOp contraction) {
  Value start = startOf(contraction);
  if (auto fill = start.getDefiningOp<linalg::FillOp>())
    start = fill.getInputs()[0];
  return matchPattern(start, m_AnyZeroFloat());
}

bool startsFromNothing(linalg::LinalgOp contraction) {
  Value start = startOf(contraction);
  auto allocation = start.getDefiningOp<bufferization::AllocTensorOp>();
  return start.getDefiningOp<tensor::EmptyOp>() || (allocation && !allocation.getCopy());
}

/// The tensor of which `scalar`, in the body of `op`, is the element; null where it is none.
static Value tensorOf(linalg::LinalgOp op, Value scalar) {
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument || argument.getOwner() != op.getBlock())
    return nullptr;
  OpOperand *operand = op.getMatchingOpOperand(argument);
  return op.getMatchingIndexingMap(operand).isIdentity() ? operand->get() : Value();
}

static bool isToBF16(arith::TruncFOp truncation) {
  return truncation && getElementTypeOrSelf(truncation.getType()).isBF16() &&
         getElementTypeOrSelf(truncation.getIn().getType()).isF32() &&
         truncation.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) ==
             arith::RoundingMode::to_nearest_even;
}

/// The bf16 tensor of which `wide` is the extension to f32; null where it is none.
static Value extendedFrom(Value wide) {
  Value narrow;
  if (auto extension = wide.getDefiningOp<arith::ExtFOp>())
    narrow = extension.getIn();
  auto op = wide.getDefiningOp<linalg::LinalgOp>();
  if (op && isElementwise(op))
    if (auto extension = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::ExtFOp>())
      narrow = tensorOf(op, extension.getIn());
  return narrow && getElementTypeOrSelf(narrow.getType()).isBF16() ? narrow : Value();
}

/// The step that is the only use of `sum`.
static std::optional<Step> stepAfter(Value sum) {
  if (!sum.hasOneUse() || sum.user_begin()->getBlock() != sum.getParentBlock())
    return std::nullopt;
  Operation *user = *sum.user_begin();
  if (auto truncation = dyn_cast<arith::TruncFOp>(user); isToBF16(truncation))
    return Step{user, nullptr, true};
  if (auto addition = dyn_cast<arith::AddFOp>(user))
    return Step{user, addition.getLhs() == sum ? addition.getRhs() : addition.getLhs(), false};

  auto op = dyn_cast<linalg::LinalgOp>(user);
  if (!op || !isElementwise(op))
    return std::nullopt;
  Value scalar = op.getBlock()->getTerminator()->getOperand(0);
  auto truncation = scalar.getDefiningOp<arith::TruncFOp>();
  bool isRounded = isToBF16(truncation);
  if (isRounded)
    scalar = truncation.getIn();
  if (tensorOf(op, scalar) == sum)
    return isRounded ? std::optional(Step{user, nullptr, true}) : std::nullopt;
  auto addition = scalar.getDefiningOp<arith::AddFOp>();
  if (!addition || !addition.getType().isF32())
    return std::nullopt;
  for (auto [one, other] :
       {std::pair(addition.getLhs(), addition.getRhs()), std::pair(addition.getRhs(), addition.getLhs())}) {
    auto extension = other.getDefiningOp<arith::ExtFOp>();
    Value addend = tensorOf(op, extension ? extension.getIn() : other);
    bool isKnown = addend && (!extension || extension.getIn().getType().isBF16());
    if (isKnown && tensorOf(op, one) == sum && addend != sum)
      return Step{user, addend, isRounded};
  }
  return std::nullopt;
}

Epilogue epilogueOf(linalg::LinalgOp contraction) {
  std::optional<Step> next = stepAfter(contraction->getResult(0));
  if (!startsFromZero(contraction)) {
    Value c = contraction.getDpsInits()[0], narrow = extendedFrom(c);
    if (narrow && next && !next->addend)
      return {{contraction, next->op}, narrow};
    return {{contraction}, c, /*isInPlace=*/true};
  }
  if (!next)
    return {{contraction}};
  if (!next->addend)
    return {{contraction, next->op}};

  // C is of D's type: f32, or bf16 where the sum with it is rounded.
  bool isNarrow = getElementTypeOrSelf(next->addend.getType()).isBF16();
  Value narrow = isNarrow ? next->addend : extendedFrom(next->addend);
  std::optional<Step> rounding = next->isRounded ? std::nullopt : stepAfter(next->op->getResult(0));
  if (narrow && next->isRounded)
    return {{contraction, next->op}, narrow};
  if (narrow && rounding && !rounding->addend)
    return {{contraction, next->op, rounding->op}, narrow};
  if (!isNarrow && !next->isRounded)
    return {{contraction, next->op}, next->addend};
  return {{contraction}};
}

} // namespace fp8gemm::raising
