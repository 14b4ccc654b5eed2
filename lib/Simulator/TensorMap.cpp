// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorMap.h"

#include <algorithm>

using namespace mlir;
using namespace fp8gemm::simulator;

static int64_t swizzleBytes(nvgpu::TensorMapSwizzleKind kind) {
  switch (kind) {
  case nvgpu::TensorMapSwizzleKind::SWIZZLE_128B:
    return 128;
  case nvgpu::TensorMapSwizzleKind::SWIZZLE_64B:
    return 64;
  case nvgpu::TensorMapSwizzleKind::SWIZZLE_32B:
    return 32;
  default:
    return 16;
  }
}

TensorMap::TensorMap(const Matrix &operand, nvgpu::TensorMapDescriptorType type)
    : tensor(operand), memory(operand.data), memoryBytes(operand.bytes),
      swizzleBytes(::swizzleBytes(type.getSwizzle())) {
  MemRefType box = type.getTensor();
  boxColumns = box.getShape().back();
  boxRows = box.getRank() > 1 ? box.getShape()[box.getRank() - 2] : 1;
  hasGroups = box.getRank() > 2;
  elementBytes = box.getElementTypeBitWidth() / 8;
}

bool TensorMap::forEach(int32_t row, int32_t column, int32_t group,
                        llvm::function_ref<bool(uint8_t *, int64_t, int64_t)> visit) const {
  constexpr int64_t kChunkBytes = 16;
  bool groupInside = !hasGroups || (group >= 0 && group < tensor.groups);
  // Columns of the box that are inside the tensor.
  int64_t first = std::clamp<int64_t>(-int64_t(column), 0, boxColumns);
  int64_t end = std::clamp<int64_t>(tensor.columns - column, first, boxColumns);
  for (int64_t i = 0; i < boxRows; ++i) {
    bool inside = groupInside && row + i >= 0 && row + i < tensor.rows;
    int64_t begins[] = {0, inside ? first : 0, inside ? end : 0, boxColumns};
    for (int part = 0; part < 3; ++part)
      for (int64_t byte = begins[part] * elementBytes, last = begins[part + 1] * elementBytes; byte < last;) {
        int64_t bytes = std::min(last, (byte / kChunkBytes + 1) * kChunkBytes) - byte;
        uint8_t *address = nullptr;
        if (part == 1) {
          int64_t position =
              (row + i) * tensor.leadingDimension + column + (hasGroups ? group * tensor.groupStride : 0);
          address = tensor.data + position * elementBytes + byte;
          if (address < memory || address + bytes > memory + memoryBytes)
            return false;
        }
        if (!visit(address, i * boxColumns * elementBytes + byte, bytes))
          return false;
        byte += bytes;
      }
  }
  return true;
}
