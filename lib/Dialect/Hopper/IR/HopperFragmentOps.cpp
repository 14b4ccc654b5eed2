// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products, and fragments in shared and global memory.

#include "Panels.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// A result's name in printed IR.
using SetName = function_ref<void(Value, StringRef)>;

void MmaOp::getAsmResultNames(SetName setName) { setName(getPartial(), "partial"); }
void MmaWaitOp::getAsmResultNames(SetName setName) { setName(getResult(), "done"); }
void PromoteOp::getAsmResultNames(SetName setName) { setName(getResult(), "sum"); }
void LoadFragmentOp::getAsmResultNames(SetName setName) { setName(getFragment(), "loaded"); }
void ReduceFragmentsOp::getAsmResultNames(SetName setName) { setName(getResult(), getMax() ? "largest" : "sum"); }

LogicalResult MmaOp::verify() {
  auto check = [&](StringRef name, MemRefType type) -> LogicalResult {
    SmallVector<int64_t> strides;
    int64_t offset;
    bool isF8 = isa<Float8E4M3FNType, Float8E5M2Type>(type.getElementType());
    if (type.getRank() == 2 && isF8 && type.getDimSize(1) == 128 &&
        succeeded(type.getStridesAndOffset(strides, offset)) && strides[0] == 128 && strides[1] == 1)
      return success();
    return emitOpError() << "expected '" << name << "' to be rows of 128 f8E4M3FN or f8E5M2, 128 bytes apart, got "
                         << type;
  };
  auto a = cast<MemRefType>(getA().getType()), b = cast<MemRefType>(getB().getType());
  FragmentType partial = getPartial().getType();
  if (failed(check("a", a)) || failed(check("b", b)))
    return failure();
  if (a.getDimSize(0) != 64)
    return emitOpError() << "expected 'a' to have 64 rows, got " << a.getDimSize(0);
  int64_t n = b.getDimSize(0);
  if (n % 8 != 0 || n < 8 || n > 256)
    return emitOpError() << "expected 'b' rows to be a multiple of 8 in [8, 256], got " << n;
  if (partial.getColumns() != n)
    return emitOpError() << "expected a result of 64x" << n << "xf32, got " << partial;
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
// Operations of arith and math
//===----------------------------------------------------------------------===//

bool fp8gemm::hopper::isElementwise(Operation *op) {
  if (!OpTrait::hasElementwiseMappableTraits(op) || isa<HopperDialect>(op->getDialect()) || op->getNumResults() != 1)
    return false;
  auto isScalar = [](Type type) { return isa<FloatType, IntegerType, IndexType>(type); };
  Type type = op->getResult(0).getType();
  return isa<FragmentType>(type) &&
         llvm::all_of(op->getOperandTypes(), [&](Type operand) { return operand == type || isScalar(operand); });
}

bool fp8gemm::hopper::accessesFragments(Operation *op) {
  auto isFragment = llvm::IsaPred<FragmentType>;
  if (isElementwise(op) || (op->hasTrait<OpTrait::ConstantLike>() && isFragment(op->getResult(0).getType())))
    return true;
  return isa<HopperDialect>(op->getDialect()) && !isa<MmaOp>(op) &&
         (llvm::any_of(op->getOperandTypes(), isFragment) || llvm::any_of(op->getResultTypes(), isFragment));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t LoadFragmentOp::getSourceRows() {
  auto source = cast<MemRefType>(getSource().getType());
  return source.getRank() == 1 ? 1 : source.getShape().take_back(2).front();
}

int64_t LoadFragmentOp::getSourceColumns() { return cast<MemRefType>(getSource().getType()).getShape().back(); }

/// (C2)
static LogicalResult verifyGlobalMatrix(LoadFragmentOp op) {
  auto source = cast<MemRefType>(op.getSource().getType());
  SmallVector<int64_t> strides;
  int64_t offset, columns = op.getSourceColumns();
  Type element = source.getElementType();
  if (source.getMemorySpace() || failed(source.getStridesAndOffset(strides, offset)) || strides.back() != 1 ||
      offset != 0 || !(element.isBF16() || element.isF16() || element.isF32()) || ShapedType::isDynamic(columns) ||
      (columns != 1 && columns % 2 != 0) || columns == 0)
    return op.emitOpError() << "expected 'source' to be rows of 1 or an even number of bf16, f16 or f32 in global "
                               "memory, each next to the one before, got "
                            << source;
  if (source.getRank() < (op.getGroup() ? 3 : 1) || source.getRank() > (op.getGroup() ? 3 : 2))
    return op.emitOpError() << "expected 'source' to have rank " << (op.getGroup() ? "3 with" : "1 or 2 without")
                            << " a group, got " << source;
  return success();
}

/// (C3)
LogicalResult LoadFragmentOp::verify() {
  if (getODSOperandIndexAndLength(0).second != 1)
    return emitOpError("expected one operand 'source', got ") << getODSOperandIndexAndLength(0).second;
  if (!isOfMatrix()) {
    if (getGroup() || getLimit() || getTransposed())
      return emitOpError() << "expected 'row' and 'column' with 'group', 'limit' or 'transposed', got none";
    return verifyPanels(*this, "source", cast<MemRefType>(getSource().getType()), /*isStored=*/false,
                        getFragment().getType());
  }
  if (failed(verifyGlobalMatrix(*this)))
    return failure();
  bool hasRows = getSourceRows() != 1;
  if (bool(getLimit()) != hasRows)
    return emitOpError() << "expected " << (hasRows ? "a" : "no") << " 'limit' for a source of "
                         << (hasRows ? "several rows" : "one row") << ", got " << (hasRows ? "none" : "one");
  return success();
}

LogicalResult StoreFragmentOp::verify() {
  auto staging = cast<MemRefType>(getStaging().getType());
  if (!getTransposed())
    return verifyPanels(*this, "staging", staging, /*isStored=*/true, getFragment().getType());
  int64_t columns = getFragment().getType().getColumns();
  if (staging.getElementType().isBF16() && staging.getShape() == ArrayRef<int64_t>{1, columns, 64} && isDirect(staging))
    return success();
  return emitOpError() << "expected 'staging' to be 1x" << columns << "x64 bf16, got " << staging;
}

//===----------------------------------------------------------------------===//
// Split K
//===----------------------------------------------------------------------===//

/// (C1) of put_fragment and reduce_fragments.
static LogicalResult verifyExchange(Operation *op, MemRefType exchange, int64_t columns) {
  if (exchange.getElementType().isF32() && exchange.getShape() == ArrayRef<int64_t>{columns / 8, 128, 4} &&
      isDirect(exchange))
    return success();
  return op->emitOpError() << "expected 'exchange' to be " << columns / 8 << "x128x4 f32, got " << exchange;
}

LogicalResult PutFragmentOp::verify() {
  return verifyExchange(*this, cast<MemRefType>(getExchange().getType()), getFragment().getType().getColumns());
}

LogicalResult ReduceFragmentsOp::verify() {
  if (getRanks() < 2 || getRanks() > 8)
    return emitOpError() << "expected 'ranks' to be in [2, 8], got " << getRanks();
  return verifyExchange(*this, cast<MemRefType>(getExchange().getType()), getResult().getType().getColumns());
}
