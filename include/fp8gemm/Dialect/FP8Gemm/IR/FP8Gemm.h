// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fp8gemm dialect: block-scaled FP8 matrix products.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMM_H
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmDialect.h.inc"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmAttrs.h.inc"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmInterfaces.h.inc"

namespace fp8gemm {

/// An operand of a product: elements, their f32 scales, and how those are stored. A D that is not quantised has no
/// scales.
struct ScaledMatrix {
  ScaledMatrix(mlir::Value elements, mlir::Value scales = {}, ScaleAttr layout = {})
      : elements(elements), scales(scales), layout(layout) {}

  mlir::Value elements, scales;
  ScaleAttr layout;
};

} // namespace fp8gemm

#define GET_OP_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.h.inc"

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMM_H
