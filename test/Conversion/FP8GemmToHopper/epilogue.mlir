// RUN: fp8gemm-opt %s -split-input-file -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// The epilogue of the sums, on fragments: the row comes from global memory, once for both fragments of the consumer.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_bf16_bias_bf16_many{{[a-z0-9_]*}} args(
// CHECK-SAME:    %[[BIAS:[^: ]+]]: memref<192xbf16> of bias
// CHECK:         problem<{{.*}} bias = bf16
// CHECK:         %[[SUMS:[^:]+]]:{{[0-9]+}} = scf.for
// CHECK:         %[[ROW:[^,]+]], %[[COLUMN:[^,]+]], {{.*}} = hopper.locate
// CHECK:         %[[LOADED:.+]] = hopper.load_fragment %[[BIAS]][%{{.+}}, %[[COLUMN]]] : memref<192xbf16> -> <64x64xf32>
// CHECK-NEXT:    %[[FIRST:.+]] = hopper.map(%{{.+}}, %[[LOADED]]) {
// CHECK-NEXT:    ^bb0(%[[X:.+]]: f32, %[[Y:.+]]: f32):
// CHECK-NEXT:      %[[BIASED:.+]] = arith.addf %[[X]], %[[Y]] : f32
// CHECK-NEXT:      hopper.yield %[[BIASED]] : f32
// CHECK:         %[[AGAIN:.+]] = hopper.load_fragment %[[BIAS]][%{{.+}}, %[[COLUMN]]] : memref<192xbf16> -> <64x64xf32>
// CHECK-NEXT:    %[[SECOND:.+]] = hopper.map(%{{.+}}, %[[AGAIN]]) {
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
// CHECK:         %[[SUM:.+]] = hopper.reduce_fragments
// CHECK:         %[[FIRST:.+]] = arith.addi %{{.*}}column, %{{.*}} : index
// CHECK:         %[[LOADED:.+]] = hopper.load_fragment %[[BIAS]][%{{.+}}, %[[FIRST]]] transposed : memref<192xf32> -> <64x{{8|16|24}}xf32>
// CHECK-NEXT:    %[[BIASED:.+]] = hopper.map(%[[SUM]], %[[LOADED]])
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
// CHECK:         %[[BIAS:.+]] = hopper.load_fragment %{{.+}} : memref<192xbf16>
// CHECK-NEXT:    %[[SUM:.+]] = hopper.map(%{{.+}}, %[[BIAS]], %[[C]]) {
// CHECK-NEXT:    ^bb0(%[[X:.+]]: f32, %[[Y:.+]]: f32, %[[Z:.+]]: f32):
// CHECK-NEXT:      %[[BOTH:.+]] = arith.addf %[[Z]], %[[Y]]
// CHECK-NEXT:      arith.addf %[[X]], %[[BOTH]]
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
// CHECK:         %[[BIAS:.+]] = hopper.load_fragment %{{.+}} : memref<192xf32>
// CHECK-NEXT:    hopper.map(%[[SUM]], %[[BIAS]])
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

// -----

#config = #fp8gemm.config<tile_m = 64, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// Any function, of a bias, a weight for each row, a residual of another type and a scalar: the consumers load them from
// global memory, and rows beyond M are the last one.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_bf16_epilogue_{{[0-9a-f]+}}_many{{[a-z0-9_]*}} args(
// CHECK-SAME:    %[[BIAS:[^: ]+]]: memref<192xf16> of epilogue_0
// CHECK-SAME:    %[[WEIGHT:[^: ]+]]: memref<?x1xf32, strided<[?, 1]>> of epilogue_1
// CHECK-SAME:    %[[RESIDUAL:[^: ]+]]: memref<?x192xf32, strided<[?, 1]>> of epilogue_2
// CHECK-SAME:    %[[FACTOR:[^: ]+]]: memref<1xf32> of epilogue_3
// CHECK-SAME:    %[[M:[^: ]+]]: index of m
// CHECK:         problem<{{.*}} c = none
// CHECK:         %[[ROW:[^,]+]], %[[COLUMN:[^,]+]], {{.*}} = hopper.locate
// CHECK:         %[[X0:.+]] = hopper.load_fragment %[[BIAS]][%[[FIRST:.+]], %[[COLUMN]]] : memref<192xf16>
// CHECK-NEXT:    %[[X1:.+]] = hopper.load_fragment %[[WEIGHT]][%[[FIRST]], %[[COLUMN]]] limit %[[M]] : memref<?x1xf32
// CHECK-NEXT:    %[[X2:.+]] = hopper.load_fragment %[[RESIDUAL]][%[[FIRST]], %[[COLUMN]]] limit %[[M]] : memref<?x192xf32
// CHECK-NEXT:    %[[X3:.+]] = hopper.load_fragment %[[FACTOR]][%[[FIRST]], %[[COLUMN]]] : memref<1xf32>
// CHECK-NEXT:    %[[D:.+]] = hopper.map(%{{.+}}, %[[X0]], %[[X1]], %[[X2]], %[[X3]]) {
// CHECK:           arith.cmpf ogt
// CHECK:           arith.select
// CHECK:         hopper.store_fragment %[[D]]
func.func @any(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x256xf8E4M3FN>, %sfb: memref<2x2xf32>,
               %row: memref<192xf16>, %weight: memref<?x1xf32>, %residual: memref<?x192xf32>, %factor: memref<f32>,
               %d: memref<?x192xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<192x256xf8E4M3FN>, memref<2x2xf32>, memref<?x192xbf16>
    epilogue(%row : memref<192xf16>, %weight : memref<?x1xf32>, %residual : memref<?x192xf32>, %factor : memref<f32>) {
  ^bb0(%sum: f32, %bias: f32, %w: f32, %r: f32, %f: f32):
    %zero = arith.constant 0.0 : f32
    %biased = arith.addf %sum, %bias : f32
    %positive = arith.cmpf ogt, %biased, %zero : f32
    %leak = arith.mulf %biased, %f : f32
    %leaky = arith.select %positive, %biased, %leak : f32
    %last = math.fma %leaky, %w, %r : f32
    fp8gemm.yield %last : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 16, tile_n = 64, stages = 3, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1, swap_ab = 1>

// Rows of each group, and a weight for each row of all groups; swapped, fragments are transposed.
// CHECK-LABEL: hopper.kernel @
// CHECK-SAME:    %[[BIAS:[^: ]+]]: memref<?x1x192xbf16, strided<[?, ?, 1]>> of epilogue_0
// CHECK-SAME:    %[[WEIGHT:[^: ]+]]: memref<?x1xf32, strided<[?, 1]>> of epilogue_1
// CHECK:         %[[ROW:[^,]+]], %[[COLUMN:[^,]+]], %[[GROUP:[^,]+]], {{.*}} = hopper.locate
// CHECK:         hopper.load_fragment %[[BIAS]][%[[ROW]], %{{.+}}] of %[[GROUP]] transposed : memref<?x1x192xbf16
// CHECK-NEXT:    hopper.load_fragment %[[WEIGHT]][%[[ROW]], %{{.+}}] limit %{{.+}} transposed : memref<?x1xf32
// CHECK-NEXT:    hopper.map
func.func @groups(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<4x192x256xf8E4M3FN>, %sfb: memref<4x2x2xf32>,
                  %ends: memref<4xi32>, %row: memref<4x1x192xbf16>, %weight: memref<?x1xf32>, %d: memref<?x192xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<4x192x256xf8E4M3FN>, memref<4x2x2xf32>, memref<4xi32>, memref<?x192xbf16>
    epilogue(%row : memref<4x1x192xbf16>, %weight : memref<?x1xf32>) {
  ^bb0(%sum: f32, %bias: f32, %w: f32):
    %biased = arith.addf %sum, %bias : f32
    %last = arith.mulf %biased, %w : f32
    fp8gemm.yield %last : f32
  }
  return
}
