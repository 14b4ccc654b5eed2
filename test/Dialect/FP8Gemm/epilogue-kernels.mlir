// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogues that no kernel is built for.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -fp8gemm-select-config -convert-fp8gemm-to-hopper -o /dev/null

func.func @many(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                %row: memref<136xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected at most 8 operands of the epilogue of a kernel, got 9; compute a part of it after the product}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>, %row : memref<136xf32>) {
  ^bb0(%sum: f32, %x0: f32, %x1: f32, %x2: f32, %x3: f32, %x4: f32, %x5: f32, %x6: f32, %x7: f32, %x8: f32):
    fp8gemm.yield %sum : f32
  }
  return
}

// -----

// Four matrices don't fit beside the sums of any tile of 64 rows and more than 16 columns; of a given tile they must.
func.func @registers(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                     %c: memref<?x136xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{has an illegal config: expected consumer_registers to be at least 576 for a 64x128 tile of 1 consumers, got 232}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 64, tile_n = 128, stages = 3, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 1>}
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%c : memref<?x136xf32>, %c : memref<?x136xf32>, %c : memref<?x136xf32>, %c : memref<?x136xf32>, %c : memref<?x136xf32>, %c : memref<?x136xf32>, %c : memref<?x136xf32>) {
  ^bb0(%sum: f32, %x0: f32, %x1: f32, %x2: f32, %x3: f32, %x4: f32, %x5: f32, %x6: f32):
    fp8gemm.yield %sum : f32
  }
  return
}
