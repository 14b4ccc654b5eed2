// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper -split-input-file -verify-diagnostics

func.func @no_config(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                     %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{expected a config, got none: run fp8gemm-select-config first}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @recipe_not_built(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<128x128xf8E4M3FN>,
                            %sfb: memref<128x1xf32>, %d: memref<?x128xbf16>) {
  // expected-error @below {{expected recipe 1d2d of f8E4M3FN to bf16 without C (no kernel of another is built yet)}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 128, stages = 4, consumers = 2, producer_registers = 40,
                              consumer_registers = 232, raster_group = 1>}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<128x128xf8E4M3FN>, memref<128x1xf32>, memref<?x128xbf16>
  return
}
