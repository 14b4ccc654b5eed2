// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper -split-input-file -verify-diagnostics

func.func @no_config(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                     %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{expected a config, got none: run fp8gemm-select-config first}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @k_grouped(%a: memref<256x?xf8E4M3FN>, %sfa: memref<?x256xf32>, %b: memref<128x?xf8E4M3FN>, %sfb: memref<?x128xf32>, %g: memref<4xi32>, %d: memref<4x256x128xf32>) {
  // expected-error @below {{expected a config, got none: run fp8gemm-select-config first}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %g <k_count> plus %d into %d
    : memref<256x?xf8E4M3FN>, memref<?x256xf32>, memref<128x?xf8E4M3FN>, memref<?x128xf32>, memref<4xi32>, memref<4x256x128xf32>, memref<4x256x128xf32>
  return
}

// -----

func.func @registers(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                     %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{has an illegal config: expected producer_registers to be a multiple of 8 in [24, 256], got 2}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 48, stages = 4, consumers = 2, producer_registers = 2, consumer_registers = 232, raster_group = 8>}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @stages(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                  %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{has an illegal config: expected stages in [2, 16], got 1000}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 48, stages = 1000, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 8>}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}
