// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 256, stages = 4, consumers = 2, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// A tile of B is two, of gate and up: a tile of D has half of its rows as columns. Each consumer has both sums of an
// element of D in the same register of two fragments.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_bf16_gated_epilogue_
// CHECK:         shared(%[[SHARED:.+]]: !smem_2x2x64x64)
// CHECK:         problem<{{.*}} n = 4096, {{.*}} gated = 1, epilogue = 1, d = bf16
// CHECK-NEXT:    config(#fp8gemm.config<tile_m = 128, tile_n = 256,
// CHECK-NEXT:    launch<threads = 384, tile_m = 128, tile_n = 128>
// CHECK:         %[[HALF:.+]] = arith.constant 2048 : index
// CHECK:         %[[WORK:.+]] = hopper.tiles %{{.+}} of <plain, tile_m = 128, tile_n = 128, n = 2048,

// CHECK:         hopper.warp_specialize producer
// CHECK:         %{{.+}}, %[[COLUMN:.+]], %{{.+}}, %{{.+}} = hopper.locate
// CHECK:         %{{.+}}, %{{.+}}, %[[B:.+]], %{{.+}} = hopper.ring.acquire
// CHECK:         %[[GATE:.+]] = memref.subview %[[B]][0, 0] [128, 128]
// CHECK-NEXT:    hopper.tma_load %[[MAP:.+]][%[[COLUMN]], %{{.+}}] to %[[GATE]]
// CHECK-NEXT:    %[[UP_ROW:.+]] = arith.addi %[[COLUMN]], %[[HALF]]
// CHECK-NEXT:    %[[UP:.+]] = memref.subview %[[B]][128, 0] [128, 128]
// CHECK-NEXT:    hopper.tma_load %[[MAP]][%[[UP_ROW]], %{{.+}}] to %[[UP]]

// CHECK:         } helper {
// CHECK:         scf.for
// CHECK:         hopper.fetch_scales %{{.+}}[%[[COLUMN2:.+]], %[[NEXT:.+]]] count 1
// CHECK-NEXT:    %[[UP_ROW2:.+]] = arith.addi %[[COLUMN2]], %[[HALF]]
// CHECK-NEXT:    hopper.fetch_scales %{{.+}}[%[[UP_ROW2]], %[[NEXT]]] count 1

// CHECK:         } consumers(2)
// CHECK:         hopper.mma %[[ROWS:.+]], %{{.+}} reusing
// CHECK:         hopper.mma
// CHECK:         hopper.locate
// CHECK-NEXT:    %[[ACTIVE:.+]] = hopper.map(%[[GATES:.+]], %[[UPS:.+]]) {
// CHECK:           arith.addf %{{.+}}, %{{.+}} : f32
// CHECK:         hopper.store_fragment %[[ACTIVE]] to
// CHECK-NOT:     hopper.store_fragment
func.func @gated(%a: memref<?x2048xf8E4M3FN>, %sfa: memref<16x?xf32>, %b: memref<4096x2048xf8E4M3FN>, %sfb: memref<32x16xf32>,
                 %d: memref<?x2048xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<4096x2048xf8E4M3FN>, memref<32x16xf32>, memref<?x2048xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 24, tile_n = 256, stages = 4, consumers = 2, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1, swap_ab = 1>

// Swapped, gate and up are rows of fragments: each consumer has 64 of both.
// CHECK-LABEL: hopper.kernel @
// CHECK:         launch<threads = 384, tile_m = 24, tile_n = 128>
// CHECK:         consumers(2) registers(232) unroll({{.+}}) |%[[NUMBER:.+]]| {
// CHECK:         %[[FIRST:.+]] = arith.muli %[[NUMBER]], %{{.+}}
// CHECK:         %{{.+}}, %{{.+}}, %[[B:.+]], %{{.+}}, %{{.+}} = hopper.ring.wait
// CHECK:         %[[GATE:.+]] = memref.subview %[[B]][0, 0] [128, 128]
// CHECK:         %[[GATES:.+]] = memref.subview %[[GATE]][%[[FIRST]], 0] [64, 128]
// CHECK:         hopper.mma %[[GATES]], %[[A:.+]] :
// CHECK:         %[[UP:.+]] = memref.subview %[[B]][128, 0] [128, 128]
// CHECK:         %[[UPS:.+]] = memref.subview %[[UP]][%[[FIRST]], 0] [64, 128]
// CHECK:         hopper.mma %[[UPS]], %[[A]]
func.func @swapped(%a: memref<?x2048xf8E4M3FN>, %sfa: memref<16x?xf32>, %b: memref<4096x2048xf8E4M3FN>, %sfb: memref<32x16xf32>,
                   %d: memref<?x2048xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<4096x2048xf8E4M3FN>, memref<32x16xf32>, memref<?x2048xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}

// -----

#config = #fp8gemm.config<tile_m = 64, tile_n = 192, stages = 4, consumers = 1, producer_registers = 40,
                          consumer_registers = 232, raster_group = 1>

// An accumulator that holds gate and up has them as its halves: the main loop is that of any product.
// CHECK-LABEL: hopper.kernel @
// CHECK:         launch<threads = 256, tile_m = 64, tile_n = 96>
// CHECK:         consumers(1)
// CHECK:         %{{.+}}, %{{.+}}, %[[B:.+]], %{{.+}}, %{{.+}} = hopper.ring.wait
// CHECK:         hopper.mma %{{.+}}, %[[B]] {{.*}} -> <64x192xf32>
// CHECK-NOT:     hopper.mma %
// CHECK:         hopper.locate
// CHECK-NEXT:    %[[D:.+]] = hopper.map(%{{.+}}) {
// CHECK-NEXT:    ^bb0(%[[GATE:.+]]: f32, %[[UP:.+]]: f32):
// CHECK-NEXT:      arith.addf %[[GATE]], %[[UP]] : f32
// CHECK:         } : !hopper.fragment<64x192xf32> -> !hopper.fragment<64x96xf32>
// CHECK:         hopper.store_fragment %[[D]] to
func.func @halves(%a: memref<?x2048xf8E4M3FN>, %sfa: memref<16x?xf32>, %b: memref<4096x2048xf8E4M3FN>, %sfb: memref<32x16xf32>,
                  %d: memref<?x2048xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<4096x2048xf8E4M3FN>, memref<32x16xf32>, memref<?x2048xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}
