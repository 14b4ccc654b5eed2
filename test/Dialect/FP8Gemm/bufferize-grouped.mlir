// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --one-shot-bufferize="bufferize-function-boundaries" -split-input-file | FileCheck %s -enable-var-scope

// CHECK-LABEL: func @in_place
//  CHECK-SAME:   %[[D:[^ :]+]]: memref<8x8xf32{{[^%]*}}) ->
//   CHECK-NOT:   memref.{{alloc|copy}}
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end> into %[[D]] {kernel = @k::@k} :
//   CHECK-NOT:   memref.copy
//       CHECK:   return %[[D]]
func.func @in_place(%a: tensor<8x16xf8E4M3FN>, %sfa: tensor<8x1xf32>, %b: tensor<2x8x16xf8E4M3FN>, %sfb: tensor<2x8x1xf32>,
                    %g: tensor<2xi32>, %d: tensor<8x8xf32> {bufferization.writable = true}) -> tensor<8x8xf32> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %g <row_end> into %d {kernel = @k::@k}
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<2xi32>, tensor<8x8xf32>
   -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

// Rows of no group keep what D held, so a fresh destination starts as a copy.

// CHECK-LABEL: func @destination_is_copied
//  CHECK-SAME:   %[[D:[^ :]+]]: memref<8x8xf32{{[^%]*}}) ->
//       CHECK:   %[[FRESH:.+]] = memref.alloc
//       CHECK:   memref.copy %[[D]], %[[FRESH]]
//       CHECK:   fp8gemm.grouped_gemm {{.+}} into %[[FRESH]]
func.func @destination_is_copied(%a: tensor<8x16xf8E4M3FN>, %sfa: tensor<8x1xf32>, %b: tensor<2x8x16xf8E4M3FN>, %sfb: tensor<2x8x1xf32>,
                                 %g: tensor<8xi32>, %d: tensor<8x8xf32> {bufferization.writable = false}) -> tensor<8x8xf32> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %g <row_index, align = 8> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<8xi32>, tensor<8x8xf32>
   -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

// Batched, every row is computed: no copy.

// CHECK-LABEL: func @batched_destination_is_not_copied
//       CHECK:   memref.alloc
//   CHECK-NOT:   memref.copy
//       CHECK:   fp8gemm.grouped_gemm
//   CHECK-NOT:   memref.copy
func.func @batched_destination_is_not_copied(%a: tensor<2x8x16xf8E4M3FN>, %sfa: tensor<2x8x1xf32>, %b: tensor<2x8x16xf8E4M3FN>, %sfb: tensor<2x8x1xf32>,
                                             %d: tensor<2x8x8xf32> {bufferization.writable = false}) -> tensor<2x8x8xf32> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<2x8x8xf32>
   -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}

// -----

// Without C a group of length 0 is 0: nothing of D is kept.

// CHECK-LABEL: func @k_grouped_destination_is_not_copied
//       CHECK:   memref.alloc
//   CHECK-NOT:   memref.copy
//       CHECK:   fp8gemm.k_grouped_gemm
//   CHECK-NOT:   memref.copy
func.func @k_grouped_destination_is_not_copied(%a: tensor<8x?xf8E4M3FN>, %sfa: tensor<8x?xf32>, %b: tensor<8x?xf8E4M3FN>, %sfb: tensor<8x?xf32>,
                                               %k: tensor<2xi32>, %d: tensor<2x8x8xf32> {bufferization.writable = false}) -> tensor<2x8x8xf32> {
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> into %d
    : tensor<8x?xf8E4M3FN>, tensor<8x?xf32>, tensor<8x?xf8E4M3FN>, tensor<8x?xf32>, tensor<2xi32>, tensor<2x8x8xf32>
   -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}

// -----

// CHECK-LABEL: func @k_grouped_add_in_place
//  CHECK-SAME:   %[[D:[^ :]+]]: memref<2x8x8xf32{{[^%]*}}) ->
//   CHECK-NOT:   memref.{{alloc|copy}}
//       CHECK:   fp8gemm.k_grouped_gemm {{.+}} groups %{{.+}} <k_count> plus %[[D]] into %[[D]] :
//   CHECK-NOT:   memref.copy
func.func @k_grouped_add_in_place(%a: tensor<?xf8E4M3FN>, %sfa: tensor<8x?xf32>, %b: tensor<?xf8E4M3FN>, %sfb: tensor<8x?xf32>,
                                  %k: tensor<2xi32>, %d: tensor<2x8x8xf32> {bufferization.writable = true}) -> tensor<2x8x8xf32> {
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> plus %d into %d
    : tensor<?xf8E4M3FN>, tensor<8x?xf32>, tensor<?xf8E4M3FN>, tensor<8x?xf32>, tensor<2xi32>, tensor<2x8x8xf32>,
      tensor<2x8x8xf32> -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}
