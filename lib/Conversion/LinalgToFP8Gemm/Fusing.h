// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What comes before and after products: quantisation as an operation, and elementwise operations and quantisation of a
// product's result as parts of it. Remarks say what was fused, and why something similar was not.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H

#include "mlir/IR/Operation.h"

namespace fp8gemm::raising {

/// Linalg that divides blocks of 128 elements of a row by their largest magnitude and rounds them to FP8 → fp8gemm.quantize.
void raiseQuantizations(mlir::Operation *root);

/// Elementwise linalg on the result of fp8gemm.gemm → its epilogue; on both halves of its columns → a gated product.
void fuseEpilogues(mlir::Operation *root);

/// fp8gemm.quantize of the result of fp8gemm.gemm → a quantised product.
void fuseQuantizations(mlir::Operation *root);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_FUSING_H
