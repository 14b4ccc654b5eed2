// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Panels of a tile of C or D in shared memory.

#ifndef FP8GEMM_LIB_SIMULATOR_PANELS_H
#define FP8GEMM_LIB_SIMULATOR_PANELS_H

#include "mlir/IR/BuiltinTypes.h"

namespace fp8gemm::simulator {

constexpr int64_t kChunkBytes = 16;

/// Panels in shared memory: [panel, row, column].
struct Panels {
  int64_t width, rows, count, elementBytes, rowBytes, stride;

  explicit Panels(mlir::MemRefType type) {
    llvm::SmallVector<int64_t> strides;
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset); // static: the operations verify it
    count = type.getDimSize(0), rows = type.getDimSize(1), width = type.getDimSize(2);
    elementBytes = type.getElementTypeBitWidth() / 8;
    rowBytes = width * elementBytes, stride = strides[0] * elementBytes;
  }

  /// Where threads find an element: the 16-byte chunk XORed with the row, as the swizzle repeats every 8 rows of 128
  /// bytes.
  int64_t position(int64_t panel, int64_t row, int64_t column) const {
    int64_t byte = column * elementBytes, swizzle = row % 8 / (128 / rowBytes) % (rowBytes / kChunkBytes);
    int64_t chunk = byte / kChunkBytes ^ swizzle;
    return panel * stride + row * rowBytes + chunk * kChunkBytes + byte % kChunkBytes;
  }
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_PANELS_H
