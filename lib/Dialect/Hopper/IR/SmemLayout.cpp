// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/SmemLayout.h"

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Bytes of `type`, or failure if they are unknown or more than any address space has.
static FailureOr<int64_t> getBytes(MemRefType type) {
  if (!type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return failure();
  int64_t bits = type.getElementTypeBitWidth();
  for (int64_t extent : type.getShape())
    if (llvm::MulOverflow(bits, extent, bits) || bits > int64_t(1) << 40)
      return failure();
  return llvm::divideCeil(bits, 8);
}

int64_t SmemLayout::place(int64_t bytes) {
  int64_t offset = llvm::alignTo(totalBytes, kAlignment);
  totalBytes = offset + bytes;
  return offset;
}

FailureOr<SmemLayout> SmemLayout::compute(KernelOp kernel) {
  SmemLayout layout;
  for (BlockArgument buffer : kernel.getSharedBuffers()) {
    auto type = cast<MemRefType>(buffer.getType());
    FailureOr<int64_t> bytes = getBytes(type);
    if (failed(bytes))
      return emitWithoutRegions(kernel) << "expected shared buffers of known size, got " << type;
    layout.buffers.push_back(layout.place(*bytes));
  }
  kernel.walk(
      [&](RingCreateOp create) { layout.rings[create] = layout.place(create.getRing().getType().getSmemBytes()); });
  return layout;
}
