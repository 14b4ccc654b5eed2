// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper -split-input-file -verify-diagnostics

func.func @no_config(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                     %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{expected a config, got none: run fp8gemm-select-config first}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @grouped(%a: memref<8x4x128xf8E4M3FN>, %sfa: memref<8x4x1xf32>, %b: memref<8x128x128xf8E4M3FN>, %sfb: memref<8x1x1xf32>, %d: memref<8x4x128xbf16>) {
  // expected-error @below {{expected fp8gemm.gemm: kernels for other products are not built yet}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x4x128xf8E4M3FN>, memref<8x4x1xf32>, memref<8x128x128xf8E4M3FN>, memref<8x1x1xf32>, memref<8x4x128xbf16>
  return
}
