// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @memrefs_dynamic_m_mn_major
//       CHECK:   fp8gemm.gemm %{{.+}} scaled_by %{{.+}} <1x128, mn_major>, %{{.+}} scaled_by %{{.+}} <128x128, k_major> into %{{.+}} :
//  CHECK-SAME:     memref<?x2112xf8E4M3FN>, memref<17x?xf32>, memref<576x2112xf8E4M3FN>, memref<5x17xf32>, memref<?x576xbf16>
func.func @memrefs_dynamic_m_mn_major(%a: memref<?x2112xf8E4M3FN>, %sfa: memref<17x?xf32>,
                                      %b: memref<576x2112xf8E4M3FN>, %sfb: memref<5x17xf32>,
                                      %d: memref<?x576xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x2112xf8E4M3FN>, memref<17x?xf32>, memref<576x2112xf8E4M3FN>, memref<5x17xf32>, memref<?x576xbf16>
  return
}

// CHECK-LABEL: func @tensors_k_major
//       CHECK:   %[[D:.+]] = fp8gemm.gemm %{{.+}} scaled_by %{{.+}} <1x128, k_major>, %{{.+}} scaled_by %{{.+}} <128x128, mn_major> into
//  CHECK-SAME:     -> tensor<7x24xbf16>
//       CHECK:   return %[[D]]
func.func @tensors_k_major(%a: tensor<7x16xf8E4M3FN>, %sfa: tensor<7x1xf32>, %b: tensor<24x16xf8E4M3FN>,
                           %sfb: tensor<1x1xf32>, %d: tensor<7x24xbf16>) -> tensor<7x24xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, mn_major> into %d
    : tensor<7x16xf8E4M3FN>, tensor<7x1xf32>, tensor<24x16xf8E4M3FN>, tensor<1x1xf32>, tensor<7x24xbf16>
   -> tensor<7x24xbf16>
  return %r : tensor<7x24xbf16>
}

// CHECK-LABEL: func @tensors_padded_scales
//       CHECK:   fp8gemm.gemm
//  CHECK-SAME:     tensor<2x780xf32>
func.func @tensors_padded_scales(%a: tensor<777x144xf8E4M3FN>, %sfa: tensor<2x780xf32>, %b: tensor<136x144xf8E4M3FN>,
                                 %sfb: tensor<2x4xf32>, %d: tensor<777x136xbf16>) -> tensor<777x136xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, mn_major> into %d
    : tensor<777x144xf8E4M3FN>, tensor<2x780xf32>, tensor<136x144xf8E4M3FN>, tensor<2x4xf32>, tensor<777x136xbf16>
   -> tensor<777x136xbf16>
  return %r : tensor<777x136xbf16>
}

!a = memref<?x144xf8E4M3FN, strided<[160, 1], offset: 320>>
!sfa = memref<2x?xf32, strided<[?, 1]>>
!b = memref<136x144xf8E4M3FN, strided<[?, 1], offset: ?>>
!sfb = memref<2x2xf32, strided<[3, 1], offset: 1>>
!d = memref<?x136xbf16, strided<[144, 1]>>
// CHECK-LABEL: func @strided_memrefs
//       CHECK:   fp8gemm.gemm
//  CHECK-SAME:     strided<[160, 1], offset: 320>
func.func @strided_memrefs(%a: !a, %sfa: !sfa, %b: !b, %sfb: !sfb, %d: !d) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : !a, !sfa, !b, !sfb, !d
  return
}

// CHECK-LABEL: func @no_rows
//       CHECK:   fp8gemm.gemm
//  CHECK-SAME:     memref<0x16xf8E4M3FN>, memref<0x1xf32>
func.func @no_rows(%a: memref<0x16xf8E4M3FN>, %sfa: memref<0x1xf32>, %b: memref<8x16xf8E4M3FN>, %sfb: memref<1x1xf32>,
                   %d: memref<0x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<0x16xf8E4M3FN>, memref<0x1xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<0x8xbf16>
  return
}

// CHECK-LABEL: func @config_and_kernel
//       CHECK:   fp8gemm.gemm
//  CHECK-SAME:     config = #fp8gemm.config<tile_m = 128, tile_n = 24, stages = 4, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 16>
//  CHECK-SAME:     kernel = @name::@name
func.func @config_and_kernel(%a: memref<?x16xf8E4M3FN>, %sfa: memref<?x1xf32>, %b: memref<24x16xf8E4M3FN>,
                             %sfb: memref<1x1xf32>, %d: memref<?x24xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 24, stages = 4, consumers = 2, producer_registers = 40,
                              consumer_registers = 232, raster_group = 16>, kernel = @name::@name}
    : memref<?x16xf8E4M3FN>, memref<?x1xf32>, memref<24x16xf8E4M3FN>, memref<1x1xf32>, memref<?x24xbf16>
  return
}

// CHECK-LABEL: func @rows_of_b_scaled_f32_in_place
//  CHECK-SAME:   %[[D:[^:]+]]: memref<?x136xf32>)
//       CHECK:   fp8gemm.gemm %{{.+}} scaled_by %{{.+}} <1x128, mn_major>, %{{.+}} scaled_by %{{.+}} <1x128, mn_major> plus %[[D]] into %[[D]] :
//  CHECK-SAME:     memref<?x144xf8E5M2>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x140xf32>, memref<?x136xf32>, memref<?x136xf32>
func.func @rows_of_b_scaled_f32_in_place(%a: memref<?x144xf8E5M2>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
                                         %sfb: memref<2x140xf32>, %d: memref<?x136xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d
    : memref<?x144xf8E5M2>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x140xf32>, memref<?x136xf32>,
      memref<?x136xf32>
  return
}

// CHECK-LABEL: func @c_of_other_rows
//       CHECK:   fp8gemm.gemm {{.+}} <1x128, k_major> plus %{{.+}} into %{{.+}} :
//  CHECK-SAME:     memref<136x2xf32>, memref<?x136xbf16, strided<[144, 1]>>, memref<?x136xbf16>
func.func @c_of_other_rows(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E5M2>,
                           %sfb: memref<136x2xf32>, %c: memref<?x136xbf16, strided<[144, 1]>>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> plus %c into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E5M2>, memref<136x2xf32>,
      memref<?x136xbf16, strided<[144, 1]>>, memref<?x136xbf16>
  return
}
