// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer arithmetic of kernels, one thread at a time.

#ifndef FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADARITHMETIC_H
#define FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADARITHMETIC_H

#include "mlir/IR/Operation.h"

namespace fp8gemm::kernel {

/// Bits of an integer. An index of a kernel has 32.
inline unsigned getWidth(mlir::Type type) { return type.isIndex() ? 32 : type.getIntOrFloatBitWidth(); }

/// From an operation's zero-extended operands, at most three, to its result.
using ThreadFunction = uint64_t (*)(const uint64_t *in);

/// The result of `op`, before truncation to its width; null for operations that are not evaluated.
ThreadFunction getThreadFunction(mlir::Operation *op);

} // namespace fp8gemm::kernel

#endif // FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADARITHMETIC_H
