// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowers fp8gemm operations to linalg, and FP8 conversions for a CPU.

#ifndef FP8GEMM_CONVERSION_FP8GEMMTOLINALG_H
#define FP8GEMM_CONVERSION_FP8GEMMTOLINALG_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace fp8gemm {

#define GEN_PASS_DECL_CONVERTFP8GEMMTOLINALGPASS
#define GEN_PASS_DECL_EXPANDF8PASS
#define GEN_PASS_DECL_CHECKHOSTPASS
#include "fp8gemm/Conversion/Passes.h.inc"

void populateFP8GemmToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateExpandF8Patterns(mlir::RewritePatternSet &patterns);

} // namespace fp8gemm

#endif // FP8GEMM_CONVERSION_FP8GEMMTOLINALG_H
