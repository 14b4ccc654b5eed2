// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime=pack=model.fp8pack | FileCheck %s

// Products that differ in their epilogue only have problems of their own: the last number but two is the activation.
// CHECK-DAG: @fp8gemm_run_0_problem({{.+}}, 1 : i32, 0 : i32, 0 : i32])
// CHECK-DAG: @fp8gemm_run_1_problem({{.+}}, 2 : i32, 0 : i32, 0 : i32])
// CHECK-LABEL: func.func @relu_then_silu
// CHECK: call @fp8gemm_run_0(
// CHECK: call @fp8gemm_run_1(
func.func @relu_then_silu(%a: memref<?x16xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<8x16xf8E4M3FN>, %sfb: memref<1x1xf32>, %d: memref<?x8xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x16xf8E4M3FN>, memref<1x?xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<?x8xf32> epilogue {
  ^bb0(%x: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %x, %zero : f32
    fp8gemm.yield %relu : f32
  }
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x16xf8E4M3FN>, memref<1x?xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<?x8xf32> epilogue {
  ^bb0(%x: f32):
    %negated = arith.negf %x : f32
    %power = math.exp %negated : f32
    %one = arith.constant 1.0 : f32
    %sum = arith.addf %one, %power : f32
    %silu = arith.divf %x, %sum : f32
    fp8gemm.yield %silu : f32
  }
  return
}
