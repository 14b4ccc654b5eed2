// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every type, attribute and operation prints as it parses.
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s

!map_a = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = l2promo_256b, oob = zero, interleave = none>
!map_sfa = !nvgpu.tensormap.descriptor<tensor = memref<1x64xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_d = !nvgpu.tensormap.descriptor<tensor = memref<64x16xbf16, 3>, swizzle = swizzle_32b, l2promo = none, oob = zero, interleave = none>
!map_f32 = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!tile = memref<64x128xf8E4M3FN, 3>
!ring = !hopper.ring<stages = 4, tma(a: !tile, sfa: memref<64xf32, 3>), warps(sfb: memref<4xf32, 3>), readers = 1>
!source = memref<1x8xf32, strided<[?, 1]>>

// The rings' types, with one kind of buffer and with both; they print as aliases.
// CHECK-DAG: ![[$TMA:ring[0-9]*]] = !hopper.ring<stages = 2, tma(sfa: !scales_8), readers = 3>
// CHECK-DAG: ![[$WARPS:ring[0-9]*]] = !hopper.ring<stages = 1, warps(sfb: !scales_8, sfa: !scales_1), readers = 1>
// CHECK-LABEL: func.func @ring_types
// CHECK-SAME: %{{.*}}: ![[$TMA]], %{{.*}}: ![[$WARPS]])
func.func @ring_types(%a: !hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 3>,
                      %b: !hopper.ring<stages = 1, warps(sfb: memref<8xf32, 3>, sfa: memref<1xf32, 3>), readers = 1>) {
  return
}

// CHECK-LABEL: gpu.module @kernels
gpu.module @kernels {

// The facts for the launcher, one a line; operands give their names to arguments.
// CHECK-LABEL: hopper.kernel @interface args(%a_map: !map_{{[0-9x]+}} of a, %sfb_memory: memref<1x8xf32, strided<[?, 1]>> of sfb,
// CHECK-SAME:    %groups: memref<4xi32> of groups, %m: index of m, %k: index of k, %{{.*}}: i1)
// CHECK-NEXT:    shared(%shared: !table_4x4, %shared_0: !scales_64)
// CHECK-NEXT:    problem<gemm, m = ?, n = 64, k = 1024, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
// CHECK-NEXT:    config(#fp8gemm.config<tile_m = 64, tile_n = 64, stages = 4, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 8>)
// CHECK-NEXT:    launch<threads = 256, tile_m = 64, tile_n = 64, workspace_bytes = 512> attributes {gpu.note} {
// CHECK-NEXT:  }
hopper.kernel @interface args(%x: !map_a of a, %sfb: !source of sfb, %groups: memref<4xi32> of groups, %m: index of m,
                              %k: index of k, %other: i1)
    shared(%table: memref<4x4xi32, 3>, %buffer: memref<64xf32, 3>)
    problem<gemm, m = ?, n = 64, k = 1024, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
    config(#fp8gemm.config<tile_m = 64, tile_n = 64, stages = 4, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 8>)
    launch<threads = 256, tile_m = 64, tile_n = 64, workspace_bytes = 512> attributes {gpu.note} {
}

// CHECK:      hopper.entry @lowered params [#hopper.param<tensor_map of a : !map_{{[0-9x]+}}>, #hopper.param<matrix of sfb>,
// CHECK-SAME:   #hopper.param<leading_dimension of sfb>, #hopper.param<extent of m>] problem <gemm,
// CHECK-SAME:   config(#fp8gemm.config<tile_m = 64,
// CHECK-SAME:   launch <threads = 256, tile_m = 64, tile_n = 64> smem_bytes(1024) waits_for_previous
// CHECK-SAME:   debug_rings <limit_ms = 5, rings = [!ring{{[0-9]*}}], waits = [<consumer until full of ring 0 at "a.mlir:1:2">]>
hopper.entry @lowered params [#hopper.param<tensor_map of a : !map_a>, #hopper.param<matrix of sfb>,
                              #hopper.param<leading_dimension of sfb>, #hopper.param<extent of m>]
    problem<gemm, m = ?, n = 64, k = 1024, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
    config(#fp8gemm.config<tile_m = 64, tile_n = 64, stages = 4, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 8>)
    launch<threads = 256, tile_m = 64, tile_n = 64> smem_bytes(1024) waits_for_previous
    debug_rings<limit_ms = 5, rings = [!ring], waits = [<consumer until full of ring 0 at "a.mlir:1:2">]>
llvm.func @lowered(%a: !llvm.ptr, %sfb: !llvm.ptr<1>, %leading_dimension: i64, %m: i32) {
  llvm.return
}

// CHECK-LABEL: hopper.kernel @fixed_m args()
// CHECK-NEXT:    problem<gemm, m = 128,
hopper.kernel @fixed_m args()
    problem<gemm, m = 128, n = 64, k = 1024, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = k_major, sfb = mn_major by 128> {
}

// CHECK-LABEL: hopper.kernel @set_up
hopper.kernel @set_up args() {
  // CHECK: %[[RING:.*]] = hopper.ring.create
  // CHECK-NEXT: hopper.ring.init %[[RING]]
  // CHECK-NEXT: hopper.fence mbarrier_init
  // CHECK-NEXT: hopper.griddepcontrol wait
  // CHECK-NEXT: hopper.griddepcontrol launch_dependents
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  hopper.griddepcontrol wait
  hopper.griddepcontrol launch_dependents
}

// CHECK-LABEL: hopper.kernel @fill
// CHECK-SAME: %[[A:.*]]: !map_{{[0-9x]+}}, %[[SOURCE:.*]]: memref<1x8xf32
hopper.kernel @fill args(%a: !map_a, %sfb: !source) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  // CHECK: hopper.warp_specialize producer registers(40) {
  hopper.warp_specialize producer registers(40) {
    // Buffers have the names that the ring gives them.
    // CHECK: %[[SLOT:slot.*]], %[[SLOT1:a.*]], %[[SLOT2:sfa.*]] = hopper.ring.acquire %{{.*}} by tma :
    // CHECK-NEXT: hopper.tma_load %[[A]][%{{.*}}, %{{.*}}] to %[[SLOT1]] signal %[[SLOT]]
    // CHECK-NEXT: hopper.ring.commit %[[SLOT]]
    %slot, %as, %sfas = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %a[%c0, %c0] to %as signal %slot : !map_a to !tile
    hopper.ring.commit %slot
    hopper.yield
  // CHECK: } helper {
  } helper {
    // CHECK: %[[V:.*]] = hopper.fetch_scales %[[SOURCE]][%[[C0:.*]], %[[C0]]] count 4 step 16 per 128 limit %[[C0]]
    // CHECK: %[[SLOT:slot.*]], %[[SLOT1:sfb.*]] = hopper.ring.acquire %{{.*}} by warps
    // CHECK: hopper.put_scales %[[V]] to %[[SLOT1]] : vector<1xf32>, !scales_4
    %v = hopper.fetch_scales %sfb[%c0, %c0] count 4 step 16 per 128 limit %c0 : !source -> vector<1xf32>
    %slot, %sfbs = hopper.ring.acquire %ring by warps : !ring
    hopper.put_scales %v to %sfbs : vector<1xf32>, memref<4xf32, 3>
    hopper.ring.commit %slot
    hopper.yield
  // CHECK: } consumers(1) registers(232) unroll(4) |%{{.*}}| {
  } consumers(1) registers(232) unroll(4) |%warpgroup| {
    hopper.yield
  }
}

// CHECK-LABEL: hopper.kernel @positions
hopper.kernel @positions args(%stage: index, %phase: i1) {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // CHECK: hopper.ring.acquire %{{.*}} by tma at(%[[S:.*]], %[[P:.*]]) :
    // CHECK-NEXT: hopper.ring.advance %{{.*}}(%[[S]], %[[P]]) :
    %slot, %as, %sfas = hopper.ring.acquire %ring by tma at(%stage, %phase) : !ring
    %next_stage, %next_phase = hopper.ring.advance %ring(%stage, %phase) : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // CHECK: hopper.ring.wait %{{.*}} at(%[[S]], %[[P]]) :
    %slot, %b:3 = hopper.ring.wait %ring at(%stage, %phase) : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// CHECK-LABEL: hopper.kernel @compute
hopper.kernel @compute args(%a: !tile, %b: !tile, %sfa: memref<64xf32, 3>, %sfb: memref<4xf32, 3>) {
  // CHECK: %[[ACC:.*]] = arith.constant dense<0.000000e+00> : !hopper.fragment<64x64xf32>
  // CHECK-NEXT: hopper.fence wgmma
  // CHECK-NEXT: %[[P:.*]] = hopper.mma %{{.*}}, %{{.*}} : !tile_64x128, !tile_64x128 -> <64x64xf32>
  // CHECK-NEXT: %[[ROWS:.*]] = hopper.load_scales %{{.*}} : !scales_64 -> <64 rows by 1>
  // CHECK-NEXT: %[[COLUMNS:.*]] = hopper.load_scales %{{.*}} : !scales_4 -> <64 columns by 16>
  // CHECK-NEXT: %[[Q:.*]] = hopper.mma.wait %[[P]] pending 1 : <64x64xf32>
  // CHECK-NEXT: %[[D:.*]] = hopper.mma.wait %[[P]] : <64x64xf32>
  // CHECK-NEXT: hopper.promote %[[D]] scaled_by(%[[ROWS]], %[[COLUMNS]]) into %[[ACC]]
  // CHECK-NEXT: arith.constant dense<0.000000e+00> : !hopper.scales<64 rows by 1>
  %acc = arith.constant dense<0.0> : !hopper.fragment<64x64xf32>
  hopper.fence wgmma
  %p = hopper.mma %a, %b : !tile, !tile -> !hopper.fragment<64x64xf32>
  %rows = hopper.load_scales %sfa : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
  %columns = hopper.load_scales %sfb : memref<4xf32, 3> -> !hopper.scales<64 columns by 16>
  %q = hopper.mma.wait %p pending 1 : !hopper.fragment<64x64xf32>
  %d = hopper.mma.wait %p : !hopper.fragment<64x64xf32>
  %next = hopper.promote %d scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<64 columns by 16>, !hopper.fragment<64x64xf32>
  %none = arith.constant dense<0.0> : !hopper.scales<64 rows by 1>
}

// CHECK-LABEL: hopper.kernel @store
hopper.kernel @store args(%d: !map_d, %acc: !hopper.fragment<64x64xf32>, %row: index) shared(%staging: memref<4x64x16xbf16, 3>) {
  // CHECK: %[[ID:.*]] = arith.constant 3 : index
  // CHECK-NEXT: hopper.store_fragment %{{.*}} to %[[STAGING:.*]] : <64x64xf32>, !smem_4x64x16
  // CHECK-NEXT: hopper.fence async_shared
  // CHECK-NEXT: hopper.named_barrier %[[ID]] threads(128)
  // CHECK-NEXT: hopper.tma_store %[[STAGING]] to %{{.*}}[%[[ROW:.*]], %[[ROW]]]
  // CHECK-NEXT: hopper.tma_store.wait read pending 1
  // CHECK-NEXT: hopper.tma_store.wait{{$}}
  %c3 = arith.constant 3 : index
  hopper.store_fragment %acc to %staging : !hopper.fragment<64x64xf32>, memref<4x64x16xbf16, 3>
  hopper.fence async_shared
  hopper.named_barrier %c3 threads(128)
  hopper.tma_store %staging to %d[%row, %row] : memref<4x64x16xbf16, 3> to !map_d
  hopper.tma_store.wait read pending 1
  hopper.tma_store.wait
}

// CHECK-LABEL: hopper.kernel @other_recipes
// CHECK:      problem<gemm, m = ?, n = 64, k = 1024, a = f8E5M2, b = f8E4M3FN, c = in_place, d = f32, sfa = mn_major, sfb = mn_major by 1>
hopper.kernel @other_recipes args(%a: memref<64x128xf8E5M2, 3>, %b: !tile, %sfa: memref<1xf32, 3>, %sfb: memref<64xf32, 3>,
    %c: memref<2x64x32xf32, strided<[4096, 32, 1]>, 3>, %d: !map_f32, %i: index) shared(%staging: memref<2x64x32xf32, 3>)
    problem<gemm, m = ?, n = 64, k = 1024, a = f8E5M2, b = f8E4M3FN,
      c = in_place, d = f32, sfa = mn_major, sfb = mn_major by 1> {
  // CHECK: hopper.mma %{{.*}}, %{{.*}} isolated : !tile_64x128_e5m2, !tile_64x128 -> <64x64xf32>
  // CHECK: hopper.load_scales %{{.*}} : !scales_1 -> <64 rows by 64>
  // CHECK: hopper.load_scales %{{.*}} : !scales_64 -> <64 columns by 1>
  // CHECK: %[[C:.*]] = hopper.load_fragment %{{.*}} : !view_2x64x32 -> <64x64xf32>
  // CHECK: %[[SUM:.*]] = arith.addf %[[C]], %{{.*}} : !hopper.fragment<64x64xf32>
  // CHECK: hopper.store_fragment %[[SUM]] to %{{.*}} : <64x64xf32>, !smem_2x64x32
  // CHECK: hopper.tma_store add %{{.*}} to %{{.*}}[%{{.*}}, %{{.*}}] : !smem_2x64x32
  hopper.fence wgmma
  %p = hopper.mma %a, %b isolated : memref<64x128xf8E5M2, 3>, !tile -> !hopper.fragment<64x64xf32>
  %rows = hopper.load_scales %sfa : memref<1xf32, 3> -> !hopper.scales<64 rows by 64>
  %columns = hopper.load_scales %sfb : memref<64xf32, 3> -> !hopper.scales<64 columns by 1>
  %done = hopper.mma.wait %p : !hopper.fragment<64x64xf32>
  %loaded = hopper.load_fragment %c : memref<2x64x32xf32, strided<[4096, 32, 1]>, 3> -> !hopper.fragment<64x64xf32>
  %sum = arith.addf %loaded, %done : !hopper.fragment<64x64xf32>
  hopper.store_fragment %sum to %staging : !hopper.fragment<64x64xf32>, memref<2x64x32xf32, 3>
  hopper.tma_store add %staging to %d[%i, %i] : memref<2x64x32xf32, 3> to !map_f32
}

// CHECK-LABEL: hopper.kernel @panels
hopper.kernel @panels args(%map: !map_d) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !hopper.ring<stages = 1, tma(c: memref<4x64x16xbf16, 3>), readers = 1>
  hopper.warp_specialize producer registers(40) {
    %slot, %panels = hopper.ring.acquire %ring by tma : !hopper.ring<stages = 1, tma(c: memref<4x64x16xbf16, 3>), readers = 1>
    // CHECK: hopper.tma_prefetch %{{.*}}[%{{.*}}, %{{.*}}] : !map
    hopper.tma_prefetch %map[%c0, %c0] : !map_d
    // CHECK: hopper.tma_load %{{.*}} to !smem_4x64x16
    hopper.tma_load %map[%c0, %c0] to %panels signal %slot : !map_d to memref<4x64x16xbf16, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}
