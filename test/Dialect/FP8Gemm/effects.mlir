// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -cse | FileCheck %s

// On memrefs a product writes D: loads before and after it differ. On tensors
// it has no effect: one whose result nobody needs goes, and of two that are the same one stays.

// CHECK-LABEL: func @memrefs
//       CHECK:   memref.load
//       CHECK:   fp8gemm.gemm
//       CHECK:   memref.load
//       CHECK:   fp8gemm.grouped_gemm
//       CHECK:   memref.load
//       CHECK:   fp8gemm.k_grouped_gemm
//       CHECK:   memref.load
func.func @memrefs(%a: memref<8x16xf8E4M3FN>, %sfa: memref<8x1xf32>, %b: memref<8x16xf8E4M3FN>, %sfb: memref<8x1xf32>,
                   %bs: memref<1x8x16xf8E4M3FN>, %sfbs: memref<1x8x1xf32>, %g: memref<1xi32>, %d: memref<8x8xf32>,
                   %ds: memref<1x8x8xf32>, %at: index) -> (f32, f32, f32, f32) {
  %0 = memref.load %d[%at, %at] : memref<8x8xf32>
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x8xf32>
  %1 = memref.load %d[%at, %at] : memref<8x8xf32>
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %bs scaled_by %sfbs <1x128, k_major> groups %g <row_end> into %d
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<1x8x16xf8E4M3FN>, memref<1x8x1xf32>, memref<1xi32>, memref<8x8xf32>
  %2 = memref.load %d[%at, %at] : memref<8x8xf32>
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %g <k_count> into %ds
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<1xi32>, memref<1x8x8xf32>
  %3 = memref.load %d[%at, %at] : memref<8x8xf32>
  return %0, %1, %2, %3 : f32, f32, f32, f32
}

// CHECK-LABEL: func @tensors
// CHECK-COUNT-1: fp8gemm.grouped_gemm
// CHECK-COUNT-1: fp8gemm.k_grouped_gemm
// CHECK-NOT:     fp8gemm
func.func @tensors(%a: tensor<8x16xf8E4M3FN>, %sfa: tensor<8x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<8x1xf32>,
                   %bs: tensor<1x8x16xf8E4M3FN>, %sfbs: tensor<1x8x1xf32>, %g: tensor<1xi32>, %d: tensor<8x8xf32>,
                   %ds: tensor<1x8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<1x8x8xf32>) {
  %dead = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  %0 = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %bs scaled_by %sfbs <1x128, k_major> groups %g <row_end> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<1x8x16xf8E4M3FN>, tensor<1x8x1xf32>, tensor<1xi32>, tensor<8x8xf32>
   -> tensor<8x8xf32>
  %1 = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %bs scaled_by %sfbs <1x128, k_major> groups %g <row_end> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<1x8x16xf8E4M3FN>, tensor<1x8x1xf32>, tensor<1xi32>, tensor<8x8xf32>
   -> tensor<8x8xf32>
  %2 = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %g <k_count> into %ds
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<1xi32>, tensor<1x8x8xf32>
   -> tensor<1x8x8xf32>
  return %0, %1, %2 : tensor<8x8xf32>, tensor<8x8xf32>, tensor<1x8x8xf32>
}
