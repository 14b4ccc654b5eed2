// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// debug-rings: waits that end.

#ifndef FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H
#define FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H

#include "Lowering.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm::hopper {

/// How long one try_wait may sleep before it looks again (ns): PTX ISA,
/// "mbarrier.try_wait". Correctness does not depend on it.
constexpr int64_t kTryWaitNanoseconds = 10000000;

/// The waits of a debug build: how long they last at most, and the number of each access to a ring among the waits of
/// its kernel.
struct DebugWaits {
  int64_t limitMs = 0;
  llvm::DenseMap<mlir::Operation *, int64_t> numbers;
};

/// Numbers the accesses of `kernel` in `waits`, and returns what they are; null, with an error, if an access is none of
/// a role to a ring of the kernel. Before anything copies or replaces accesses.
DebugRingsAttr numberWaits(KernelOp kernel, DebugWaits &waits);

/// Declares where the kernel finds the place for its reports.
void declareReports(mlir::gpu::GPUModuleOp module);

/// Blocks until the barrier's phase of this parity (i32) has completed. After `limitMs` it reports the access and its
/// stage (i32), lets others report, and traps.
void waitWithLimit(Emitter emit, mlir::Operation *access, mlir::Value barrier, mlir::Value parity, mlir::Value stage,
                   const DebugWaits &waits);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H
