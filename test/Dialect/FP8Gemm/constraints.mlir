// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sh %S/Inputs/constraints.sh %S/../../../include/fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.td %S/invalid.mlir | FileCheck %s
// CHECK: all {{[0-9]+}} constraints have a case
