// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Epilogues and prologues that problems can name, and for which epilogues kernels are built.

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace fp8gemm;

fp8gemm::Broadcast fp8gemm::broadcastOf(Value operand) {
  ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
  auto varies = [&](size_t fromLast) { return shape.size() >= fromLast && shape[shape.size() - fromLast] != 1; };
  return {varies(3), varies(2), varies(1)};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// True if the block adds up its arguments, each of them once.
static bool isSum(Block &body) {
  int64_t additions = 0;
  for (Operation &inner : body.without_terminator()) {
    if (!isa<arith::AddFOp>(inner) || !inner.hasOneUse())
      return false;
    ++additions;
  }
  return additions + 1 == int64_t(body.getNumArguments()) &&
         llvm::all_of(body.getArguments(), [](BlockArgument argument) { return argument.hasOneUse(); });
}

static bool isRow(ProductOpInterface op, Value operand) {
  auto type = cast<ShapedType>(operand.getType());
  Type element = type.getElementType();
  return type.getRank() == 1 && broadcastOf(operand).columns && (element.isBF16() || element.isF32());
}

/// As C is: TMA brings it.
static bool isLikeC(ProductOpInterface op, Value operand) {
  auto type = cast<ShapedType>(operand.getType());
  auto d = cast<ShapedType>(op.getD().getType());
  return broadcastOf(operand).rows && succeeded(verifyCompatibleShape(type, d)) &&
         type.getElementType() == d.getElementType();
}

bool fp8gemm::addsBiasAndC(ProductOpInterface op) {
  Block *body = op.getEpilogueBody();
  if (!body || op.isGated() || !isSum(*body))
    return false;
  int64_t rows = 0, matrices = op.getC() ? 1 : 0;
  for (Value operand : op.getEpilogueOperands()) {
    if (isRow(op, operand))
      ++rows;
    else if (isLikeC(op, operand))
      ++matrices;
    else
      return false;
  }
  return rows <= 1 && matrices <= 1;
}

/// Of a sum, the operand of this kind.
static Value addendOf(ProductOpInterface op, llvm::function_ref<bool(ProductOpInterface, Value)> isOfKind) {
  if (!addsBiasAndC(op))
    return nullptr;
  for (Value operand : op.getEpilogueOperands())
    if (isOfKind(op, operand))
      return operand;
  return nullptr;
}

Value fp8gemm::rowOf(ProductOpInterface op) { return addendOf(op, isRow); }

Value fp8gemm::matrixOf(ProductOpInterface op) {
  Value c = op.getC();
  return c ? c : addendOf(op, isLikeC);
}

/// The operand that has the shape of a vector of problems.
static Value shapedAs(ProductOpInterface op, const format::OperandRow &row) {
  int64_t rank = isColumn(row) ? cast<ShapedType>(op.getD().getType()).getRank() : 1;
  for (Value operand : op.getEpilogueOperands()) {
    Broadcast broadcast = broadcastOf(operand);
    auto type = cast<ShapedType>(operand.getType());
    if (broadcast.rows == isColumn(row) && broadcast.columns != isColumn(row) && type.getRank() == rank &&
        valueOfElement(*row.elementField, elementName(type.getElementType())))
      return operand;
  }
  return nullptr;
}

Value fp8gemm::vectorOf(ProductOpInterface op, const format::OperandRow &row) {
  return isOptionalVector(row) && (addsBiasAndC(op) || activationOf(op)) ? shapedAs(op, row) : Value();
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// `approximately`: a division is one of the GPU's, within 2^-21, where IEEE's takes ten times as long.
static Value activate(ImplicitLocOpBuilder b, format::Activation activation, bool approximately, Value x) {
  auto real = [&](float value) -> Value { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); };
  auto add = [&](Value lhs, Value rhs) -> Value { return arith::AddFOp::create(b, lhs, rhs); };
  auto multiply = [&](Value lhs, Value rhs) -> Value { return arith::MulFOp::create(b, lhs, rhs); };
  // x * (1 + f) / 2
  auto halve = [&](Value f) {
    Value one = real(1);
    Value sum = add(one, f);
    Value half = real(0.5);
    Value part = multiply(half, x);
    return multiply(part, sum);
  };
  switch (activation) {
  case format::Activation::None:
    break;
  case format::Activation::Relu: {
    Value zero = real(0);
    return arith::MaximumFOp::create(b, x, zero);
  }
  case format::Activation::Silu: {
    Value negated = arith::NegFOp::create(b, x);
    Value power = math::ExpOp::create(b, negated);
    Value one = real(1);
    Value sum = add(one, power);
    auto division = approximately ? arith::FastMathFlags::afn : arith::FastMathFlags::none;
    return arith::DivFOp::create(b, x, sum, division);
  }
  case format::Activation::Gelu: {
    Value root = real(0.70710678118654752f); // 1 / sqrt(2)
    Value scaled = multiply(x, root);
    return halve(math::ErfOp::create(b, scaled));
  }
  case format::Activation::GeluTanh: {
    Value square = multiply(x, x), cube = multiply(square, x);
    Value factor = real(0.044715f);
    Value small = multiply(factor, cube);
    Value sum = add(x, small);
    Value root = real(0.79788456080286536f); // sqrt(2 / pi)
    Value scaled = multiply(root, sum);
    return halve(math::TanhOp::create(b, scaled));
  }
  }
  return x;
}

/// activation(x), or of two activation(gate) * up.
static Value activateAll(OpBuilder &builder, Location loc, ValueRange elements, format::Activation activation,
                         bool approximately) {
  Value result = activate(ImplicitLocOpBuilder(loc, builder), activation, approximately, elements.front());
  return elements.size() == 1 ? result : arith::MulFOp::create(builder, loc, result, elements[1]).getResult();
}

/// What D is of the sums and the vectors of problems, of which those that are not there are null.
static Value problemEpilogue(OpBuilder &builder, Location loc, ValueRange sums, format::Activation activation,
                             bool approximately, llvm::function_ref<Value(format::Operand)> elementOf) {
  Value sum = sums.front();
  if (Value scale = elementOf(format::Operand::RowScale))
    sum = arith::MulFOp::create(builder, loc, sum, scale);
  if (Value bias = elementOf(format::Operand::Bias))
    sum = arith::AddFOp::create(builder, loc, sum, bias);
  SmallVector<Value> elements(sums);
  elements.front() = sum;
  return activateAll(builder, loc, elements, activation, approximately);
}

/// A block of f32 arguments in a region that has none yet.
static Block *createBody(OpBuilder &builder, Location loc, Region &region, size_t arguments) {
  return builder.createBlock(&region, {}, SmallVector<Type>(arguments, builder.getF32Type()),
                             SmallVector<Location>(arguments, loc));
}

/// The epilogue in a region that has no block yet.
static void buildEpilogue(OpBuilder &builder, Location loc, ProductOpInterface op, format::Activation activation,
                          bool approximately, Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  const size_t sums = op.isGated() ? 2 : 1;
  Block *body = createBody(builder, loc, region, sums + op.getEpilogueOperands().size());
  auto elementOf = [&](format::Operand vector) -> Value {
    Value operand = shapedAs(op, *format::rowOf(vector));
    auto found = llvm::find(op.getEpilogueOperands(), operand);
    return operand ? body->getArgument(sums + (found - op.getEpilogueOperands().begin())) : Value();
  };
  Value result = problemEpilogue(builder, loc, body->getArguments().take_front(sums), activation, approximately,
                                 elementOf);
  EpilogueYieldOp::create(builder, loc, result);
}

void fp8gemm::buildProblemEpilogue(OpBuilder &builder, ProductOpInterface op, format::Activation activation) {
  buildEpilogue(builder, op.getLoc(), op, activation, /*approximately=*/true, op->getRegion(0));
}

/// The activation with which `build` builds `body`.
static std::optional<format::Activation>
findActivation(Block &body, llvm::function_ref<void(OpBuilder &, format::Activation, bool, Region &)> build) {
  OpBuilder builder(body.getParent()->getContext());
  for (const format::Word &word : format::kActivationWords)
    for (bool approximately : {true, false}) { // a kernel may be more exact than a problem asks for
      Region expected;
      build(builder, format::Activation(word.value), approximately, expected);
      if (OperationEquivalence::isRegionEquivalentTo(&expected, body.getParent(),
                                                     OperationEquivalence::IgnoreLocations))
        return format::Activation(word.value);
    }
  return std::nullopt;
}

std::optional<format::Activation> fp8gemm::activationOf(ProductOpInterface op) {
  if (!op.getEpilogueBody())
    return format::Activation::None;
  SmallVector<Value> vectors; // in the order of the table, as a kernel's parameters are told apart
  for (const format::OperandRow &row : format::kOperands)
    if (Value vector = isOptionalVector(row) ? shapedAs(op, row) : Value())
      vectors.push_back(vector);
  if (!llvm::equal(vectors, op.getEpilogueOperands()))
    return std::nullopt;
  return findActivation(*op.getEpilogueBody(),
                        [&](OpBuilder &builder, format::Activation activation, bool approximately, Region &region) {
                          buildEpilogue(builder, op.getLoc(), op, activation, approximately, region);
                        });
}

/// The prologue in a region that has no block yet.
static void buildPrologue(OpBuilder &builder, QuantizeOp op, format::Activation activation, bool approximately,
                          Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  Block *body = createBody(builder, op.getLoc(), region, op.getGated() ? 2 : 1);
  Value result = activateAll(builder, op.getLoc(), body->getArguments(), activation, approximately);
  EpilogueYieldOp::create(builder, op.getLoc(), result);
}

void fp8gemm::buildProblemPrologue(OpBuilder &builder, QuantizeOp op, format::Activation activation) {
  buildPrologue(builder, op, activation, /*approximately=*/true, op.getPrologue());
}

std::optional<format::Activation> fp8gemm::activationOf(QuantizeOp op) {
  if (!op.getPrologueBody())
    return format::Activation::None;
  return findActivation(*op.getPrologueBody(),
                        [&](OpBuilder &builder, format::Activation activation, bool approximately, Region &region) {
                          buildPrologue(builder, op, activation, approximately, region);
                        });
}

LogicalResult fp8gemm::checkEpilogueIsBuilt(ProductOpInterface op) {
  if (op.getEpilogueOperands().size() <= kMostEpilogueOperands)
    return success();
  return op->emitOpError("expected at most ")
         << kMostEpilogueOperands << " operands of the epilogue of a kernel, got " << op.getEpilogueOperands().size()
         << "; compute a part of it after the product";
}
