// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 24, tile_n = 128, stages = 8, consumers = 2, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1, swap_ab = 1>

func.func @few_rows(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<384x256xf8E5M2>,
                    %sfb: memref<3x2xf32>, %d: memref<?x384xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<384x256xf8E5M2>, memref<3x2xf32>, memref<?x384xbf16>
  return
}

// Rows of B are the rows of accumulators, rows of A their columns: 24 instead of 64.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_tile24x128_{{[a-z0-9_]*}}_swap args(
// CHECK:    shared(%[[STAGING:.+]]: !smem_2x1x24x64)
// CHECK:         helper
// CHECK:           hopper.fetch_scales {{.*}} count 2 step 64 per 128
// CHECK:         consumers(2) registers(232) |%[[GROUP:.+]]|
// CHECK:           %[[SLOT:slot.*]], %[[A:.+]], %[[B:.+]], %[[SFA:.+]], %[[SFB:.+]] = hopper.ring.wait
// CHECK:           %[[ROWS:.+]] = memref.subview %[[B]][%{{.+}}, 0] [64, 128]
// CHECK:           %[[SCALE:.+]] = memref.subview %[[SFB]][%[[GROUP]]] [1]
// One scale of B serves the 64 rows; each row of A has its own.
// CHECK:           hopper.load_scales %[[SCALE]] : {{.*}} -> <64 rows by 64>
// CHECK:           hopper.load_scales %[[SFA]] : {{.*}} -> <24 columns by 1>
// CHECK:           hopper.mma %[[ROWS]], %[[A]] : !view_64x128_e5m2, !tile_24x128 -> <64x24xf32>
// CHECK:           hopper.store_fragment %{{.+}} to %[[PANEL:.+]] transposed : <64x24xf32>, !view_1x24x64
// CHECK:           hopper.tma_store
