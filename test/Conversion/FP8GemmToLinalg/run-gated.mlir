// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s

// Gates are 16 * 1 * 2 = 32, ups 32 * 2.5 = 80: D is 32 * 80 and the residual of 30.
// CHECK: 2.590000e+03
func.func @main() -> f32 {
  %a = arith.constant dense<1.0> : tensor<4x16xf8E4M3FN>
  %b = arith.constant dense<2.0> : tensor<256x16xf8E4M3FN>
  %sfa = arith.constant dense<1.0> : tensor<1x4xf32>
  %sfb = arith.constant dense<[[1.0], [2.5]]> : tensor<2x1xf32>
  %c = arith.constant dense<30.0> : tensor<4x128xf32>
  %d = tensor.empty() : tensor<4x128xf32>
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<4x16xf8E4M3FN>, tensor<1x4xf32>, tensor<256x16xf8E4M3FN>, tensor<2x1xf32>, tensor<4x128xf32>
   -> tensor<4x128xf32> gated epilogue(%c : tensor<4x128xf32>) {
  ^bb0(%gate: f32, %up: f32, %residual: f32):
    %product = arith.mulf %gate, %up : f32
    %sum = arith.addf %product, %residual : f32
    fp8gemm.yield %sum : f32
  }
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %e = tensor.extract %r[%c3, %c5] : tensor<4x128xf32>
  return %e : f32
}
