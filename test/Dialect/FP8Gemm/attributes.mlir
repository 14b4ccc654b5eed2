// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
// A misspelt attribute would say nothing: there are 'config' and 'kernel' of a product, and none on operations of others.

// expected-error @below {{expected no attribute with the prefix of the fp8gemm dialect, whose operations have 'config' and 'kernel', got "fp8gemm.config"}}
func.func private @function() attributes {fp8gemm.config = "tile_m = 128"}

// -----

// expected-error @below {{got "fp8gemm.scaled"}}
func.func private @parameter(memref<4xf32> {fp8gemm.scaled})

// -----

// expected-error @below {{got "fp8gemm.scaled"}}
func.func private @result() -> (f32 {fp8gemm.scaled})

// -----

func.func @misspelt(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                    %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{expected the attributes 'config' and 'kernel', and those of other dialects, got "confg"}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {confg = 1}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @misspelt_with_prefix(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                                %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{got "fp8gemm.confg"}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {fp8gemm.confg = 1}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}
