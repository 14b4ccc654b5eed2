// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of fragments, and fragments that CTAs exchange.

#include "Panels.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

void MapOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getResult(), getMaxOfRows() ? "largest" : "mapped");
}

static bool isScalesOfRows(Type type) {
  auto scales = dyn_cast<ScalesType>(type);
  return scales && scales.getAxis() == Axis::rows && scales.getBlock() == 1;
}

int64_t MapOp::getArgumentsOf(Type input) {
  auto fragment = dyn_cast<FragmentType>(input), result = dyn_cast<FragmentType>(getResult().getType());
  return fragment && result && fragment.getColumns() == 2 * result.getColumns() ? 2 : 1;
}

/// (C1), (C4)
LogicalResult MapOp::verify() {
  if (getInputs().empty())
    return emitOpError("expected at least one input, got none");
  Type fragment, result = getResult().getType();
  for (Type type : getInputs().getTypes()) {
    if (isScalesOfRows(type))
      continue;
    if (getArgumentsOf(type) == 2)
      type = result;
    if (!isa<FragmentType>(type) || (fragment && type != fragment))
      return emitOpError() << "expected inputs of one type of fragment, or scales of 64 rows by 1, got " << type;
    fragment = type;
  }
  if (getMaxOfRows() && !fragment)
    return emitOpError("expected a fragment among the inputs with 'max_of_rows', got none");
  if (getMaxOfRows() || !fragment ? isScalesOfRows(result) : result == fragment)
    return success();
  return emitOpError() << "expected a result of "
                       << (getMaxOfRows() || !fragment ? "'!hopper.scales<64 rows by 1>'" : "the inputs' type")
                       << ", got " << result;
}

bool fp8gemm::hopper::isScalarOperation(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  auto isNumber = [&](Type type) {
    bool isFloat = type.isF32() || (dialect != "math" && (type.isF16() || type.isBF16()));
    return isFloat || (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
  };
  return (dialect == "arith" || dialect == "math") && op->getNumRegions() == 0 &&
         llvm::all_of(op->getOperandTypes(), isNumber) && llvm::all_of(op->getResultTypes(), isNumber) &&
         (op->hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(op));
}

/// (C2), (C3)
LogicalResult MapOp::verifyRegions() {
  Block &body = getBody().front();
  auto isF32 = [](Type type) { return type.isF32(); };
  int64_t expected = 0;
  for (Type type : getInputs().getTypes())
    expected += getArgumentsOf(type);
  if (body.getNumArguments() != expected || !llvm::all_of(body.getArgumentTypes(), isF32)) {
    InFlightDiagnostic error = emitOpError("expected the body to take ") << expected << " f32, got (";
    llvm::interleaveComma(body.getArgumentTypes(), error);
    return error << ')';
  }
  for (Operation &op : body.without_terminator())
    if (!isScalarOperation(&op))
      return op.emitOpError("expected a function of constants and elementwise operations of arith and math on scalars, "
                            "got another operation");
  if (!isa<YieldOp>(body.getTerminator()))
    return emitOpError("expected the body to end with hopper.yield, got ") << body.getTerminator()->getName();
  return success();
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

LogicalResult LoadScalesOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  ScalesType scales = getScales().getType();
  int64_t count = scales.getExtent() / scales.getBlock();
  if (source.getRank() != 1 || !source.getElementType().isF32() || source.getDimSize(0) != count || !isDirect(source))
    return emitOpError() << "expected 'source' to be rank-1 f32 of " << count << " elements, got " << source;
  return success();
}

LogicalResult PromoteOp::verify() {
  ScalesType rows = getRows().getType(), columns = getColumns().getType();
  FragmentType acc = getAcc().getType();
  if (rows.getAxis() != Axis::rows || rows.getExtent() != acc.getRows())
    return emitOpError() << "expected scales of " << acc.getRows() << " rows, got " << rows;
  if (columns.getAxis() != Axis::columns || columns.getExtent() != acc.getColumns())
    return emitOpError() << "expected scales of " << acc.getColumns() << " columns, got " << columns;
  return success();
}

//===----------------------------------------------------------------------===//
// Split K
//===----------------------------------------------------------------------===//

/// (C1) of put_fragment and sum_fragments.
static LogicalResult verifyExchange(Operation *op, MemRefType exchange, int64_t columns) {
  if (exchange.getElementType().isF32() && exchange.getShape() == ArrayRef<int64_t>{columns / 8, 128, 4} &&
      isDirect(exchange))
    return success();
  return op->emitOpError() << "expected 'exchange' to be " << columns / 8 << "x128x4 f32, got " << exchange;
}

LogicalResult PutFragmentOp::verify() {
  return verifyExchange(*this, cast<MemRefType>(getExchange().getType()), getFragment().getType().getColumns());
}

LogicalResult SumFragmentsOp::verify() {
  if (getRanks() < 2 || getRanks() > 8)
    return emitOpError() << "expected 'ranks' to be in [2, 8], got " << getRanks();
  return verifyExchange(*this, cast<MemRefType>(getExchange().getType()), getSum().getType().getColumns());
}
