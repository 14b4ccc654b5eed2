// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s

// 960 as in run.mlir, and element 5 of the row: 0.5 * 5; then twice that. In groups each row of D has the same row.
// CHECK: 1.925000e+03
func.func @main() -> f32 {
  %a = arith.constant dense<1.5> : tensor<4x144xf8E4M3FN>
  %b = arith.constant dense<2.0> : tensor<2x8x144xf8E4M3FN>
  %sfa = arith.constant dense<[[4.0, 4.0, 4.0, 4.0], [8.0, 8.0, 8.0, 8.0]]> : tensor<2x4xf32>
  %sfb = arith.constant dense<0.5> : tensor<2x1x2xf32>
  %ends = arith.constant dense<[1, 4]> : tensor<2xi32>
  %row = arith.constant dense<[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]> : tensor<8xbf16>
  %d = tensor.empty() : tensor<4x8xf32>
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : tensor<4x144xf8E4M3FN>, tensor<2x4xf32>, tensor<2x8x144xf8E4M3FN>, tensor<2x1x2xf32>, tensor<2xi32>, tensor<4x8xf32>
   -> tensor<4x8xf32> epilogue(%row : tensor<8xbf16>) {
  ^bb0(%sum: f32, %bias: f32):
    %two = arith.constant 2.0 : f32
    %biased = arith.addf %sum, %bias : f32
    %twice = arith.mulf %biased, %two : f32
    fp8gemm.yield %twice : f32
  }
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %e = tensor.extract %r[%c3, %c5] : tensor<4x8xf32>
  return %e : f32
}
