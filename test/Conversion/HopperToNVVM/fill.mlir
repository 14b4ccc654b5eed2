// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<8x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(a: memref<8x128xf8E4M3FN, 3>), warps(sfb: memref<40xf32, 3>), readers = 1>
!sfa = memref<?x4xf32, strided<[?, 1]>>

gpu.module @kernels {
  // A matrix is a pointer and its leading dimension, of 64 bits.
  // CHECK:       hopper.entry @fill params [#hopper.param<tensor_map of none : !map_{{[0-9x]+}}>, #hopper.param<matrix of sfa>,
  // CHECK-SAME:    #hopper.param<leading_dimension of sfa>, #hopper.param<extent of m>]
  // CHECK-SAME:    launch <threads = 256, tile_m = 64, tile_n = 8> smem_bytes(2592){{$}}
  // CHECK-NEXT:  llvm.func @fill(%{{.+}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant},
  // CHECK-SAME:    %[[SFA:[a-z0-9]+]]: !llvm.ptr<1>, %[[LEADING:[a-z0-9]+]]: i64, %{{.+}}: i32)
  hopper.kernel @fill args(%map: !map, %sfa: !sfa of sfa, %m: index of m) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %c0 = arith.constant 0 : index
    %true = arith.constant true
    %ring = hopper.ring.create : !ring
    hopper.warp_specialize producer registers(40) {
      %slot, %tile = hopper.ring.acquire %ring by tma at (%c0, %true) : !ring
      // CHECK: nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} box[%{{.+}}, %{{.+}}] : !llvm.ptr<7>
      // Innermost coordinate first, as there.
      // CHECK: nvvm.cp.async.bulk.tensor.prefetch %{{.+}}, box[%[[COLUMN:.+]], %{{.+}}] : !llvm.ptr
      hopper.tma_load %map[%m, %c0] to %tile signal %slot : !map to memref<8x128xf8E4M3FN, 3>
      hopper.tma_prefetch %map[%m, %c0] : !map
      hopper.ring.commit %slot
      hopper.yield
    } helper {
      // 40 scales: two a lane, the second guarded where the buffer ends. A row may be anywhere: its address is computed
      // in 64 bits, that of a K block in it in 32.
      // CHECK: %[[ROW:.+]] = arith.extui %{{.+}} : i32 to i64
      // CHECK: %[[BEFORE:.+]] = arith.muli %[[ROW]], %[[LEADING]] : i64
      // CHECK: %[[SCALES:.+]] = llvm.getelementptr %[[SFA]][%[[BEFORE]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      // CHECK: %[[SCALE:.+]] = llvm.getelementptr %[[SCALES]][%{{.+}}] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      // CHECK: llvm.load %[[SCALE]] invariant
      // CHECK: arith.muli %{{.+}}, %[[LEADING]] : i64
      // CHECK: llvm.load {{.*}} invariant
      // CHECK-NOT: llvm.load
      %values = hopper.fetch_scales %sfa[%c0, %c0] count 40 step 1 per 1 limit %m : !sfa -> vector<2xf32>
      %slot, %scales = hopper.ring.acquire %ring by warps at (%c0, %true) : !ring
      // CHECK: llvm.store
      // CHECK: scf.if
      // CHECK: llvm.store
      hopper.put_scales %values to %scales : vector<2xf32>, memref<40xf32, 3>
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      hopper.yield
    }
  }

  // Consecutive rows: the address of a K block's scales, of a group, serves them all.
  // CHECK-LABEL: llvm.func @side_by_side(
  // CHECK-SAME:    %[[SFB:[a-z0-9]+]]: !llvm.ptr<1>, %[[LEADING:[a-z0-9]+]]: i64, %[[STRIDE:[a-z0-9]+]]: i64,
  hopper.kernel @side_by_side args(%sfb: memref<?x40x4xf32, strided<[?, 1, ?]>>, %k: index, %group: index)
      launch<threads = 256, tile_m = 64, tile_n = 8> {
    // CHECK:       %[[GROUP:.+]] = arith.muli %{{.+}}, %[[STRIDE]] : i64
    // CHECK:       %[[OF_GROUP:.+]] = llvm.getelementptr %[[SFB]][%[[GROUP]]] : (!llvm.ptr<1>, i64)
    // CHECK:       %[[BLOCK:.+]] = arith.muli %{{.+}}, %[[LEADING]] : i64
    // CHECK:       %[[SCALES:.+]] = llvm.getelementptr %[[OF_GROUP]][%[[BLOCK]]] : (!llvm.ptr<1>, i64)
    // CHECK-NOT:   i64
    // CHECK:       llvm.getelementptr %[[SCALES]][%{{.+}}] : (!llvm.ptr<1>, i32)
    // CHECK:       llvm.getelementptr %[[SCALES]][%{{.+}}] : (!llvm.ptr<1>, i32)
    %values = hopper.fetch_scales %sfb[%k, %k] of %group count 40 step 1 per 1 limit %k : memref<?x40x4xf32, strided<[?, 1, ?]>> -> vector<2xf32>
  }
}
