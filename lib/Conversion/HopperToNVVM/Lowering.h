// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the patterns of convert-hopper-to-nvvm: how types are converted,
// and a builder for the few idioms that many of them emit.

#ifndef FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_LOWERING_H
#define FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_LOWERING_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace fp8gemm::hopper {

/// Address spaces of NVVM pointers.
constexpr unsigned kGlobal = 1, kShared = 3, kSharedCluster = 7;
constexpr int kThreadsPerWarp = 32, kThreadsPerWarpgroup = 128;

/// hopper types -> values of the LLVM dialect:
/// - ring: the address of its first byte in shared memory
/// - slot: the addresses of its full and its empty barrier
/// - fragment, scales: one f32 for each register
/// - memref in shared memory: its address
/// - matrix in global memory: its address and its leading dimension, and with groups the distance
///   between them (i64, in elements); of rank 1 only its address
/// - tensor map: the address of the kernel parameter
struct NVVMTypeConverter : mlir::TypeConverter {
  NVVMTypeConverter();
};

/// Emits the idioms of lowering at the insertion point of `builder`.
struct Emitter {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value i32(int64_t value);
  mlir::Value i64(int64_t value);
  /// i32 from an index, and back.
  mlir::Value toI32(mlir::Value index);
  /// i64 from an index or an i32, neither of which is negative.
  mlir::Value toI64(mlir::Value index);
  // A constant operand is a number, and made last. (Of two nested calls, the host's compiler chooses the first.)
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value add(mlir::Value lhs, int64_t rhs);
  mlir::Value sub(mlir::Value lhs, mlir::Value rhs);
  mlir::Value sub(mlir::Value lhs, int64_t rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, int64_t rhs);
  mlir::Value div(mlir::Value lhs, int64_t rhs);
  mlir::Value rem(mlir::Value lhs, int64_t rhs);
  /// `base` + `bytes`, in the address space of `base`.
  mlir::Value offset(mlir::Value base, mlir::Value bytes);
  mlir::Value offset(mlir::Value base, int64_t bytes);
  /// The address of element `position` (i32 or i64) from `base` on.
  mlir::Value element(mlir::Value base, mlir::Type element, mlir::Value position);
  /// threadIdx.x, and what follows from it.
  mlir::Value thread();
  mlir::Value lane() { return rem(thread(), kThreadsPerWarp); }
  mlir::Value threadInWarpgroup() { return rem(thread(), kThreadsPerWarpgroup); }
  mlir::Value warpInWarpgroup() { return div(threadInWarpgroup(), kThreadsPerWarp); }
  /// The first of a thread's two rows of a fragment, 16w + l/4; the other one is 8 after it (see !hopper.fragment).
  mlir::Value firstRow();
  mlir::Value equals(mlir::Value lhs, int64_t rhs);
  mlir::Value lessThan(mlir::Value lhs, mlir::Value rhs);
  mlir::Value lessThan(mlir::Value lhs, int64_t rhs);
  /// scf.if without results; `body` fills it.
  void when(mlir::Value condition, llvm::function_ref<void()> body);
};

struct DebugWaits;

/// Patterns, by concern.
void populateKernelPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateWarpSpecializePatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
/// Waits end and report if `waits` is given, of a debug build.
void populateRingPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &, const DebugWaits *waits);
void populateFillPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateMmaPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populatePromotePatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateFragmentPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateStorePatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateExchangePatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateGroupPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateGroupMapPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
void populateGlobalPatterns(NVVMTypeConverter &, mlir::RewritePatternSet &);
/// Which of the operations that they lower may not remain.
void configureGlobal(mlir::ConversionTarget &);

/// Replaces functions of math on scalars by instructions. Fails, with an error, where there is none that kernels have.
llvm::LogicalResult expandMath(mlir::Operation *root);

bool isShared(mlir::MemRefType type);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_CONVERSION_HOPPERTONVVM_LOWERING_H
