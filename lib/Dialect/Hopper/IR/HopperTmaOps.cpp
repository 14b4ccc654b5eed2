// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of tensor maps, and the buffers that TMA copies them to and from.

#include "Panels.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Elements of a box along one side: a bound of ours; TMA's own is less (CUDA Driver API, cuTensorMapEncodeTiled).
static constexpr int64_t kMostBoxExtent = 1024;

/// The swizzle whose period is `bytes`, what TMA calls a row of that length.
static nvgpu::TensorMapSwizzleKind swizzleOfRow(int64_t bytes) {
  switch (bytes) {
  case 128:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_128B;
  case 64:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_64B;
  case 32:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_32B;
  default:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE;
  }
}

/// A box is where other types are compared with it: so that nothing overflows there.
static LogicalResult verifyBox(Operation *op, MemRefType box) {
  bool holds = box.getRank() >= 1 && box.hasStaticShape() && box.getElementType().isIntOrFloat();
  for (int64_t extent : box.getShape())
    holds &= extent >= 1 && extent <= kMostBoxExtent;
  if (holds)
    return success();
  return op->emitOpError() << "expected the map's box to have extents in [1, " << kMostBoxExtent
                           << "] of integers or floats, got " << box;
}

/// The map's box of rank 2; of a tensor with groups without the leading 1, empty where it has none.
static ArrayRef<int64_t> boxOf(nvgpu::TensorMapDescriptorType map, bool grouped) {
  ArrayRef<int64_t> box = map.getTensor().getShape();
  if (!grouped)
    return box;
  return box.size() == 3 && box.front() == 1 ? box.drop_front() : ArrayRef<int64_t>();
}

LogicalResult TmaLoadOp::verify() {
  MemRefType box = getMap().getType().getTensor();
  auto buffer = cast<MemRefType>(getBuffer().getType());
  if (failed(verifyBox(*this, box)))
    return failure();
  ArrayRef<int64_t> shape = boxOf(getMap().getType(), bool(getGroup()));
  bool row = buffer.getRank() == 1 && shape.size() == 2 && shape.front() == 1, panels = buffer.getRank() == 3;
  if (box.getElementType() != buffer.getElementType() ||
      (row ? shape.drop_front() : shape) != (panels ? buffer.getShape().drop_front() : buffer.getShape()))
    return emitOpError() << "expected 'buffer' to have the shape and element type of the map's box, " << box << ", got "
                         << buffer;
  if (!isDirect(buffer))
    return emitOpError() << "expected the elements of 'buffer' to follow each other directly, got " << buffer;
  bool isF8 = box.getElementTypeBitWidth() == 8;
  if (isF8 && box.getShape().back() != 128)
    return emitOpError() << "expected a box of f8 elements to have rows of 128 bytes, got " << box.getShape().back();
  int64_t rowBytes = box.getShape().back() * box.getElementTypeBitWidth() / 8;
  auto expected = isF8 || panels ? swizzleOfRow(rowBytes) : nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE;
  if (getMap().getType().getSwizzle() != expected)
    return emitOpError() << "expected the map to have " << nvgpu::stringifyTensorMapSwizzleKind(expected) << ", got "
                         << nvgpu::stringifyTensorMapSwizzleKind(getMap().getType().getSwizzle());
  return success();
}

LogicalResult TmaPrefetchOp::verify() {
  MemRefType box = getMap().getType().getTensor();
  if (failed(verifyBox(*this, box)))
    return failure();
  if (boxOf(getMap().getType(), bool(getGroup())).size() == 2)
    return success();
  return emitOpError() << "expected the map's box to have rank " << (getGroup() ? "3 after a leading 1" : "2")
                       << ", got " << box;
}

LogicalResult TmaStoreOp::verify() {
  auto staging = cast<MemRefType>(getStaging().getType());
  if (failed(verifyPanels(*this, "staging", staging, /*isStored=*/true)))
    return failure();
  if (getAdd() && !staging.getElementType().isF32())
    return emitOpError() << "expected 'add' of f32 elements, got " << staging.getElementType();
  MemRefType box = getMap().getType().getTensor();
  if (failed(verifyBox(*this, box)))
    return failure();
  if (boxOf(getMap().getType(), bool(getGroup())) != staging.getShape().drop_front() ||
      box.getElementType() != staging.getElementType())
    return emitOpError() << "expected the map's box to be a panel of 'staging', " << staging << ", got " << box;
  auto expected = swizzleOfRow(staging.getDimSize(2) * staging.getElementTypeBitWidth() / 8);
  if (getMap().getType().getSwizzle() != expected)
    return emitOpError() << "expected the map to have " << nvgpu::stringifyTensorMapSwizzleKind(expected) << ", got "
                         << nvgpu::stringifyTensorMapSwizzleKind(getMap().getType().getSwizzle());
  return success();
}
