// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s

// A product on tensors, run: 144 products 1.5 * 2, of which the scales are 4 * 0.5 in the
// first K block and 8 * 0.5 in the tail of 16: 128 * 3 * 2 + 16 * 3 * 4.
// CHECK: 9.600000e+02
func.func @main() -> f32 {
  %a = arith.constant dense<1.5> : tensor<4x144xf8E4M3FN>
  %b = arith.constant dense<2.0> : tensor<8x144xf8E4M3FN>
  %sfa = arith.constant dense<[[4.0, 4.0, 4.0, 4.0], [8.0, 8.0, 8.0, 8.0]]> : tensor<2x4xf32>
  %sfb = arith.constant dense<0.5> : tensor<1x2xf32>
  %d = tensor.empty() : tensor<4x8xbf16>
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<4x144xf8E4M3FN>, tensor<2x4xf32>, tensor<8x144xf8E4M3FN>, tensor<1x2xf32>, tensor<4x8xbf16>
   -> tensor<4x8xbf16>
  %c3 = arith.constant 3 : index
  %e = tensor.extract %r[%c3, %c3] : tensor<4x8xbf16>
  %f = arith.extf %e : bf16 to f32
  return %f : f32
}
