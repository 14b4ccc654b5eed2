// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hopper dialect: a warp-specialised kernel, written down.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fp8gemm/Dialect/Hopper/IR/HopperDialect.h.inc"
#include "fp8gemm/Dialect/Hopper/IR/HopperEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperTypes.h.inc"
#define GET_OP_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperOps.h.inc"

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H
