// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD

include "mlir/IR/OpBase.td"

def FP8Gemm_Dialect : Dialect {
  let name = "fp8gemm";
  let cppNamespace = "::fp8gemm";
  let summary = "block-scaled FP8 matrix products: what to compute";
  let description = [{
    The dialect says *what* is computed and nothing about how: one operation per
    product, destination-style, on tensors or on memrefs. Scales are operands
    with the shape of their storage; a typed attribute says how they are read.

    `convert-fp8gemm-to-linalg` is the executable meaning of every operation;
    `convert-fp8gemm-to-hopper` builds a GPU kernel for it.
  }];
  let useDefaultAttributePrinterParser = 1;
  // There are none: a misspelt or misplaced one would say nothing.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"]; // what canonicalization makes
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMDIALECT_TD
