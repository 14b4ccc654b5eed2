// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_QUANTIZE_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_QUANTIZE_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fp8gemm {

/// The scale of a block whose largest magnitude is `amax` (docs/Numerics.md), in f32 arithmetic on scalars.
mlir::Value scaleOf(mlir::ImplicitLocOpBuilder &builder, mlir::Value amax, mlir::Type f8, bool powerOfTwo);

/// The steps on a fragment: the largest magnitudes of its rows, their scales, and the elements in units of those.
mlir::Value largestOfRows(mlir::ImplicitLocOpBuilder &builder, mlir::Value fragment);
mlir::Value scalesOfRows(mlir::ImplicitLocOpBuilder &builder, mlir::Value largest, mlir::Type f8, bool powerOfTwo);
mlir::Value inUnitsOf(mlir::ImplicitLocOpBuilder &builder, mlir::Value fragment, mlir::Value scales);

/// The symbol of the kernel: equal quantisations have the same.
std::string nameOfKernel(QuantizeOp op);

/// Builds the kernel of `op` at the end of `module`.
void buildKernel(QuantizeOp op, mlir::gpu::GPUModuleOp module);

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_QUANTIZE_H
