// The products and quantisations that the corpus has at each level, of small tiles so that their kernels are short.
// RUN: fp8gemm-opt %s -split-input-file -fp8gemm-to-llvm -o /dev/null

func.func @gemm(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<136x512xf8E5M2>,
                %sfb: memref<2x4xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 64, tile_n = 16, stages = 3, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 8>}
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<136x512xf8E5M2>, memref<2x4xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @k_major_two_partials(%a: memref<200x1024xf8E4M3FN>, %sfa: memref<200x8xf32>, %b: memref<136x1024xf8E4M3FN>,
                                %sfb: memref<2x8xf32>, %d: memref<200x136xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 128, tile_n = 16, stages = 4, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 2, partials = 2>}
    : memref<200x1024xf8E4M3FN>, memref<200x8xf32>, memref<136x1024xf8E4M3FN>, memref<2x8xf32>, memref<200x136xf32>
  return
}

// -----

func.func @swapped(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<136x512xf8E4M3FN>,
                   %sfb: memref<2x4xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 16, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 8, swap_ab = 1>}
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<136x512xf8E4M3FN>, memref<2x4xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @split_k(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<136x512xf8E4M3FN>,
                   %sfb: memref<2x4xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 64, tile_n = 16, stages = 2, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 1, split_k = 2>}
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<136x512xf8E4M3FN>, memref<2x4xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @weight_gradient(%a: memref<128x512xf8E4M3FN>, %sfa: memref<4x128xf32>, %b: memref<256x512xf8E4M3FN>,
                           %sfb: memref<4x256xf32>, %d: memref<128x256xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d
    : memref<128x512xf8E4M3FN>, memref<4x128xf32>, memref<256x512xf8E4M3FN>, memref<4x256xf32>, memref<128x256xf32>, memref<128x256xf32>
  return
}

// -----

func.func @row_index(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<3x136x256xf8E4M3FN>,
                     %sfb: memref<3x2x2xf32>, %groups: memref<?xi32>, %d: memref<?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_index, align = 128> into %d
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<3x136x256xf8E4M3FN>, memref<3x2x2xf32>, memref<?xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @row_end(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<3x136x256xf8E4M3FN>,
                   %sfb: memref<3x2x2xf32>, %groups: memref<3xi32>, %d: memref<?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<3x136x256xf8E4M3FN>, memref<3x2x2xf32>, memref<3xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @row_end_in_place(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<3x136x256xf8E4M3FN>,
                            %sfb: memref<3x2x2xf32>, %groups: memref<3xi32>, %d: memref<?x136xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> plus %d into %d
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<3x136x256xf8E4M3FN>, memref<3x2x2xf32>, memref<3xi32>, memref<?x136xf32>, memref<?x136xf32>
  return
}

// -----

func.func @batched(%a: memref<3x?x256xf8E4M3FN>, %sfa: memref<3x2x?xf32>, %b: memref<3x136x256xf8E4M3FN>,
                   %sfb: memref<3x2x2xf32>, %d: memref<3x?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<3x?x256xf8E4M3FN>, memref<3x2x?xf32>, memref<3x136x256xf8E4M3FN>, memref<3x2x2xf32>, memref<3x?x136xbf16>
  return
}

// -----

func.func @shared(%a: memref<6x?x256xf8E4M3FN>, %sfa: memref<6x2x?xf32>, %b: memref<3x136x256xf8E4M3FN>,
                  %sfb: memref<3x2x2xf32>, %counts: memref<6xi32>, %d: memref<6x?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : memref<6x?x256xf8E4M3FN>, memref<6x2x?xf32>, memref<3x136x256xf8E4M3FN>, memref<3x2x2xf32>, memref<6xi32>, memref<6x?x136xbf16>
  return
}

// -----

func.func @k_grouped(%a: memref<128x?xf8E4M3FN>, %sfa: memref<?x128xf32>, %b: memref<256x?xf8E4M3FN>,
                     %sfb: memref<?x256xf32>, %groups: memref<4xi32>, %d: memref<4x128x256xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %groups <k_count> plus %d into %d
    : memref<128x?xf8E4M3FN>, memref<?x128xf32>, memref<256x?xf8E4M3FN>, memref<?x256xf32>, memref<4xi32>, memref<4x128x256xf32>, memref<4x128x256xf32>
  return
}

// -----

func.func @quantize_swiglu(%x: memref<?x288xbf16>, %q: memref<?x144xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major> power_of_two
    : memref<?x288xbf16>, memref<?x144xf8E4M3FN>, memref<2x?xf32> gated prologue {
  ^bb0(%gate: f32, %up: f32):
    %negated = arith.negf %gate : f32
    %power = math.exp %negated : f32
    %one = arith.constant 1.0 : f32
    %sum = arith.addf %one, %power : f32
    %silu = arith.divf %gate, %sum fastmath<afn> : f32
    %product = arith.mulf %silu, %up : f32
    fp8gemm.yield %product : f32
  }
  return
}

// -----

func.func @quantize_blocks(%w: memref<200x144xf32>, %b: memref<200x144xf8E5M2>, %sfb: memref<2x2xf32>) {
  fp8gemm.quantize %w into %b scaled_by %sfb <128x128, k_major>
    : memref<200x144xf32>, memref<200x144xf8E5M2>, memref<2x2xf32>
  return
}
