// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sh %S/Inputs/constraints.sh C %S/../../../include/fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.td gemm %S/invalid.mlir %S/invalid-epilogue.mlir %S/invalid-quantised.mlir | FileCheck %s
// RUN: sh %S/Inputs/constraints.sh G %S/../../../include/fp8gemm/Dialect/FP8Gemm/IR/FP8GemmGroupedOps.td grouped_gemm %S/invalid-grouped.mlir %S/invalid-epilogue.mlir | FileCheck %s
// RUN: sh %S/Inputs/constraints.sh K %S/../../../include/fp8gemm/Dialect/FP8Gemm/IR/FP8GemmGroupedOps.td k_grouped_gemm %S/invalid-k-grouped.mlir | FileCheck %s
// RUN: sh %S/Inputs/constraints.sh Q %S/../../../include/fp8gemm/Dialect/FP8Gemm/IR/FP8GemmQuantizeOp.td quantize %S/invalid-quantize.mlir | FileCheck %s
// CHECK: all {{[0-9]+}} constraints ({{[CGKQ]}}) have a case
