// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -canonicalize | FileCheck %s

// A product without rows has no elements: its result is its destination.
// CHECK-LABEL: func @no_rows
//  CHECK-SAME:   %[[D:[^: ]+]]: tensor<0x8xbf16>)
//  CHECK-NEXT:   return %[[D]]
func.func @no_rows(%a: tensor<0x16xf8E4M3FN>, %sfa: tensor<0x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<1x1xf32>,
                   %d: tensor<0x8xbf16>) -> tensor<0x8xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<0x16xf8E4M3FN>, tensor<0x1xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<0x8xbf16> -> tensor<0x8xbf16>
  return %r : tensor<0x8xbf16>
}

// CHECK-LABEL: func @no_rows_in_memory
//  CHECK-NEXT:   return
func.func @no_rows_in_memory(%a: memref<0x16xf8E4M3FN>, %sfa: memref<0x1xf32>, %b: memref<2x8x16xf8E4M3FN>, %sfb: memref<2x1x1xf32>,
                             %ends: memref<2xi32>, %d: memref<0x8xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : memref<0x16xf8E4M3FN>, memref<0x1xf32>, memref<2x8x16xf8E4M3FN>, memref<2x1x1xf32>, memref<2xi32>, memref<0x8xbf16>
  return
}

// Some rows of a product are the product of these rows; C and D stay one, so it stays in place.
// CHECK-LABEL: func @sink_slice
//  CHECK-SAME:   %[[A:[^:]+]]: tensor<?x144xf8E4M3FN>, %[[SFA:[^:]+]]: tensor<?x2xf32>, %[[B:[^:]+]]: {{[^%]+}}%[[SFB:[^:]+]]: {{[^%]+}}%[[D:[^:]+]]: {{[^%]+}}%[[FIRST:[^:]+]]: index, %[[COUNT:[^:]+]]: index)
//   CHECK-DAG:   %[[ROWS:.+]] = tensor.extract_slice %[[A]][%[[FIRST]], 0] [%[[COUNT]], 144] [1, 1]
//   CHECK-DAG:   %[[SCALES:.+]] = tensor.extract_slice %[[SFA]][%[[FIRST]], 0] [%[[COUNT]], 2] [1, 1]
//   CHECK-DAG:   %[[INTO:.+]] = tensor.extract_slice %[[D]][%[[FIRST]], 0] [%[[COUNT]], 8] [1, 1]
//       CHECK:   %[[R:.+]] = fp8gemm.gemm %[[ROWS]] scaled_by %[[SCALES]] <1x128, k_major>, %[[B]] scaled_by %[[SFB]] <1x128, k_major> plus %[[INTO]] into %[[INTO]]
//       CHECK:   return %[[R]]
func.func @sink_slice(%a: tensor<?x144xf8E4M3FN>, %sfa: tensor<?x2xf32>, %b: tensor<8x144xf8E4M3FN>, %sfb: tensor<8x2xf32>,
                      %d: tensor<?x8xf32>, %first: index, %count: index) -> tensor<?x8xf32> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> plus %d into %d
    : tensor<?x144xf8E4M3FN>, tensor<?x2xf32>, tensor<8x144xf8E4M3FN>, tensor<8x2xf32>, tensor<?x8xf32>, tensor<?x8xf32>
   -> tensor<?x8xf32>
  %s = tensor.extract_slice %r[%first, 0] [%count, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %s : tensor<?x8xf32>
}

// Scales stored K block first are cut where TMA can read them: 6 rows from row 4 on have 8 columns of them.
// CHECK-LABEL: func @sink_scales
//       CHECK:   %[[SCALES:.+]] = tensor.extract_slice %{{.+}}[0, 4] [1, 8] [1, 1] : tensor<1x16xf32> to tensor<1x8xf32>
//       CHECK:   fp8gemm.gemm %{{.+}} scaled_by %[[SCALES]] <1x128, mn_major>, {{.+}} : tensor<6x16xf8E4M3FN>, tensor<1x8xf32>
func.func @sink_scales(%a: tensor<14x16xf8E4M3FN>, %sfa: tensor<1x16xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<1x1xf32>,
                       %d: tensor<14x8xbf16>) -> tensor<6x8xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<14x16xf8E4M3FN>, tensor<1x16xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<14x8xbf16> -> tensor<14x8xbf16>
  %s = tensor.extract_slice %r[4, 0] [6, 8] [1, 1] : tensor<14x8xbf16> to tensor<6x8xbf16>
  return %s : tensor<6x8xbf16>
}

// From row 2 on they would not be aligned; and a product that is used otherwise, or whose kernel is chosen, is done anyway.
// CHECK-LABEL: func @keep_slice
//       CHECK:   fp8gemm.gemm {{.+}} -> tensor<12x8xbf16>
//       CHECK:   tensor.extract_slice
//       CHECK:   fp8gemm.gemm {{.+}} -> tensor<12x8xbf16>
//       CHECK:   tensor.extract_slice
func.func @keep_slice(%a: tensor<12x16xf8E4M3FN>, %first_k: tensor<1x12xf32>, %first_m: tensor<12x1xf32>, %b: tensor<8x16xf8E4M3FN>,
                      %sfb: tensor<1x1xf32>, %d: tensor<12x8xbf16>) -> (tensor<4x8xbf16>, tensor<4x8xbf16>) {
  %r = fp8gemm.gemm %a scaled_by %first_k <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<12x16xf8E4M3FN>, tensor<1x12xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<12x8xbf16> -> tensor<12x8xbf16>
  %s = tensor.extract_slice %r[2, 0] [4, 8] [1, 1] : tensor<12x8xbf16> to tensor<4x8xbf16>
  %q = fp8gemm.gemm %a scaled_by %first_m <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @k::@k}
    : tensor<12x16xf8E4M3FN>, tensor<12x1xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<12x8xbf16> -> tensor<12x8xbf16>
  %t = tensor.extract_slice %q[4, 0] [4, 8] [1, 1] : tensor<12x8xbf16> to tensor<4x8xbf16>
  return %s, %t : tensor<4x8xbf16>, tensor<4x8xbf16>
}

// In a loop it would be computed again and again.
// CHECK-LABEL: func @keep_slice_of_loop
//       CHECK:   fp8gemm.gemm
//       CHECK:   scf.for
//   CHECK-NOT:   fp8gemm.gemm
//       CHECK:   return
func.func @keep_slice_of_loop(%a: tensor<?x16xf8E4M3FN>, %sfa: tensor<?x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<8x1xf32>,
                              %d: tensor<?x8xf32>, %sum: tensor<4x8xf32>, %times: index) -> tensor<4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : tensor<?x16xf8E4M3FN>, tensor<?x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %all = scf.for %i = %c0 to %times step %c1 iter_args(%total = %sum) -> tensor<4x8xf32> {
    %s = tensor.extract_slice %r[%i, 0] [4, 8] [1, 1] : tensor<?x8xf32> to tensor<4x8xf32>
    %next = arith.addf %total, %s : tensor<4x8xf32>
    scf.yield %next : tensor<4x8xf32>
  }
  return %all : tensor<4x8xf32>
}
