// RUN: fp8gemm-opt %s -split-input-file -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// The epilogue of the sums, on fragments: the row comes from global memory, once for both fragments of the consumer.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_bf16_bias_bf16_many{{[a-z0-9_]*}} args(
// CHECK-SAME:    %[[BIAS:[^: ]+]]: memref<192xbf16> of bias
// CHECK:         problem<{{.*}} bias = bf16
// CHECK:         %[[SUMS:[^:]+]]:{{[0-9]+}} = scf.for
// CHECK:         %[[ROW:[^,]+]], %[[COLUMN:[^,]+]], {{.*}} = hopper.locate
// CHECK-NEXT:    %[[LOADED:.+]] = hopper.load_fragment %[[BIAS]][%[[COLUMN]]] along columns : memref<192xbf16> -> <64x64xf32>
// CHECK-NEXT:    %[[FIRST:.+]] = arith.addf %{{.+}}, %[[LOADED]] : !hopper.fragment<64x64xf32>
// CHECK-NEXT:    %[[AGAIN:.+]] = hopper.load_fragment %[[BIAS]][%[[COLUMN]]] along columns : memref<192xbf16> -> <64x64xf32>
// CHECK-NEXT:    %[[SECOND:.+]] = arith.addf %{{.+}}, %[[AGAIN]] : !hopper.fragment<64x64xf32>
// CHECK:         hopper.store_fragment %[[FIRST]]
// CHECK-NEXT:    hopper.store_fragment %[[SECOND]]
func.func @bias(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x256xf8E4M3FN>, %sfb: memref<2x2xf32>,
                %row: memref<192xbf16>, %d: memref<?x192xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<192x256xf8E4M3FN>, memref<2x2xf32>, memref<?x192xbf16>
    epilogue(%row : memref<192xbf16>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 24, tile_n = 128, stages = 4, consumers = 2, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1, split_k = 2, swap_ab = 1>

// Swapped, the rows of a fragment are columns of D. With K split, the epilogue is of the sum of all ranks.
// CHECK-LABEL: hopper.kernel @
// CHECK-SAME:    %[[BIAS:[^: ]+]]: memref<192xf32> of bias
// CHECK:         consumers(2) registers(232) |%[[NUMBER:.+]]| {
// CHECK:         hopper.put_fragment
// CHECK:         hopper.cluster_barrier
// CHECK-NOT:     arith.addf
// CHECK:         %[[SUM:.+]] = hopper.sum_fragments
// CHECK:         %[[FIRST:.+]] = arith.addi %{{.*}}column, %{{.*}} : index
// CHECK:         %[[LOADED:.+]] = hopper.load_fragment %[[BIAS]][%[[FIRST]]] along rows : memref<192xf32> -> <64x{{8|16|24}}xf32>
// CHECK-NEXT:    %[[BIASED:.+]] = arith.addf %[[SUM]], %[[LOADED]]
// CHECK:         hopper.store_fragment %[[BIASED]] to %{{.+}} transposed
func.func @swapped_and_split(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x256xf8E4M3FN>, %sfb: memref<2x2xf32>,
                             %row: memref<192xf32>, %d: memref<?x192xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<192x256xf8E4M3FN>, memref<2x2xf32>, memref<?x192xbf16>
    epilogue(%row : memref<192xf32>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 64, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// A matrix comes as C does; the sum is in the region's order, and so the kernel has a name of its own.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_bf16_epilogue_{{[0-9a-f]+}}_many{{[a-z0-9_]*}} args(
// CHECK-SAME:    of c
// CHECK:         problem<{{.*}} c = apart
// CHECK:         %[[C:.+]] = hopper.load_fragment %{{.+}} : !view
// CHECK-NEXT:    hopper.ring.release
// CHECK-NEXT:    %[[BIAS:.+]] = hopper.load_fragment %{{.+}} along columns
// CHECK-NEXT:    %[[BOTH:.+]] = arith.addf %[[C]], %[[BIAS]]
// CHECK-NEXT:    %[[SUM:.+]] = arith.addf %{{.+}}, %[[BOTH]]
// CHECK:         hopper.store_fragment %[[SUM]]
func.func @residual(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x256xf8E4M3FN>, %sfb: memref<2x2xf32>,
                    %row: memref<192xbf16>, %residual: memref<?x192xbf16>, %d: memref<?x192xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<192x256xf8E4M3FN>, memref<2x2xf32>, memref<?x192xbf16>
    epilogue(%row : memref<192xbf16>, %residual : memref<?x192xbf16>) {
  ^bb0(%sum: f32, %bias: f32, %c: f32):
    %both = arith.addf %c, %bias : f32
    %all = arith.addf %sum, %both : f32
    fp8gemm.yield %all : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 64, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// An f32 that is added to in place is loaded if it has an epilogue, since TMA would add it after that. The bias is
// loaded when the registers of C are free.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_in_place_bias_f32
// CHECK:         %[[C:.+]] = hopper.load_fragment %{{.+}} : !view
// CHECK:         %[[SUM:.+]] = arith.addf %[[C]], %{{.+}}
// CHECK-NEXT:    %[[BIAS:.+]] = hopper.load_fragment %{{.+}} along columns
// CHECK-NEXT:    arith.addf %[[SUM]], %[[BIAS]]
// CHECK-NOT:     hopper.tma_store add
func.func @in_place(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x256xf8E4M3FN>, %sfb: memref<2x2xf32>,
                    %row: memref<192xf32>, %d: memref<?x192xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %d into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<192x256xf8E4M3FN>, memref<2x2xf32>, memref<?x192xf32>, memref<?x192xf32>
    epilogue(%row : memref<192xf32>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  return
}
