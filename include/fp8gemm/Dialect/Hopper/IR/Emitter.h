// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the arithmetic, views and loops that hopper kernels are built of.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_EMITTER_H
#define FP8GEMM_DIALECT_HOPPER_IR_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fp8gemm::hopper {

/// Emits at the insertion point of `builder`. Arithmetic is unsigned, on values of type index; known results are
/// folded, a block computes nothing twice, and there is one constant for each number, at the start of `top`, the
/// kernel's entry block.
class KernelEmitter {
public:
  using Value = mlir::Value;

  KernelEmitter(mlir::ImplicitLocOpBuilder &builder, mlir::Block *top) : builder(builder), top(top) {}

  Value constant(int64_t value);
  /// A fragment or scales of zeros.
  Value zero(mlir::Type type);
  Value add(Value lhs, Value rhs);
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, Value rhs);
  Value div(Value lhs, Value rhs);
  Value rem(Value lhs, Value rhs);
  Value min(Value lhs, Value rhs);
  Value max(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs) { return add(lhs, constant(rhs)); }
  Value sub(Value lhs, int64_t rhs) { return sub(lhs, constant(rhs)); }
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, constant(rhs)); }
  Value div(Value lhs, int64_t rhs) { return div(lhs, constant(rhs)); }
  Value rem(Value lhs, int64_t rhs) { return rem(lhs, constant(rhs)); }
  Value max(Value lhs, int64_t rhs) { return max(lhs, constant(rhs)); }
  Value compare(mlir::arith::CmpIPredicate predicate, Value lhs, Value rhs);
  Value compare(mlir::arith::CmpIPredicate predicate, Value lhs, int64_t rhs) {
    return compare(predicate, lhs, constant(rhs));
  }
  /// Of two conditions.
  Value both(Value lhs, Value rhs);

  /// The part of `buffer` of this shape at these offsets; leading extents of 1 are dropped.
  Value view(Value buffer, llvm::ArrayRef<mlir::OpFoldResult> offsets, llvm::ArrayRef<int64_t> shape);
  /// `count` rows of `buffer`, or elements if it has rank 1, from `first` on.
  Value rows(Value buffer, mlir::OpFoldResult first, int64_t count);

  /// for (i = 0; i < end; i += step) state = body(i, state); returns the last state.
  llvm::SmallVector<Value> loop(Value end, int64_t step, mlir::ValueRange state,
                                llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  /// if (condition) then(); else otherwise();
  void when(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise = nullptr);

  mlir::ImplicitLocOpBuilder &builder;

private:
  template <typename Op> Value fold(Value lhs, Value rhs);

  mlir::Block *top;
};

mlir::MemRefType sharedMemory(llvm::ArrayRef<int64_t> shape, mlir::Type element);
/// Matrices in global memory whose rows (columns, if `columnsFirst`) are any distance apart; if `grouped`, any number
/// of them, one after the other.
mlir::MemRefType globalMatrix(llvm::ArrayRef<int64_t> shape, mlir::Type element, bool grouped = false,
                              bool columnsFirst = false);
/// A map whose box is a `rows` x `columns` tile in shared memory, of one of `grouped` matrices. Rows of 32, 64 or 128
/// bytes are swizzled, unless `plain`.
mlir::Type tensorMap(int64_t rows, int64_t columns, mlir::Type element, bool grouped = false, bool plain = false);

/// Sets the name that `value` is printed with (OpPrintingFlags::printNameLocAsPrefix), unless it has one, and returns
/// it. Constants, and the results of hopper operations, have names of their own.
mlir::Value named(llvm::StringRef name, mlir::Value value);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_IR_EMITTER_H
