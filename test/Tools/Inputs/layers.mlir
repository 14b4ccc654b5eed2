// Five products of a model, one of them in two layers and once for a fixed M.
func.func @layer1(%a: memref<?x400xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<264x400xf8E4M3FN>, %sfb: memref<3x4xf32>, %d: memref<?x264xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d : memref<?x400xf8E4M3FN>, memref<4x?xf32>, memref<264x400xf8E4M3FN>, memref<3x4xf32>, memref<?x264xbf16>
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d : memref<?x400xf8E4M3FN>, memref<4x?xf32>, memref<264x400xf8E4M3FN>, memref<3x4xf32>, memref<?x264xbf16>
  return
}
func.func @on_tensors(%a: tensor<16x400xf8E4M3FN>, %sfa: tensor<4x16xf32>, %b: tensor<264x400xf8E4M3FN>, %sfb: tensor<3x4xf32>, %d: tensor<16x264xbf16>) -> tensor<16x264xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d : tensor<16x400xf8E4M3FN>, tensor<4x16xf32>, tensor<264x400xf8E4M3FN>, tensor<3x4xf32>, tensor<16x264xbf16> -> tensor<16x264xbf16>
  return %r : tensor<16x264xbf16>
}
func.func @gradient(%a: memref<?x400xf8E5M2>, %sfa: memref<?x4xf32>, %b: memref<264x400xf8E4M3FN>, %sfb: memref<4x264xf32>, %d: memref<?x264xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d : memref<?x400xf8E5M2>, memref<?x4xf32>, memref<264x400xf8E4M3FN>, memref<4x264xf32>, memref<?x264xf32>, memref<?x264xf32>
  return
}
func.func @experts(%a: memref<?x400xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x264x400xf8E4M3FN>, %sfb: memref<3x3x4xf32>, %ends: memref<3xi32>, %d: memref<?x264xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end, align = 16> into %d : memref<?x400xf8E4M3FN>, memref<4x?xf32>, memref<3x264x400xf8E4M3FN>, memref<3x3x4xf32>, memref<3xi32>, memref<?x264xbf16>
  return
}
func.func @batched(%a: memref<3x?x400xf8E4M3FN>, %sfa: memref<3x4x?xf32>, %b: memref<3x264x400xf8E4M3FN>, %sfb: memref<3x3x4xf32>, %d: memref<3x?x264xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d : memref<3x?x400xf8E4M3FN>, memref<3x4x?xf32>, memref<3x264x400xf8E4M3FN>, memref<3x3x4xf32>, memref<3x?x264xbf16>
  return
}
func.func @weights(%a: memref<?xf8E4M3FN>, %sfa: memref<?x72xf32>, %b: memref<?xf8E4M3FN>, %sfb: memref<264x?xf32>, %lengths: memref<3xi32>, %c: memref<3x72x264xbf16>, %d: memref<3x72x264xbf16>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %lengths <k_count> plus %c into %d : memref<?xf8E4M3FN>, memref<?x72xf32>, memref<?xf8E4M3FN>, memref<264x?xf32>, memref<3xi32>, memref<3x72x264xbf16>, memref<3x72x264xbf16>
  return
}
