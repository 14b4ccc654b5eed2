// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of nvvm-check-kernel. Rule numbers are those of docs/KernelLint.md.
// Nothing here is shared with convert-hopper-to-nvvm: the check would believe what the lowering believes.

#ifndef FP8GEMM_LIB_TARGET_CHECKKERNEL_KERNELCHECK_H
#define FP8GEMM_LIB_TARGET_CHECKKERNEL_KERNELCHECK_H

#include "Addresses.h"
#include "ThreadValues.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Checks.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

namespace fp8gemm::kernel {

using hopper::Reporter;

/// A tensor map that a kernel uses, by what its CUtensorMap says.
struct TensorMap {
  mlir::nvgpu::TensorMapDescriptorType type; // null if it isn't known
  bool isCopy = false;                       // written by the kernel itself, in global memory

  /// Bytes of the box.
  int64_t getBoxBytes();
  /// Whether its rows are 128 bytes of one-byte elements in the 128-byte swizzle: what wgmma reads.
  bool isMmaTile();
};

/// The input of the checks.
struct Kernel {
  explicit Kernel(mlir::LLVM::LLVMFuncOp func);

  /// The map that a `descriptor` operand points at.
  TensorMap getMap(mlir::Value descriptor);

  mlir::LLVM::LLVMFuncOp func;
  hopper::EntryOp entry; // null if there is none
  ThreadValues values;

private:
  /// Maps that the kernel copies to global memory, and where the first bytes go.
  llvm::SmallVector<std::pair<Address, mlir::nvgpu::TensorMapDescriptorType>> copies;
};

/// The N of a `wgmma.wait_group N`, if `op` is one: inline assembly or the operation of NVVM.
std::optional<int64_t> getWgmmaWait(mlir::Operation *op);

/// Bytes of shared memory that one thread's access at `address` starts at, over the threads that may
/// come to `block`: first and last. Nothing where they are not a function of the thread index.
std::optional<std::pair<int64_t, int64_t>> getSharedBytes(Kernel &kernel, const Address &address, mlir::Block *block);

/// L1: who must come together to an operation does.
void checkUniformity(Kernel &kernel, Reporter &reporter);
/// L2: a proxy fence between stores to shared memory and the TMA store that reads it.
void checkProxyFences(Kernel &kernel, Reporter &reporter);
/// L3: an mbarrier expects the bytes that TMA brings.
void checkExpectedBytes(Kernel &kernel, Reporter &reporter);
/// L4: a matrix descriptor says how its tile lies in shared memory.
void checkDescriptors(Kernel &kernel, Reporter &reporter);
/// L5: accumulators of a wgmma in flight are left alone.
void checkWgmmaFlight(Kernel &kernel, Reporter &reporter);
/// L6: a tensor map that the kernel writes passes from the generic proxy to that of tensor maps.
void checkWrittenMaps(Kernel &kernel, Reporter &reporter);

} // namespace fp8gemm::kernel

#endif // FP8GEMM_LIB_TARGET_CHECKKERNEL_KERNELCHECK_H
