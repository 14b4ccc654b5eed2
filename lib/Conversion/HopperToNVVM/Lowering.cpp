// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fp8gemm::hopper;

bool fp8gemm::hopper::isShared(MemRefType type) {
  auto space = dyn_cast_or_null<IntegerAttr>(type.getMemorySpace());
  return space && space.getInt() == kShared;
}

NVVMTypeConverter::NVVMTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RingType type) -> Type { return LLVM::LLVMPointerType::get(type.getContext(), kShared); });
  addConversion([](SlotType type, SmallVectorImpl<Type> &types) -> LogicalResult {
    types.append(2, LLVM::LLVMPointerType::get(type.getContext(), kShared));
    return success();
  });
  addConversion([](FragmentType type, SmallVectorImpl<Type> &types) -> LogicalResult {
    types.append(type.getRegisters(), Float32Type::get(type.getContext()));
    return success();
  });
  addConversion([](ScalesType type, SmallVectorImpl<Type> &types) -> LogicalResult {
    types.append(type.getRegisters(), Float32Type::get(type.getContext()));
    return success();
  });
  addConversion([](MemRefType type, SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
    if (isShared(type)) {
      types.push_back(LLVM::LLVMPointerType::get(type.getContext(), kShared));
      return success();
    }
    if (type.getMemorySpace() || type.getRank() < 1 || type.getRank() > 3)
      return failure();
    types.push_back(LLVM::LLVMPointerType::get(type.getContext(), kGlobal));
    types.append(type.getRank() - 1, IntegerType::get(type.getContext(), 64));
    return success();
  });
  addConversion(
      [](nvgpu::TensorMapDescriptorType type) -> Type { return LLVM::LLVMPointerType::get(type.getContext()); });
  // An index parameter of a kernel is an i32.
  addSourceMaterialization([](OpBuilder &builder, IndexType type, ValueRange inputs, Location loc) -> Value {
    if (inputs.size() != 1 || !inputs.front().getType().isInteger(32))
      return nullptr;
    return arith::IndexCastUIOp::create(builder, loc, type, inputs.front());
  });
}

Value Emitter::i32(int64_t value) { return arith::ConstantIntOp::create(builder, loc, value, 32); }
Value Emitter::i64(int64_t value) { return arith::ConstantIntOp::create(builder, loc, value, 64); }

Value Emitter::toI32(Value index) {
  if (index.getType().isInteger(32))
    return index;
  return arith::IndexCastUIOp::create(builder, loc, builder.getI32Type(), index);
}

Value Emitter::toI64(Value index) { return arith::ExtUIOp::create(builder, loc, builder.getI64Type(), toI32(index)); }

Value Emitter::add(Value lhs, Value rhs) { return arith::AddIOp::create(builder, loc, lhs, rhs); }
Value Emitter::add(Value lhs, int64_t rhs) { return add(lhs, i32(rhs)); }
Value Emitter::sub(Value lhs, Value rhs) { return arith::SubIOp::create(builder, loc, lhs, rhs); }
Value Emitter::sub(Value lhs, int64_t rhs) { return sub(lhs, i32(rhs)); }
Value Emitter::mul(Value lhs, Value rhs) { return arith::MulIOp::create(builder, loc, lhs, rhs); }
Value Emitter::mul(Value lhs, int64_t rhs) { return mul(lhs, i32(rhs)); }
Value Emitter::div(Value lhs, int64_t rhs) { return arith::DivUIOp::create(builder, loc, lhs, i32(rhs)); }
Value Emitter::rem(Value lhs, int64_t rhs) { return arith::RemUIOp::create(builder, loc, lhs, i32(rhs)); }

Value Emitter::offset(Value base, Value bytes) {
  return LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(), base, ValueRange{bytes});
}

Value Emitter::offset(Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  return LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value Emitter::element(Value base, Type element, Value position) {
  return LLVM::GEPOp::create(builder, loc, base.getType(), element, base, position);
}

Value Emitter::thread() { return NVVM::ThreadIdXOp::create(builder, loc, builder.getI32Type()); }

Value Emitter::firstRow() {
  Value ofWarp = mul(warpInWarpgroup(), 16);
  return add(ofWarp, div(lane(), 4));
}

Value Emitter::equals(Value lhs, int64_t rhs) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, lhs, i32(rhs));
}

Value Emitter::lessThan(Value lhs, Value rhs) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, lhs, rhs);
}

Value Emitter::lessThan(Value lhs, int64_t rhs) { return lessThan(lhs, i32(rhs)); }

void Emitter::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}
