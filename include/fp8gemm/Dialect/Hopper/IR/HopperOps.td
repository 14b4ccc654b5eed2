// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All operations of the dialect.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperBarrierOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperFragmentOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperGroupOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperKernelOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperMapOp.td"
include "fp8gemm/Dialect/Hopper/IR/HopperRingOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperScaleOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperTileOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperTmaOps.td"

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD
