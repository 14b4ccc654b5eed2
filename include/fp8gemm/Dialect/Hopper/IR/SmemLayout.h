// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layout of a hopper kernel's shared memory.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_SMEMLAYOUT_H
#define FP8GEMM_DIALECT_HOPPER_IR_SMEMLAYOUT_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "llvm/ADT/DenseMap.h"

namespace fp8gemm::hopper {

/// The dynamic shared memory of a kernel: its shared buffers in order,
/// then its rings in the order of their `hopper.ring.create`, each aligned to
/// 1024 bytes (the period of the 128-byte swizzle). Offset 0 must be aligned likewise.
/// Inside a ring the layout is that of RingType.
class SmemLayout {
public:
  static constexpr int64_t kAlignment = 1024;

  /// Computes the layout of `kernel`; emits an error if a size is not known.
  static mlir::FailureOr<SmemLayout> compute(KernelOp kernel);

  /// Bytes from offset 0 to shared buffer `index` of the kernel.
  int64_t getBufferOffset(unsigned index) const { return buffers[index]; }
  /// Bytes from offset 0 to the ring that `create` makes.
  int64_t getRingOffset(RingCreateOp create) const { return rings.lookup(create.getOperation()); }
  int64_t getTotalBytes() const { return totalBytes; }

private:
  /// Places `bytes` at the end, and returns their offset.
  int64_t place(int64_t bytes);

  llvm::SmallVector<int64_t> buffers;
  llvm::DenseMap<mlir::Operation *, int64_t> rings;
  int64_t totalBytes = 0;
};

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_IR_SMEMLAYOUT_H
