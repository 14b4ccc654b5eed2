// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<8x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma = [memref<8x128xf8E4M3FN, 3>], warps = [memref<40xf32, 3>], readers = 1>
!sfa = memref<?x4xf32, strided<[?, 1]>>

gpu.module @kernels {
  // A matrix is a pointer and its leading dimension.
  // CHECK-LABEL: llvm.func @fill(
  // CHECK-SAME:    %{{[^:]+}}: !llvm.ptr<1> {hopper.param = #hopper.param<matrix of sfa>}
  // CHECK-SAME:    %{{[^:]+}}: i32 {hopper.param = #hopper.param<leading_dimension of sfa>}
  // CHECK-SAME:    hopper.smem_bytes = 2592 : i64
  gpu.func @fill(%map: !map, %sfa: !sfa {hopper.param = #hopper.param<matrix of sfa>}, %m: index)
      kernel attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    %c0 = arith.constant 0 : index
    %true = arith.constant true
    %ring = hopper.ring.create : !ring
    hopper.warp_specialize producer registers(40) {
      %slot, %tile = hopper.ring.acquire %ring by tma at (%c0, %true) : !ring
      // CHECK: nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} box[%{{.+}}, %{{.+}}] : !llvm.ptr<7>
      hopper.tma_load %map[%m, %c0] to %tile signal %slot : !map to memref<8x128xf8E4M3FN, 3>
      hopper.ring.commit %slot
      hopper.yield
    } helper {
      // 40 scales: two a lane, the second guarded where the buffer ends.
      // CHECK-COUNT-2: llvm.load {{.*}} invariant
      %values = hopper.fetch_scales %sfa[%c0, %c0] count 40 step 1 per 1 limit %m : !sfa -> vector<2xf32>
      %slot, %scales = hopper.ring.acquire %ring by warps at (%c0, %true) : !ring
      // CHECK: llvm.store
      // CHECK: scf.if
      // CHECK: llvm.store
      hopper.put_scales %values to %scales : vector<2xf32>, memref<40xf32, 3>
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%group| {
      hopper.yield
    }
    gpu.return
  }
}
