// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_LIB_DIALECT_HOPPER_IR_PANELS_H
#define FP8GEMM_LIB_DIALECT_HOPPER_IR_PANELS_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

namespace fp8gemm::hopper {

/// True if the rows of `panels`, [panels, rows, w] of bf16 or f32, are as long as the period of one of TMA's swizzles.
inline bool hasSwizzledRows(mlir::MemRefType panels) {
  int64_t width = panels.getDimSize(2);
  return width <= 128 && llvm::is_contained({32, 64, 128}, width * panels.getElementTypeBitWidth() / 8);
}

/// True if the rows of a panel follow each other directly, and it is known how far apart panels are.
inline bool hasDirectRows(mlir::MemRefType panels) {
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(panels.getStridesAndOffset(strides, offset)) && !mlir::ShapedType::isDynamic(strides[0]) &&
         strides[1] == panels.getDimSize(2) && strides[2] == 1;
}

/// True if the elements follow each other directly, the last dimension innermost.
inline bool isDirect(mlir::MemRefType type) {
  llvm::SmallVector<int64_t> strides;
  int64_t offset, expected = 1;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return false;
  for (unsigned i = strides.size(); i-- > 0;) {
    if (type.getDimSize(i) != 1 && strides[i] != expected)
      return false;
    if (llvm::MulOverflow(expected, type.getDimSize(i), expected))
      return false;
  }
  return true;
}

/// An error unless `panels` is [panels, rows, w] of bf16 or f32 (and if `isStored` f8E4M3FN), in rows that TMA
/// swizzles; with `fragment`, unless it has its 64 rows and all of its columns.
llvm::LogicalResult verifyPanels(mlir::Operation *op, llvm::StringRef name, mlir::MemRefType panels, bool isStored);
llvm::LogicalResult verifyPanels(mlir::Operation *op, llvm::StringRef name, mlir::MemRefType panels, bool isStored,
                                 FragmentType fragment);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_DIALECT_HOPPER_IR_PANELS_H
