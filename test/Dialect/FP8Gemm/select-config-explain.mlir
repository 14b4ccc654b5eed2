// RUN: fp8gemm-opt %s --fp8gemm-select-config=explain=true -o /dev/null 2>&1 | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-select-config='explain=true expected-m=64 config="tile_m = 64, tile_n = 32, split_k = 1, partials = 1, swap_ab = 0"' -o /dev/null 2>&1 | FileCheck %s --check-prefix=GIVEN
// RUN: fp8gemm-opt %s --fp8gemm-select-config -o /dev/null 2>&1 | count 0

// CHECK: :[[#@LINE+13]]:3: remark: chose tile_m = 128, tile_n = 192, stages = 4, consumers = 2, raster_group = 16: {{[0-9.]+}} us, 352 tiles in 3 waves (89 % full), bound by tensor cores
// CHECK-NOT: see current operation
// CHECK: note: modelled on h100-sxm for 4096 rows of A; {{[0-9]+}} tiles are legal
// CHECK-NEXT: note: next best: tile_m = 
// CHECK-COUNT-3: note: next best: tile_m = {{.*}} us, {{.*}} bound by
// CHECK-NOT: note:

// A given config comes with its time too, and the best is among the notes.
// GIVEN: remark: given tile_m = 64, tile_n = 32, stages = {{[0-9]+}}, consumers = 1, raster_group = 1: {{[0-9.]+}} us, 66 tiles in 1 wave (50 % full), bound by
// GIVEN: note: modelled on h100-sxm for 64 rows of A
// GIVEN: next best: tile_m = 

func.func @g(%a: memref<?x7168xf8E4M3FN>, %sfa: memref<56x?xf32>, %b: memref<2112x7168xf8E4M3FN>, %sfb: memref<17x56xf32>, %d: memref<?x2112xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x7168xf8E4M3FN>, memref<56x?xf32>, memref<2112x7168xf8E4M3FN>, memref<17x56xf32>, memref<?x2112xbf16>
  return
}
