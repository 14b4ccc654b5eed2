// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the operands and the region of an epilogue may be, and the region of a prologue.

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"

#include "Verify.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

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
  return failure(
      failed(verifyElement(op, operand,
                           {BFloat16Type::get(context), Float16Type::get(context), Float32Type::get(context)})) ||
      failed(verifyShape(op, operand, d)) || failed(verifyMemory(op, operand, broadcastOf(value))));
}

/// (C18): one operation of the region.
static LogicalResult verifyInner(Operation &inner, StringRef region) {
  StringRef dialect = inner.getName().getDialectNamespace();
  auto isNumber = [&](Type type) {
    bool isFloat = type.isF32() || (dialect == "arith" && (type.isF16() || type.isBF16()));
    return isFloat || (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
  };
  bool ofNumbers = llvm::all_of(inner.getOperandTypes(), isNumber) && llvm::all_of(inner.getResultTypes(), isNumber);
  if ((dialect == "arith" || dialect == "math") && ofNumbers && inner.getNumRegions() == 0 &&
      (inner.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&inner)))
    return success();
  return inner.emitOpError("expected ") << (region == "epilogue" ? "an " : "a ") << region
                                        << " of constants and elementwise operations of arith and math on f32 and "
                                           "integers (of arith also on bf16 and f16), "
                                           "got another operation";
}

/// (C18)
static LogicalResult verifyRegion(Operation *op, Block &body, StringRef region, size_t count, const Twine &arguments,
                                  StringRef result) {
  bool areF32 = llvm::all_of(body.getArgumentTypes(), [](Type type) { return type.isF32(); });
  if (body.getNumArguments() != count || !areF32) {
    InFlightDiagnostic error = op->emitOpError("expected the ")
                               << region << " to take " << arguments << ", " << count << " f32, got (";
    llvm::interleaveComma(body.getArgumentTypes(), error);
    return error << ')';
  }
  // Regions are verified later: the block may be empty, and the yield without a value.
  auto yield = body.empty() ? EpilogueYieldOp() : dyn_cast<EpilogueYieldOp>(body.back());
  if (!yield && body.empty())
    return op->emitOpError("expected the ") << region << " to end with fp8gemm.yield, got no operation";
  if (!yield)
    return op->emitOpError("expected the ") << region << " to end with fp8gemm.yield, got " << body.back().getName();
  if (yield->getNumOperands() != 1)
    return yield.emitOpError("expected one f32, ") << result << ", got " << yield->getNumOperands() << " values";
  for (Operation &inner : body.without_terminator())
    if (failed(verifyInner(inner, region)))
      return failure();
  if (!yield.getValue().getType().isF32())
    return yield.emitOpError("expected an f32, ") << result << ", got " << yield.getValue().getType();
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
  if (!body)
    return success();
  const size_t count = operands.epilogue.size();
  return verifyRegion(op, *body, "epilogue", count + (op.isGated() ? 2 : 1),
                      (op.isGated() ? "both sums of a gated product" : "the sum") +
                          Twine(" and an element of each of ") + Twine(count) + " operands",
                      "which is rounded to the type of 'd'");
}

LogicalResult verification::verifyPrologue(QuantizeOp op) {
  Block *body = op.getPrologueBody();
  if (!body)
    return op.getGated() ? op.emitOpError("expected a gated quantisation to have a prologue, got none") : success();
  return verifyRegion(op, *body, "prologue", op.getGated() ? 2 : 1,
                      op.getGated() ? "both elements of a gated 'x'" : "an element of 'x'", "which is quantised");
}
