// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Emitter.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

Value KernelEmitter::constant(int64_t value) {
  for (Operation &op : *top) {
    APInt known;
    if (!matchPattern(&op, m_ConstantInt(&known)))
      break;
    if (op.getResult(0).getType().isIndex() && known.getSExtValue() == value)
      return op.getResult(0);
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(top);
  return arith::ConstantIndexOp::create(builder, value);
}

template <typename Op> Value KernelEmitter::fold(Value lhs, Value rhs) {
  Block *block = builder.getInsertionBlock();
  for (Operation &op : llvm::make_range(block->begin(), builder.getInsertionPoint()))
    if (auto same = dyn_cast<Op>(op); same && same.getLhs() == lhs && same.getRhs() == rhs)
      return same;
  Value result = builder.createOrFold<Op>(lhs, rhs);
  std::optional<int64_t> known = getConstantIntValue(result);
  if (!known)
    return result;
  Value atTop = constant(*known);
  if (atTop != result && result.use_empty()) // folding made it here
    result.getDefiningOp()->erase();
  return atTop;
}

Value KernelEmitter::zero(Type type) {
  auto zeros = DenseElementsAttr::get(cast<ShapedType>(type), builder.getF32FloatAttr(0).getValue());
  Block *block = builder.getInsertionBlock();
  for (Operation &op : llvm::make_range(block->begin(), builder.getInsertionPoint()))
    if (auto same = dyn_cast<arith::ConstantOp>(op); same && same.getValue() == zeros)
      return same;
  return named("zero", arith::ConstantOp::create(builder, zeros));
}

Value KernelEmitter::add(Value lhs, Value rhs) { return fold<arith::AddIOp>(lhs, rhs); }
Value KernelEmitter::sub(Value lhs, Value rhs) { return fold<arith::SubIOp>(lhs, rhs); }
Value KernelEmitter::mul(Value lhs, Value rhs) { return fold<arith::MulIOp>(lhs, rhs); }
Value KernelEmitter::div(Value lhs, Value rhs) { return fold<arith::DivUIOp>(lhs, rhs); }
Value KernelEmitter::rem(Value lhs, Value rhs) { return fold<arith::RemUIOp>(lhs, rhs); }
Value KernelEmitter::min(Value lhs, Value rhs) { return fold<arith::MinUIOp>(lhs, rhs); }
Value KernelEmitter::max(Value lhs, Value rhs) { return fold<arith::MaxUIOp>(lhs, rhs); }

Value KernelEmitter::both(Value lhs, Value rhs) { return arith::AndIOp::create(builder, lhs, rhs); }

Value KernelEmitter::compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
  return arith::CmpIOp::create(builder, predicate, lhs, rhs);
}

Value KernelEmitter::view(Value buffer, ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> shape) {
  SmallVector<OpFoldResult> sizes(offsets.size() - shape.size(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> strides(offsets.size(), builder.getIndexAttr(1));
  for (int64_t size : shape)
    sizes.push_back(builder.getIndexAttr(size));
  auto type =
      memref::SubViewOp::inferRankReducedResultType(shape, cast<MemRefType>(buffer.getType()), offsets, sizes, strides);
  return memref::SubViewOp::create(builder, cast<MemRefType>(type), buffer, offsets, sizes, strides);
}

Value KernelEmitter::rows(Value buffer, OpFoldResult first, int64_t count) {
  ArrayRef<int64_t> shape = cast<MemRefType>(buffer.getType()).getShape();
  SmallVector<OpFoldResult> offsets(shape.size(), builder.getIndexAttr(0));
  SmallVector<int64_t> sizes(shape);
  offsets.front() = first, sizes.front() = count;
  return view(buffer, offsets, sizes);
}

SmallVector<Value> KernelEmitter::loop(Value end, int64_t step, ValueRange state,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value first = constant(0), increment = constant(step);
  auto loop = scf::ForOp::create(builder, first, end, increment, state);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!state.empty()) // without any, the loop has a terminator
    scf::YieldOp::create(builder, next);
  return loop.getResults();
}

void KernelEmitter::when(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(builder, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  then();
  if (!otherwise)
    return;
  builder.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

MemRefType fp8gemm::hopper::sharedMemory(ArrayRef<int64_t> shape, Type element) {
  auto shared = IntegerAttr::get(IntegerType::get(element.getContext(), 64), 3);
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), shared);
}

MemRefType fp8gemm::hopper::globalMatrix(ArrayRef<int64_t> shape, Type element, bool grouped, bool columnsFirst) {
  constexpr int64_t any = ShapedType::kDynamic;
  SmallVector<int64_t> sizes(grouped, any), strides(grouped, any);
  llvm::append_range(sizes, shape);
  strides.append({columnsFirst ? 1 : any, columnsFirst ? any : 1});
  return MemRefType::get(sizes, element, StridedLayoutAttr::get(element.getContext(), 0, strides));
}

Type fp8gemm::hopper::tensorMap(int64_t rows, int64_t columns, Type element, bool grouped, bool plain) {
  using Swizzle = nvgpu::TensorMapSwizzleKind;
  int64_t bytes = columns * element.getIntOrFloatBitWidth() / 8;
  Swizzle swizzle = plain          ? Swizzle::SWIZZLE_NONE
                    : bytes == 128 ? Swizzle::SWIZZLE_128B
                    : bytes == 64  ? Swizzle::SWIZZLE_64B
                                   : Swizzle::SWIZZLE_32B;
  SmallVector<int64_t> box(grouped, 1);
  box.append({rows, columns});
  return nvgpu::TensorMapDescriptorType::get(
      element.getContext(), sharedMemory(box, element), swizzle, nvgpu::TensorMapL2PromoKind::L2PROMO_256B,
      nvgpu::TensorMapOOBKind::OOB_ZERO, nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
}

Value fp8gemm::hopper::named(StringRef name, Value value) {
  Operation *op = value.getDefiningOp();
  bool hasOwnName =
      op && (op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() > 1 || isa<HopperDialect>(op->getDialect()));
  if (!hasOwnName && !isa<NameLoc>(value.getLoc()))
    value.setLoc(NameLoc::get(StringAttr::get(value.getContext(), name), value.getLoc()));
  return value;
}
