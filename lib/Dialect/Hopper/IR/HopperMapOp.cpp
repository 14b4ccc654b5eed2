// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper.map: functions of fragments.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fp8gemm::hopper;

void MapOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getResult(), getMaxOfRows() ? "largest" : "mapped");
}

static bool isScalesOfRows(Type type) {
  auto scales = dyn_cast<ScalesType>(type);
  return scales && scales.getAxis() == Axis::rows && scales.getBlock() == 1;
}

static int64_t argumentsOf(Type input, Type result) {
  auto fragment = dyn_cast<FragmentType>(input), made = dyn_cast<FragmentType>(result);
  return fragment && made && fragment.getColumns() == 2 * made.getColumns() ? 2 : 1;
}

int64_t MapOp::getArgumentsOf(Type input) { return argumentsOf(input, getResult().getType()); }

void MapOp::build(OpBuilder &builder, OperationState &state, Type result, ValueRange inputs,
                  function_ref<Value(ValueRange)> body) {
  bool isOfFragments = llvm::any_of(inputs.getTypes(), llvm::IsaPred<FragmentType>);
  build(builder, state, result, inputs, /*max_of_rows=*/isOfFragments && isa<ScalesType>(result));
  int64_t arguments = 0;
  for (Type input : inputs.getTypes())
    arguments += argumentsOf(input, result);
  OpBuilder::InsertionGuard guard(builder);
  Block *block =
      builder.createBlock(state.regions.front().get(), {}, SmallVector<Type>(arguments, builder.getF32Type()),
                          SmallVector<Location>(arguments, state.location));
  Value element = body(block->getArguments());
  YieldOp::create(builder, state.location, element);
}

void MapOp::build(OpBuilder &builder, OperationState &state, Type result, ValueRange inputs, Block &body) {
  build(builder, state, result, inputs, [&](ValueRange elements) {
    IRMapping mapping;
    mapping.map(body.getArguments(), elements);
    for (Operation &op : body.without_terminator())
      builder.clone(op, mapping);
    return mapping.lookup(body.getTerminator()->getOperand(0));
  });
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
    bool isMapped = isa<FragmentType>(type) || (isa<VectorType>(type) && !cast<VectorType>(type).isScalable());
    if (!isMapped || (fragment && type != fragment))
      return emitOpError() << "expected inputs of one type of fragment or vector, or scales of 64 rows by 1, got "
                           << type;
    fragment = type;
  }
  if (getMaxOfRows() && !isa_and_present<FragmentType>(fragment))
    return emitOpError("expected a fragment among the inputs with 'max_of_rows', got none");
  if (isa_and_present<VectorType>(fragment) && !llvm::all_equal(getInputs().getTypes()))
    return emitOpError("expected vectors only, got scales beside them");
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
