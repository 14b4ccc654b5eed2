// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s

// The sum of 144 elements of 1, of element (2, 5): a bias of the row's group, 20 + 5; a weight of the row, 3; a scalar, 0.5.
// (144 + 25) * 3 * 0.5 = 253.5; the condition is false, so the other branch, which would be 0, is not taken.
// CHECK: 2.535000e+02
func.func @main() -> f32 {
  %a = arith.constant dense<1.0> : tensor<4x144xf8E4M3FN>
  %b = arith.constant dense<1.0> : tensor<2x8x144xf8E4M3FN>
  %sfa = arith.constant dense<1.0> : tensor<2x4xf32>
  %sfb = arith.constant dense<1.0> : tensor<2x1x2xf32>
  %ends = arith.constant dense<[1, 4]> : tensor<2xi32>
  %bias = arith.constant dense<[[[10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]], [[20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]]]> : tensor<2x1x8xf16>
  %weight = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xbf16>
  %factor = arith.constant dense<0.5> : tensor<f32>
  %d = tensor.empty() : tensor<4x8xf32>
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : tensor<4x144xf8E4M3FN>, tensor<2x4xf32>, tensor<2x8x144xf8E4M3FN>, tensor<2x1x2xf32>, tensor<2xi32>, tensor<4x8xf32>
   -> tensor<4x8xf32> epilogue(%bias : tensor<2x1x8xf16>, %weight : tensor<4x1xbf16>, %factor : tensor<f32>) {
  ^bb0(%sum: f32, %x: f32, %w: f32, %f: f32):
    %zero = arith.constant 0.0 : f32
    %biased = arith.addf %sum, %x : f32
    %weighted = arith.mulf %biased, %w : f32
    %scaled = arith.mulf %weighted, %f : f32
    %negative = arith.cmpf olt, %scaled, %zero : f32
    %chosen = arith.select %negative, %zero, %scaled : f32
    fp8gemm.yield %chosen : f32
  }
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %e = tensor.extract %r[%c2, %c5] : tensor<4x8xf32>
  return %e : f32
}
