// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// debug-rings: waits that end.

#ifndef FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H
#define FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H

#include "Lowering.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm::hopper {

/// Of a kernel, its #hopper.debug_rings.
constexpr llvm::StringLiteral kDebugRings = "hopper.debug_rings";

/// How long one try_wait may sleep before it looks again (ns): PTX ISA,
/// "mbarrier.try_wait". Correctness does not depend on it.
constexpr int64_t kTryWaitNanoseconds = 10000000;

/// Notes on each access to a ring its number, and on the kernel what waits there are. Before anything copies or
/// replaces accesses.
mlir::LogicalResult numberWaits(mlir::gpu::GPUFuncOp kernel, int64_t limitMs);

/// Declares where the kernel finds the place for its reports.
void declareReports(mlir::gpu::GPUModuleOp module);

/// Blocks until the barrier's phase of this parity (i32) has completed. After `limitMs` it reports the access and its
/// stage (i32), lets others report, and traps.
void waitWithLimit(Emitter emit, mlir::Operation *access, mlir::Value barrier, mlir::Value parity, mlir::Value stage,
                   int64_t limitMs);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_DEBUGRINGS_H
