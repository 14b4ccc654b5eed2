// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 48, stages = 4, consumers = 2,
                          producer_registers = 40, consumer_registers = 232, raster_group = 8>

func.func @store(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                 %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}

// Every step between two tiles is written down: the old store has read the
// staging, all threads know, all have stored and fenced, one starts the new store.
// CHECK-LABEL: hopper.kernel
// CHECK:    shared(%[[STAGING:[^:]+]]: !smem_2x3x64x16)
// CHECK:         consumers(2) registers(232) |%[[GROUP:.+]]| {
// CHECK:           %[[BARRIER:.+]] = arith.addi %[[GROUP]], %c1
// CHECK-NEXT:      %[[PANELS:.+]] = memref.subview %[[STAGING]][%[[GROUP]], 0, 0, 0] [1, 3, 64, 16]
// CHECK-NEXT:      hopper.tma_store.wait read
// CHECK-NEXT:      hopper.named_barrier %[[BARRIER]] threads(128)
// CHECK-NEXT:      hopper.store_fragment %{{.+}} to %[[PANELS]]
// CHECK-NEXT:      hopper.fence async_shared
// CHECK-NEXT:      hopper.named_barrier %[[BARRIER]] threads(128)
// CHECK:           hopper.tma_store %[[PANELS]] to
// CHECK-NEXT:    }
// The next kernel may start; it waits for what this one writes.
// CHECK-NEXT:    hopper.griddepcontrol launch_dependents
// CHECK-NEXT:    hopper.tma_store.wait read
