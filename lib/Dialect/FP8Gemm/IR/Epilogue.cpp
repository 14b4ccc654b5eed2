// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Epilogues: what their operands and regions may be, and for which of them kernels are built.

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"

#include "Verify.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

fp8gemm::Broadcast fp8gemm::broadcastOf(Value operand) {
  ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
  auto varies = [&](size_t fromLast) { return shape.size() >= fromLast && shape[shape.size() - fromLast] != 1; };
  return {varies(3), varies(2), varies(1)};
}

static std::string shapeOf(ShapedType type) {
  std::string text;
  for (int64_t size : type.getShape())
    text += (text.empty() ? "[" : ", ") + extent(size);
  return text.empty() ? "[]" : text + "]";
}

/// (C17), (G7): extents from the last one on.
static LogicalResult verifyShape(ProductOpInterface op, const NamedOperand &operand, const NamedOperand &d) {
  int64_t rank = operand.rank();
  bool ofGroups = isa<GroupedGemmOp>(op); // whose rows may follow each other in one matrix
  auto fits = [&](int64_t fromLast, int64_t size) {
    if (rank < fromLast)
      return true;
    int64_t own = operand.size(unsigned(rank - fromLast));
    return own == 1 || own == size;
  };
  bool isOfContiguous = rank == 3 && d.rank() == 2;
  bool fitsRows = isOfContiguous ? fits(2, 1) : fits(2, op.getM()) || fits(2, d.size(unsigned(d.rank() - 2)));
  if (rank <= (ofGroups ? 3 : d.rank()) && fits(1, op.getColumnsOfD()) && fitsRows && fits(3, op.getGroupCount()))
    return success();
  InFlightDiagnostic error = op->emitOpError("expected '") << operand.name << "' to have a shape that broadcasts to ";
  error << shapeOf(d.type) << " of 'd'";
  if (ofGroups && d.rank() == 2)
    error << ", or [" << op.getGroupCount() << ", 1, " << op.getColumnsOfD() << "] of groups";
  return error << ", got " << shapeOf(operand.type);
}

/// (C19): a thread loads two elements of a row at once.
static LogicalResult verifyMemory(ProductOpInterface op, const NamedOperand &operand, const Broadcast &broadcast) {
  auto memref = dyn_cast<MemRefType>(operand.type);
  if (!memref)
    return success();
  if (broadcast.rows && broadcast.columns)
    return verifyMatrixMemory(op, operand);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return op->emitOpError("expected '") << operand.name << "' to be a strided memref, got " << memref;
  if (!broadcast.columns)
    return success();
  if (!ShapedType::isDynamic(strides.back()) && strides.back() != 1)
    return op->emitOpError("expected '") << operand.name << "' to be contiguous (innermost stride 1), got stride "
                                         << strides.back();
  strides.pop_back();
  strides.push_back(offset);
  for (auto [i, start] : llvm::enumerate(strides))
    if (!ShapedType::isDynamic(start) && start % 2 != 0)
      return op->emitOpError("expected '") << operand.name << "' to start at a multiple of 2 elements, got "
                                           << (i + 1 == strides.size() ? "offset " : "stride ") << start;
  return success();
}

static LogicalResult verifyOperand(ProductOpInterface op, Value value, const NamedOperand &operand,
                                   const NamedOperand &d) {
  MLIRContext *context = op->getContext();
  return failure(failed(verifyElement(op, operand,
                                      {BFloat16Type::get(context), Float16Type::get(context),
                                       Float32Type::get(context)})) ||
                 failed(verifyShape(op, operand, d)) || failed(verifyMemory(op, operand, broadcastOf(value))));
}

/// (C18): one operation of the region.
static LogicalResult verifyInner(Operation &inner) {
  StringRef dialect = inner.getName().getDialectNamespace();
  auto isNumber = [&](Type type) {
    bool isFloat = type.isF32() || (dialect == "arith" && (type.isF16() || type.isBF16()));
    return isFloat || (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
  };
  bool ofNumbers = llvm::all_of(inner.getOperandTypes(), isNumber) && llvm::all_of(inner.getResultTypes(), isNumber);
  if ((dialect == "arith" || dialect == "math") && ofNumbers && inner.getNumRegions() == 0 &&
      (inner.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&inner)))
    return success();
  return inner.emitOpError("expected an epilogue of constants and elementwise operations of arith and math on f32 and "
                           "integers (of arith also on bf16 and f16), got another operation");
}

/// (C18)
static LogicalResult verifyRegion(ProductOpInterface op, Block &body, size_t operands) {
  bool areF32 = llvm::all_of(body.getArgumentTypes(), [](Type type) { return type.isF32(); });
  size_t sums = op.isGated() ? 2 : 1;
  if (body.getNumArguments() != operands + sums || !areF32) {
    InFlightDiagnostic error = op->emitOpError("expected the epilogue to take ")
                               << (sums == 1 ? "the sum" : "both sums of a gated product") << " and an element of each of "
                               << operands << " operands, " << operands + sums << " f32, got (";
    llvm::interleaveComma(body.getArgumentTypes(), error);
    return error << ')';
  }
  for (Operation &inner : body.without_terminator())
    if (failed(verifyInner(inner)))
      return failure();
  auto yield = dyn_cast<EpilogueYieldOp>(body.getTerminator());
  if (!yield)
    return op->emitOpError("expected the epilogue to end with fp8gemm.yield, got ") << body.getTerminator()->getName();
  if (!yield.getValue().getType().isF32())
    return yield.emitOpError("expected an f32, which is rounded to the type of 'd', got ")
           << yield.getValue().getType();
  return success();
}

/// (C20). Tiles of D have the scales of two blocks of B then, wherever they start.
static LogicalResult verifyGated(ProductOpInterface op) {
  constexpr int64_t kScaleRows = 128;
  if (!op.isGated())
    return success();
  if (!op.getEpilogueBody())
    return op->emitOpError("expected a gated product to have an epilogue, got none");
  if (op.getC())
    return op->emitOpError("expected a gated product without 'c', got one; make it an operand of the epilogue");
  if (op.getBScale().getRows() != kScaleRows)
    return op->emitOpError("expected 'b_scale' of a gated product to have 128x128 blocks, got ")
           << op.getBScale().getRows() << "x" << op.getBScale().getColumns();
  if (op.getN() % (2 * kScaleRows) != 0)
    return op->emitOpError("expected N of a gated product to be a multiple of 256, got ") << op.getN();
  return success();
}

LogicalResult verification::verifyEpilogue(ProductOpInterface op, const NamedOperands &operands) {
  Block *body = op.getEpilogueBody();
  if (failed(verifyGated(op)))
    return failure();
  if (!body && !operands.epilogue.empty())
    return op->emitOpError("expected a region for the epilogue's operands, got none");
  for (auto [value, operand] : llvm::zip_equal(op.getEpilogueOperands(), operands.epilogue))
    if (failed(verifyOperand(op, value, operand, operands.d)))
      return failure();
  for (Value operand : op.getEpilogueOperands())
    if (isa<MemRefType>(operand.getType()) && operand == op.getD())
      return op->emitOpError("expected an epilogue that does not read 'd', got it as an operand; add it with 'plus'");
  return body ? verifyRegion(op, *body, operands.epilogue.size()) : success();
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
  Broadcast broadcast = broadcastOf(operand);
  return isa<GemmOp>(op) && broadcast.rows && broadcast.columns && type.getElementType() == op.getDElement();
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

static Value activate(ImplicitLocOpBuilder b, format::Activation activation, Value x) {
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
    return arith::DivFOp::create(b, x, sum);
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

/// What D is of the sums and the vectors of problems, of which those that are not there are null.
static Value problemEpilogue(OpBuilder &builder, Location loc, ValueRange sums, format::Activation activation,
                             llvm::function_ref<Value(format::Operand)> elementOf) {
  Value sum = sums.front();
  if (Value scale = elementOf(format::Operand::RowScale))
    sum = arith::MulFOp::create(builder, loc, sum, scale);
  if (Value bias = elementOf(format::Operand::Bias))
    sum = arith::AddFOp::create(builder, loc, sum, bias);
  Value result = activate(ImplicitLocOpBuilder(loc, builder), activation, sum);
  return sums.size() == 1 ? result : arith::MulFOp::create(builder, loc, result, sums[1]).getResult();
}

/// The epilogue in a region that has no block yet.
static void buildEpilogue(OpBuilder &builder, Location loc, ProductOpInterface op, format::Activation activation,
                          Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  const size_t sums = op.isGated() ? 2 : 1;
  SmallVector<Type> types(sums + op.getEpilogueOperands().size(), builder.getF32Type());
  Block *body = builder.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  auto elementOf = [&](format::Operand vector) -> Value {
    Value operand = shapedAs(op, *format::rowOf(vector));
    auto found = llvm::find(op.getEpilogueOperands(), operand);
    return operand ? body->getArgument(sums + (found - op.getEpilogueOperands().begin())) : Value();
  };
  Value result = problemEpilogue(builder, loc, body->getArguments().take_front(sums), activation, elementOf);
  EpilogueYieldOp::create(builder, loc, result);
}

void fp8gemm::buildProblemEpilogue(OpBuilder &builder, ProductOpInterface op, format::Activation activation) {
  buildEpilogue(builder, op.getLoc(), op, activation, op->getRegion(0));
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
  OpBuilder builder(op.getContext());
  for (const format::Word &word : format::kActivationWords) {
    Region expected;
    buildEpilogue(builder, op.getLoc(), op, format::Activation(word.value), expected);
    if (OperationEquivalence::isRegionEquivalentTo(&expected, op.getEpilogueBody()->getParent(),
                                                   OperationEquivalence::IgnoreLocations))
      return format::Activation(word.value);
  }
  return std::nullopt;
}

LogicalResult fp8gemm::checkEpilogueIsBuilt(ProductOpInterface op) {
  if (op.getEpilogueOperands().size() <= kMostEpilogueOperands)
    return success();
  return op->emitOpError("expected at most ")
         << kMostEpilogueOperands << " operands of the epilogue of a kernel, got " << op.getEpilogueOperands().size()
         << "; compute a part of it after the product";
}
