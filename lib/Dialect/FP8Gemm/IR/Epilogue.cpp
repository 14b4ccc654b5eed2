// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Epilogues: what their operands and regions may be, and for which of them kernels are built.

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"

#include "Verify.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// (C17), (C19), (G7)
static LogicalResult verifyRow(Operation *op, const NamedOperand &row, int64_t n) {
  MLIRContext *context = op->getContext();
  if (failed(verifyElement(op, row, {BFloat16Type::get(context), Float32Type::get(context)})))
    return failure();
  if (row.size(0) != n)
    return op->emitOpError("expected '") << row.name << "' to be a row of " << n << " elements, as of 'd', got "
                                         << extent(row.size(0));
  auto memref = dyn_cast<MemRefType>(row.type);
  if (!memref)
    return success();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return op->emitOpError("expected '") << row.name << "' to be a strided memref, got " << memref;
  if (!ShapedType::isDynamic(strides[0]) && strides[0] != 1)
    return op->emitOpError("expected '") << row.name << "' to be contiguous (innermost stride 1), got stride "
                                         << strides[0];
  if (!ShapedType::isDynamic(offset) && offset % 2 != 0)
    return op->emitOpError("expected '") << row.name << "' to start at a multiple of 2 elements, got offset " << offset;
  return success();
}

/// (C17), (C19)
static LogicalResult verifyMatrix(ProductOpInterface op, const NamedOperand &matrix, const NamedOperand &d) {
  if (failed(verifyCompatibleShape(matrix.type, d.type)) || matrix.type.getElementType() != d.type.getElementType())
    return op->emitOpError("expected '") << matrix.name
                                         << "' to be a row, or a matrix of the shape and element type of 'd', "
                                         << d.type << ", got " << matrix.type;
  return verifyMatrixMemory(op, matrix);
}

static LogicalResult verifyOperand(ProductOpInterface op, const NamedOperand &operand, const NamedOperand &d) {
  if (operand.rank() == 1)
    return verifyRow(op, operand, op.getColumnsOfD());
  if (isa<GroupedGemmOp>(op))
    return op->emitOpError("expected '") << operand.name << "' to be a row of rank 1, got rank " << operand.rank();
  return verifyMatrix(op, operand, d);
}

/// (C18): one operation of the region.
static LogicalResult verifyInner(Operation &inner) {
  auto isF32 = [](Type type) { return type.isF32(); };
  bool ofDialect =
      isa_and_present<arith::ArithDialect>(inner.getDialect()) || inner.getName().getDialectNamespace() == "math";
  bool isScalar =
      llvm::all_of(inner.getOperandTypes(), isF32) && inner.getNumResults() == 1 && isF32(inner.getResult(0).getType());
  if (ofDialect && isScalar && (isa<arith::ConstantOp>(inner) || OpTrait::hasElementwiseMappableTraits(&inner)))
    return success();
  return inner.emitOpError("expected an epilogue of constants and elementwise operations of arith and math on f32, "
                           "got another operation");
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
  for (const NamedOperand &operand : operands.epilogue)
    if (failed(verifyOperand(op, operand, operands.d)))
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

Value fp8gemm::rowOf(ProductOpInterface op) {
  for (Value operand : op.getEpilogueOperands())
    if (cast<ShapedType>(operand.getType()).getRank() == 1)
      return operand;
  return nullptr;
}

Value fp8gemm::matrixOf(ProductOpInterface op) {
  if (Value c = op.getC())
    return c;
  for (Value operand : op.getEpilogueOperands())
    if (cast<ShapedType>(operand.getType()).getRank() > 1)
      return operand;
  return nullptr;
}

Value fp8gemm::vectorOf(ProductOpInterface op, const format::OperandRow &row) {
  return row.operand == format::Operand::Bias ? rowOf(op) : Value();
}

/// The same for a region that has no block yet.
static void buildEpilogue(OpBuilder &builder, Location loc, ProductOpInterface op, Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Type> types(1 + op.getEpilogueOperands().size(), builder.getF32Type());
  Block *body = builder.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  Value result = body->getArgument(0);
  for (auto [operand, element] : llvm::zip_equal(op.getEpilogueOperands(), body->getArguments().drop_front()))
    if (operand == vectorOf(op, *format::rowOf(format::Operand::Bias)))
      result = arith::AddFOp::create(builder, loc, result, element);
  EpilogueYieldOp::create(builder, loc, result);
}

void fp8gemm::buildProblemEpilogue(OpBuilder &builder, ProductOpInterface op) {
  buildEpilogue(builder, op.getLoc(), op, op->getRegion(0));
}

bool fp8gemm::isProblemEpilogue(ProductOpInterface op) {
  if (!op.getEpilogueBody())
    return true;
  bool areVectors = llvm::all_of(op.getEpilogueOperands(), [&](Value operand) {
    return llvm::any_of(format::kOperands, [&](const format::OperandRow &row) {
      return isOptionalVector(row) && vectorOf(op, row) == operand;
    });
  });
  OpBuilder builder(op.getContext());
  Region expected;
  buildEpilogue(builder, op.getLoc(), op, expected);
  return areVectors && OperationEquivalence::isRegionEquivalentTo(&expected, op.getEpilogueBody()->getParent(),
                                                                  OperationEquivalence::IgnoreLocations);
}

LogicalResult fp8gemm::checkEpilogueIsBuilt(ProductOpInterface op) {
  Block *body = op.getEpilogueBody();
  if (!body)
    return success();
  if (!isSum(*body))
    return op->emitOpError("expected an epilogue that adds each of its arguments once, got another one, for which no "
                           "kernels are built yet; compute it after the product");
  int64_t rows = llvm::count_if(op.getEpilogueOperands(),
                                [](Value operand) { return cast<ShapedType>(operand.getType()).getRank() == 1; });
  int64_t matrices = int64_t(op.getEpilogueOperands().size()) - rows + (op.getC() ? 1 : 0);
  if (rows <= 1 && matrices <= 1)
    return success();
  return op->emitOpError("expected at most one row and one matrix (C included) in the epilogue of a kernel, got ")
         << rows << " and " << matrices;
}
