// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of global memory, as TMA copies them.

#ifndef FP8GEMM_LIB_SIMULATOR_TENSORMAP_H
#define FP8GEMM_LIB_SIMULATOR_TENSORMAP_H

#include "fp8gemm/Simulator/Simulator.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace fp8gemm::simulator {

struct TensorMap {
  /// The map that the runtime makes of an operand for a parameter of this type.
  TensorMap(const Matrix &operand, mlir::nvgpu::TensorMapDescriptorType type);

  /// Calls visit(address, offset, bytes) for parts of the box at [row, column], `group` of it: where they are, or
  /// null outside of the tensor, and their unswizzled offset in the box. No part crosses a 16-byte chunk of the box.
  /// False where a part that is inside the tensor is outside of the operand's memory.
  bool forEach(int32_t row, int32_t column, int32_t group,
               llvm::function_ref<bool(uint8_t *, int64_t, int64_t)> visit) const;

  Matrix tensor; ///< its data is what an element's position counts from
  const uint8_t *memory;
  int64_t memoryBytes;
  int64_t boxRows, boxColumns, elementBytes;
  int64_t swizzleBytes; ///< 16: none
  bool hasGroups;

  int64_t boxBytes() const { return boxRows * boxColumns * elementBytes; }
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_TENSORMAP_H
