// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise operations of the result of a product become its epilogue. They are the same operations in the same order, so
// no bits change.

#include "Fusing.h"
#include "Raising.h"
#include "Scalars.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

namespace {

/// The elementwise operations that one product's result leads to.
class ElementwiseFusion {
public:
  explicit ElementwiseFusion(GemmOp product) : product(product), builder(product.getContext()) {}

  void fuse();

private:
  void findSums();
  void findUsers();
  bool leadsTo(linalg::LinalgOp last);
  LogicalResult replaceBy(linalg::LinalgOp last);
  Value destinationOf(linalg::LinalgOp last);
  FailureOr<Value> operandFor(linalg::LinalgOp op, OpOperand &input);
  LogicalResult writeBody(linalg::LinalgOp last, Block *body, Value sum);
  bool isInside(Value value) const { return sums.contains(value) || users.contains(value.getDefiningOp()); }
  bool isOfSums(linalg::LinalgOp op, OpOperand &input) const;

  LogicalResult refuse(const Twine &reason) {
    product->emitRemark("not fused into fp8gemm.gemm: ") << reason;
    return failure();
  }

  GemmOp product;
  OpBuilder builder;
  bool isGated = false;
  llvm::MapVector<Value, unsigned> sums; ///< D, or its slices: 0 of the gate, 1 of what passes it
  llvm::SetVector<Operation *> users;    ///< elementwise, in the order of the block
  llvm::SetVector<Operation *> fused;
  llvm::MapVector<Value, unsigned> operands; ///< of the epilogue, and their number
};

} // namespace

/// Whether a size is the number of rows of the product: as a constant, or asked of one of its tensors.
static bool isM(OpFoldResult size, GemmOp product) {
  auto value = dyn_cast<Value>(size);
  if (!value)
    return isConstantIntValue(size, product.getM());
  if (auto empty = product.getD().getDefiningOp<tensor::EmptyOp>(); empty && empty.getMixedSizes()[0] == size)
    return true;
  auto dim = value.getDefiningOp<tensor::DimOp>();
  return dim && dim.getConstantIndex() == 0 &&
         llvm::is_contained({Value(product->getResult(0)), Value(product.getD()), Value(product.getA())}, dim.getSource());
}

/// 0 or 1 for a slice of the left or the right half of the columns; nothing for others.
static std::optional<unsigned> halfOf(tensor::ExtractSliceOp slice, GemmOp product) {
  int64_t n = product.getN();
  auto offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
  if (slice.getType().getRank() != 2 || n % 2 != 0 || !slice.hasUnitStride() || !isConstantIntValue(offsets[0], 0) ||
      !isConstantIntValue(sizes[1], n / 2) || !isM(sizes[0], product))
    return std::nullopt;
  for (unsigned half : {0u, 1u})
    if (isConstantIntValue(offsets[1], half * n / 2))
      return half;
  return std::nullopt;
}

/// The result, or its halves, if it is used by slices that are these.
void ElementwiseFusion::findSums() {
  Value d = product->getResult(0);
  bool hasHalf[2] = {};
  for (Operation *user : d.getUsers())
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(user))
      if (std::optional<unsigned> half = halfOf(slice, product)) {
        sums[slice.getResult()] = *half;
        hasHalf[*half] = true;
      }
  isGated = hasHalf[0] && hasHalf[1];
  if (!isGated) {
    sums.clear();
    sums[d] = 0;
  }
}

/// Whether an input is the element of a sum, or of what is computed from one, at the place of the result's. An index of a
/// dimension of size 1 may be 0.
bool ElementwiseFusion::isOfSums(linalg::LinalgOp op, OpOperand &input) const {
  if (!isInside(input.get()))
    return false;
  auto shape = cast<RankedTensorType>(input.get().getType()).getShape();
  return llvm::all_of(llvm::enumerate(op.getMatchingIndexingMap(&input).getResults()), [&](auto index) {
    return index.value() == getAffineDimExpr(index.index(), op.getContext()) ||
           (shape[index.index()] == 1 && index.value() == getAffineConstantExpr(0, op.getContext()));
  });
}

/// Elementwise operations of the sums, and of results of such operations. Loops are rows and columns of D.
void ElementwiseFusion::findUsers() {
  auto shape = cast<RankedTensorType>(sums.front().first.getType()).getShape();
  for (Operation *op = product->getNextNode(); op; op = op->getNextNode()) {
    auto elementwise = dyn_cast<linalg::LinalgOp>(op);
    if (!elementwise || !isElementwise(elementwise) || op->getNumResults() != 1 ||
        cast<RankedTensorType>(op->getResult(0).getType()).getShape() != shape)
      continue;
    if (llvm::any_of(elementwise.getDpsInputOperands(), [&](OpOperand *input) { return isOfSums(elementwise, *input); }))
      users.insert(op);
  }
}

/// Whether all uses of the product lead to `last`; `fused` are the operations on the way, in their order.
bool ElementwiseFusion::leadsTo(linalg::LinalgOp last) {
  llvm::DenseSet<Operation *> onTheWay{last};
  for (Operation *op : llvm::reverse(users))
    if (onTheWay.contains(op))
      for (Value operand : op->getOperands())
        onTheWay.insert(operand.getDefiningOp());
  fused.clear();
  for (Operation *op : users)
    if (onTheWay.contains(op))
      fused.insert(op);
  auto isUsedInside = [&](Value value) {
    return llvm::all_of(value.getUsers(), [&](Operation *user) { return fused.contains(user); });
  };
  if (isGated && !llvm::all_of(product->getResult(0).getUsers(), [&](Operation *user) {
        return user->getNumResults() == 1 && sums.contains(user->getResult(0));
      }))
    return false;
  for (auto [sum, number] : sums)
    if (!isUsedInside(sum))
      return false;
  return llvm::all_of(fused, [&](Operation *op) { return op == last || isUsedInside(op->getResult(0)); });
}

/// The operand of the epilogue for an input that is none of the sums: of a shape that broadcasts to that of D.
FailureOr<Value> ElementwiseFusion::operandFor(linalg::LinalgOp op, OpOperand &input) {
  auto type = dyn_cast<RankedTensorType>(input.get().getType());
  if (!type)
    return refuse("expected operands of " + nameOf(op) + " to be tensors, got " + toString(input.get().getType()));
  ArrayRef<AffineExpr> index = op.getMatchingIndexingMap(&input).getResults();
  AffineExpr row = getAffineDimExpr(0, op.getContext()), column = getAffineDimExpr(1, op.getContext());
  auto isAt = [&](size_t fromLast, AffineExpr dim) {
    AffineExpr at = index[index.size() - fromLast];
    return at == dim || (type.getDimSize(index.size() - fromLast) == 1 && at == getAffineConstantExpr(0, op.getContext()));
  };
  bool isKnown = index.size() <= 2 && (index.size() < 1 || isAt(1, column)) && (index.size() < 2 || isAt(2, row));
  if (isKnown)
    return input.get();
  if (index.size() == 1 && index[0] == row) { // a column
    OpFoldResult m = tensor::getMixedSize(builder, op.getLoc(), input.get(), 0);
    auto column = RankedTensorType::get({type.getDimSize(0), 1}, type.getElementType());
    return tensor::ExpandShapeOp::create(builder, op.getLoc(), column, input.get(), ArrayRef<ReassociationIndices>{{0, 1}},
                                         SmallVector<OpFoldResult>{m, builder.getIndexAttr(1)})
        .getResult();
  }
  return refuse("expected an operand of a row, a column or each element of D, got indices " +
                toString(op.getMatchingIndexingMap(&input)));
}

LogicalResult ElementwiseFusion::writeBody(linalg::LinalgOp last, Block *body, Value sum) {
  OpBuilder inside = OpBuilder::atBlockEnd(body);
  Location loc = product.getLoc();
  Type element = product.getDElement();
  llvm::DenseMap<Value, Value> scalars; // elements of tensors
  for (auto [tensor, number] : sums)
    scalars[tensor] = rounded(inside, loc, number == 0 ? sum : body->getArgument(number), element);
  for (Operation *op : fused) {
    auto elementwise = cast<linalg::LinalgOp>(op);
    IRMapping map;
    for (OpOperand *input : elementwise.getDpsInputOperands()) {
      BlockArgument argument = elementwise.getMatchingBlockArgument(input);
      bool isSum = isOfSums(elementwise, *input);
      Value value = isSum ? scalars.lookup(input->get()) : body->getArgument(operands.lookup(input->get()));
      if (!isSum && !argument.use_empty())
        value = rounded(inside, loc, value, argument.getType()); // exact: it was extended
      map.map(argument, value);
    }
    for (Operation &inner : elementwise.getBlock()->without_terminator()) {
      std::optional<APFloat> constant = inner.getNumResults() == 1 ? constantOf(inner.getResult(0)) : std::nullopt;
      auto replaceBy = [&](Value from, const APFloat &number) {
        auto value = FloatAttr::get(cast<FloatType>(from.getType()), number);
        map.map(from, arith::ConstantOp::create(inside, loc, value));
      };
      if (constant) {
        replaceBy(inner.getResult(0), *constant);
        continue;
      }
      for (Value operand : inner.getOperands()) {
        if (map.contains(operand))
          continue;
        std::optional<APFloat> number = constantOf(operand);
        if (!number)
          return refuse("expected operations on elements and constants, got " + nameOf(&inner) + " of another value");
        replaceBy(operand, *number);
      }
      inside.clone(inner, map);
    }
    Value yielded = elementwise.getBlock()->getTerminator()->getOperand(0), value = map.lookupOrNull(yielded);
    if (!value)
      return refuse("expected operations on elements and constants, got another value");
    scalars[op->getResult(0)] = value;
  }
  // What is rounded to D's type at the end is rounded by the product.
  Value result = scalars.lookup(last->getResult(0));
  auto rounding = result.getDefiningOp<arith::TruncFOp>();
  bool isOfD = rounding && rounding.getIn().getType().isF32() && rounding->use_empty() &&
               rounding.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) ==
                   arith::RoundingMode::to_nearest_even;
  EpilogueYieldOp::create(inside, loc, isOfD ? rounding.getIn() : widened(inside, loc, result));
  if (isOfD)
    rounding.erase();
  return success();
}

/// D: what `last` overwrites, if that stays.
Value ElementwiseFusion::destinationOf(linalg::LinalgOp last) {
  Value init = last.getDpsInits()[0];
  if (!isInside(init) && init != product->getResult(0))
    return init;
  auto type = cast<RankedTensorType>(init.getType());
  Location loc = last.getLoc();
  SmallVector<OpFoldResult> sizes{tensor::getMixedSize(builder, loc, product.getA(), 0),
                                  builder.getIndexAttr(type.getDimSize(1))};
  Value made = tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  return made.getType() == type ? made : tensor::CastOp::create(builder, loc, type, made).getResult();
}

LogicalResult ElementwiseFusion::replaceBy(linalg::LinalgOp last) {
  builder.setInsertionPoint(last);
  Operation *before = last->getPrevNode();
  auto undo = [&] {
    while (last->getPrevNode() != before)
      last->getPrevNode()->erase();
    return failure();
  };
  Value c = product.getC();
  auto dType = cast<RankedTensorType>(last->getResult(0).getType());
  bool keepsC = c && !isGated && cast<RankedTensorType>(c.getType()).getElementType() == dType.getElementType();
  if (c && isGated)
    return refuse("expected a gated product without 'c', got one");
  // C of another type than D's is an operand of the epilogue, which adds it as the product does.
  SmallVector<Value> values;
  unsigned firstOperand = isGated ? 2 : 1;
  if (c && !keepsC)
    values.push_back(c);
  for (Operation *op : fused)
    for (OpOperand *input : cast<linalg::LinalgOp>(op).getDpsInputOperands()) {
      auto elementwise = cast<linalg::LinalgOp>(op);
      if (isOfSums(elementwise, *input) || operands.contains(input->get()))
        continue;
      FailureOr<Value> operand = operandFor(elementwise, *input);
      if (failed(operand))
        return undo();
      operands[input->get()] = firstOperand + values.size();
      values.push_back(*operand);
    }
  if (values.size() > kMostEpilogueOperands) {
    (void)refuse("expected at most " + Twine(kMostEpilogueOperands) + " operands of its epilogue, got " +
                 Twine(values.size()));
    return undo();
  }
  auto made = GemmOp::create(builder, product.getLoc(), {product.getA(), product.getSfa(), product.getAScale()},
                             {product.getB(), product.getSfb(), product.getBScale()}, destinationOf(last),
                             keepsC ? c : Value());
  made.getEpilogueOperandsMutable().assign(values);
  made.setGated(isGated);
  Type f32 = builder.getF32Type();
  Block *body = &made.getEpilogue().emplaceBlock();
  for (unsigned i = 0; i < firstOperand + values.size(); ++i)
    body->addArgument(f32, product.getLoc());
  OpBuilder inside = OpBuilder::atBlockEnd(body);
  Value sum = inlineEpilogue(inside, product, body, c && !keepsC ? body->getArgument(1) : Value(), firstOperand);
  if (failed(writeBody(last, body, sum)))
    return undo();
  if (std::optional<std::string> reason = invalidity(made)) {
    (void)refuse(*reason);
    return undo();
  }
  made->emitRemark(isGated ? "fused into a gated fp8gemm.gemm: " : "fused into fp8gemm.gemm: ")
      << fused.size() << " elementwise operation" << (fused.size() == 1 ? "" : "s") << " on its result";
  last->getResult(0).replaceAllUsesWith(made->getResult(0));
  for (Operation *op : llvm::reverse(fused))
    op->erase();
  if (isGated)
    for (auto [slice, number] : sums)
      slice.getDefiningOp()->erase();
  product->erase();
  return success();
}

void ElementwiseFusion::fuse() {
  findSums();
  findUsers();
  if (users.empty())
    return;
  for (Operation *op : llvm::reverse(users))
    if (leadsTo(cast<linalg::LinalgOp>(op)))
      return (void)replaceBy(cast<linalg::LinalgOp>(op));
  SmallVector<Value> values{product->getResult(0)};
  for (auto [sum, number] : sums)
    values.push_back(sum);
  for (Value value : values)
    for (Operation *user : value.getUsers())
      if (!users.contains(user) && !(user->getNumResults() == 1 && sums.contains(user->getResult(0))))
        return (void)refuse("expected its result to be used by elementwise operations only, got " + nameOf(user));
  (void)refuse("expected elementwise operations on its result that lead to one tensor, got several");
}

void raising::fuseEpilogues(Operation *root) {
  SmallVector<GemmOp> products;
  root->walk([&](GemmOp product) {
    if (product->getNumResults() == 1 && !product.getEpilogueBody() && !product.getConfigAttr() && !product.getKernelAttr())
      products.push_back(product);
  });
  for (GemmOp product : products)
    ElementwiseFusion(product).fuse();
}
