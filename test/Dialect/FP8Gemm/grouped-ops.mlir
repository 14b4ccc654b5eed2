// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @row_index
//       CHECK:   fp8gemm.grouped_gemm %{{.+}} scaled_by %{{.+}} <1x128, mn_major>, %{{.+}} scaled_by %{{.+}} <128x128, k_major> groups %{{.+}} <row_index, align = 128> into %{{.+}} :
//  CHECK-SAME:     memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<?xi32>, memref<?x136xbf16>
func.func @row_index(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>,
                     %sfb: memref<8x2x2xf32>, %groups: memref<?xi32>, %d: memref<?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_index, align = 128> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<?xi32>,
      memref<?x136xbf16>
  return
}

// Packed groups need no align, and it is not printed.
// CHECK-LABEL: func @row_end_packed
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end> into %{{.+}} {config = #fp8gemm.config<{{.+}}>, kernel = @k::@k} :
func.func @row_end_packed(%a: memref<77x144xf8E4M3FN>, %sfa: memref<77x2xf32>, %b: memref<8x136x144xf8E5M2>,
                          %sfb: memref<8x2x136xf32>, %groups: memref<8xi32>, %d: memref<77x136xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, mn_major> groups %groups <row_end, align = 1> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 24, stages = 4, consumers = 2, producer_registers = 40,
                              consumer_registers = 232, raster_group = 16>, kernel = @k::@k}
    : memref<77x144xf8E4M3FN>, memref<77x2xf32>, memref<8x136x144xf8E5M2>, memref<8x2x136xf32>, memref<8xi32>,
      memref<77x136xf32>
  return
}

// CHECK-LABEL: func @row_end_on_tensors
//       CHECK:   %{{.+}} = fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end, align = 64> into %{{.+}} :
//  CHECK-SAME:     tensor<8xi32>, tensor<?x136xbf16> -> tensor<?x136xbf16>
func.func @row_end_on_tensors(%a: tensor<?x144xf8E4M3FN>, %sfa: tensor<2x?xf32>, %b: tensor<8x136x144xf8E4M3FN>,
                              %sfb: tensor<8x2x2xf32>, %groups: tensor<8xi32>, %d: tensor<?x136xbf16>) -> tensor<?x136xbf16> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end, align = 64> into %d
    : tensor<?x144xf8E4M3FN>, tensor<2x?xf32>, tensor<8x136x144xf8E4M3FN>, tensor<8x2x2xf32>, tensor<8xi32>,
      tensor<?x136xbf16> -> tensor<?x136xbf16>
  return %r : tensor<?x136xbf16>
}

// CHECK-LABEL: func @row_count
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_count> into %{{.+}} :
//  CHECK-SAME:     memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>,
func.func @row_count(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<8x136x144xf8E4M3FN>,
                     %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>,
      memref<8x?x136xbf16>
  return
}

// Groups side by side in each row: the group stride is smaller than the row stride.
// CHECK-LABEL: func @batched_side_by_side
//       CHECK:   fp8gemm.grouped_gemm {{.+}} <128x128, k_major> into %{{.+}} :
//  CHECK-SAME:     memref<8x7x144xf8E4M3FN, strided<[144, 1152, 1]>>
func.func @batched_side_by_side(%a: memref<8x7x144xf8E4M3FN, strided<[144, 1152, 1]>>, %sfa: memref<8x7x2xf32>,
                                %b: memref<8x136x144xf8E4M3FN>, %sfb: memref<8x2x2xf32>,
                                %d: memref<8x7x136xbf16, strided<[136, 1088, 1]>>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN, strided<[144, 1152, 1]>>, memref<8x7x2xf32>, memref<8x136x144xf8E4M3FN>,
      memref<8x2x2xf32>, memref<8x7x136xbf16, strided<[136, 1088, 1]>>
  return
}

// One row of each group, and none: groups and rows have the same stride then, or 0.
// CHECK-LABEL: func @batched_one_row_and_none
// CHECK-COUNT-2: fp8gemm.grouped_gemm
func.func @batched_one_row_and_none(%a: memref<8x1x144xf8E4M3FN>, %sfa: memref<8x1x2xf32>, %b: memref<8x136x144xf8E4M3FN>,
                                    %sfb: memref<8x2x2xf32>, %d: memref<8x1x136xbf16>, %none: memref<8x0x144xf8E4M3FN>,
                                    %no_scales: memref<8x0x2xf32>, %no_rows: memref<8x0x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x1x144xf8E4M3FN>, memref<8x1x2xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x1x136xbf16>
  fp8gemm.grouped_gemm %none scaled_by %no_scales <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %no_rows
    : memref<8x0x144xf8E4M3FN>, memref<8x0x2xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x0x136xbf16>
  return
}

// CHECK-LABEL: func @k_count_in_place
//       CHECK:   fp8gemm.k_grouped_gemm {{.+}} scaled_by %{{.+}} <1x128, mn_major>, %{{.+}} scaled_by %{{.+}} <1x128, mn_major> groups %{{.+}} <k_count> plus %[[D:.+]] into %[[D]] :
//  CHECK-SAME:     memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>, memref<4x64x136xf32>
func.func @k_count_in_place(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>,
                            %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> plus %d into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>,
      memref<4x64x136xf32>, memref<4x64x136xf32>
  return
}

// CHECK-LABEL: func @k_count_flattened
//       CHECK:   fp8gemm.k_grouped_gemm {{.+}} groups %{{.+}} <k_count> into %{{.+}} {kernel = @k::@k} :
//  CHECK-SAME:     tensor<?xf8E4M3FN>, tensor<64x?xf32>, tensor<?xf8E5M2>,
func.func @k_count_flattened(%a: tensor<?xf8E4M3FN>, %sfa: tensor<64x?xf32>, %b: tensor<?xf8E5M2>,
                             %sfb: tensor<?x136xf32>, %k: tensor<4xi32>, %d: tensor<4x64x136xbf16>) -> tensor<4x64x136xbf16> {
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d {kernel = @k::@k}
    : tensor<?xf8E4M3FN>, tensor<64x?xf32>, tensor<?xf8E5M2>, tensor<?x136xf32>, tensor<4xi32>, tensor<4x64x136xbf16>
   -> tensor<4x64x136xbf16>
  return %r : tensor<4x64x136xbf16>
}

// C of groups of rows, apart and in place, with a row that is added, too.
// CHECK-LABEL: func @row_end_plus_c
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end> plus %[[C:.+]] into %[[D:.+]] :
//  CHECK-SAME:     memref<8xi32>, memref<?x136xbf16>, memref<?x136xbf16>
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end> plus %[[D]] into %[[D]] : {{.+}} epilogue(%{{.+}} : memref<136xf32>)
func.func @row_end_plus_c(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, %sfb: memref<8x2x2xf32>,
                          %groups: memref<8xi32>, %c: memref<?x136xbf16>, %d: memref<?x136xbf16>, %bias: memref<136xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> plus %c into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>,
      memref<?x136xbf16>, memref<?x136xbf16>
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> plus %d into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>,
      memref<?x136xbf16>, memref<?x136xbf16> epilogue(%bias : memref<136xf32>) {
    ^bb0(%sum: f32, %x: f32):
      %y = arith.addf %sum, %x : f32
      fp8gemm.yield %y : f32
    }
  return
}

// CHECK-LABEL: func @batched_plus_c
//       CHECK:   fp8gemm.grouped_gemm {{.+}} <128x128, k_major> plus %{{.+}} into %{{.+}} :
//  CHECK-SAME:     tensor<8x2x2xf32>, tensor<8x7x136xf32>, tensor<8x7x136xf32>
func.func @batched_plus_c(%a: tensor<8x7x144xf8E4M3FN>, %sfa: tensor<8x7x2xf32>, %b: tensor<8x136x144xf8E4M3FN>, %sfb: tensor<8x2x2xf32>,
                          %c: tensor<8x7x136xf32>, %d: tensor<8x7x136xf32>) -> tensor<8x7x136xf32> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : tensor<8x7x144xf8E4M3FN>, tensor<8x7x2xf32>, tensor<8x136x144xf8E4M3FN>, tensor<8x2x2xf32>, tensor<8x7x136xf32>, tensor<8x7x136xf32>
   -> tensor<8x7x136xf32>
  return %r : tensor<8x7x136xf32>
}
