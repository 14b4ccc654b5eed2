// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD

include "mlir/IR/OpBase.td"

def FP8Gemm_Dialect : Dialect {
  let name = "fp8gemm";
  let cppNamespace = "::fp8gemm";
  let summary = "block-scaled FP8 matrix products: what to compute";
  let description = [{
    The dialect describes *what* is computed, not how: one operation per
    product, destination-style, on tensors or on memrefs. Scales are operands
    with the shape of their storage; a typed attribute gives their layout.

    `convert-fp8gemm-to-linalg` defines what each operation computes;
    `convert-fp8gemm-to-hopper` builds a GPU kernel for it.
  }];
  let useDefaultAttributePrinterParser = 1;
  // There are none: a misspelt or misplaced one would be ignored silently.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  // Canonicalization and epilogues of problems create their operations.
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD
