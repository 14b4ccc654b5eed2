// RUN: fp8gemm-opt %s --fp8gemm-select-config | FileCheck %s

// CHECK-LABEL: @contiguous
// CHECK: fp8gemm.grouped_gemm {{.+}} {config = #fp8gemm.config<tile_m = {{.+}}>} :
func.func @contiguous(%a: memref<?x7168xf8E4M3FN>, %sfa: memref<56x?xf32>, %b: memref<8x2048x7168xf8E4M3FN>, %sfb: memref<8x16x56xf32>, %g: memref<8xi32>, %d: memref<?x2048xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %g <row_end> into %d
    : memref<?x7168xf8E4M3FN>, memref<56x?xf32>, memref<8x2048x7168xf8E4M3FN>, memref<8x16x56xf32>, memref<8xi32>, memref<?x2048xbf16>
  return
}

// CHECK-LABEL: @sum_of_k_unknown
// CHECK: fp8gemm.k_grouped_gemm {{.+}} {config = #fp8gemm.config<tile_m = {{.+}}>} :
func.func @sum_of_k_unknown(%a: memref<512x?xf8E4M3FN>, %sfa: memref<?x512xf32>, %b: memref<1024x?xf8E4M3FN>, %sfb: memref<?x1024xf32>, %k: memref<8xi32>, %d: memref<8x512x1024xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> plus %d into %d
    : memref<512x?xf8E4M3FN>, memref<?x512xf32>, memref<1024x?xf8E4M3FN>, memref<?x1024xf32>, memref<8xi32>, memref<8x512x1024xf32>, memref<8x512x1024xf32>
  return
}

// CHECK-LABEL: @has_kernel
// CHECK: {kernel = @k::@k} :
func.func @has_kernel(%a: memref<8x4x128xf8E4M3FN>, %sfa: memref<8x4x1xf32>, %b: memref<8x128x128xf8E4M3FN>, %sfb: memref<8x1x1xf32>, %d: memref<8x4x128xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @k::@k}
    : memref<8x4x128xf8E4M3FN>, memref<8x4x1xf32>, memref<8x128x128xf8E4M3FN>, memref<8x1x1xf32>, memref<8x4x128xbf16>
  return
}
