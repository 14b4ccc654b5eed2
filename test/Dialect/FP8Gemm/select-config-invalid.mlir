// RUN: not fp8gemm-opt %s --fp8gemm-select-config=gpu=a100 2>&1 | FileCheck %s --check-prefix=GPU
// RUN: not fp8gemm-opt %s --fp8gemm-select-config=expected-m=0 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="tile = 128"' 2>&1 | FileCheck %s --check-prefix=FIELD
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="stages"' 2>&1 | FileCheck %s --check-prefix=NO-VALUE
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="stages = -4"' 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="stages = 4, stages = 5"' 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="tile_m = 128, tile_n = 192, stages = 8"' 2>&1 | FileCheck %s --check-prefix=SMEM
// RUN: not fp8gemm-opt %s --fp8gemm-select-config='config="tile_m = 256, tile_n = 192"' 2>&1 | FileCheck %s --check-prefix=REGISTERS

// GPU: error: expected 'gpu' to be one of h100-sxm, h100-pcie, h200-sxm, h20, got 'a100'
// ROWS: error: expected 'expected-m' to be a positive number of rows, got 0
// FIELD: error: expected 'config' to set tile_m, tile_n, stages, consumers, producer_registers, consumer_registers, raster_group, cluster_m, cluster_n, split_k, partials or swap_ab, got 'tile'
// NO-VALUE: error: expected stages in 'config' to be a number of at least 1, got ''
// VALUE: error: expected stages in 'config' to be a number of at least 1, got '-4'
// TWICE: error: expected 'config' to set stages once, got it twice
func.func @g(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x256xf8E4M3FN>, %sfb: memref<2x2xf32>, %d: memref<?x256xbf16>) {
  // SMEM: [[#@LINE+2]]:3: error: 'fp8gemm.gemm' op expected at most 232448 bytes of shared memory, got 382080 bytes
  // REGISTERS: [[#@LINE+1]]:3: error: 'fp8gemm.gemm' op expected consumer_registers to be at least 328 for a 256x192 tile of 2 consumers, got 232
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<256x256xf8E4M3FN>, memref<2x2xf32>, memref<?x256xbf16>
  return
}
