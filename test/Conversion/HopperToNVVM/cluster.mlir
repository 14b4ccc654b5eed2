// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<16x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 3, tma(a: memref<32x128xf8E4M3FN, 3>), readers = 1, cluster = 2>

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @multicast(
  // CHECK-SAME:    nvvm.cluster_dim = array<i32: 2, 1, 1>
  hopper.kernel @multicast args(%map: !map) launch<threads = 256, tile_m = 64, tile_n = 32, cluster_m = 2> {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %true = arith.constant true
    %ring = hopper.ring.create : !ring
    // One warp of each of two CTAs releases: 4 warps of 1 reader, twice.
    // CHECK-DAG:   %[[EMPTY:.+]] = llvm.getelementptr %{{.+}}[12312]
    // CHECK-DAG:   %[[READS:.+]] = arith.constant 8 : i32
    // CHECK:       nvvm.mbarrier.init %[[EMPTY]], %[[READS]]
    hopper.ring.init %ring : !ring
    hopper.fence mbarrier_init
    // CHECK:       nvvm.cluster.arrive
    // CHECK-NEXT:  nvvm.cluster.wait
    hopper.cluster_barrier
    // CHECK:       nvvm.read.ptx.sreg.cluster.ctaid.x
    %rank = gpu.cluster_block_id x
    %first = arith.muli %rank, %c16 : index
    hopper.warp_specialize producer registers(40) {
      // The bytes of both CTAs' shares land here: 32 x 128.
      // CHECK:       %[[BYTES:.+]] = arith.constant 4096 : i32
      // CHECK-NEXT:  nvvm.mbarrier.arrive.expect_tx %{{.+}}, %[[BYTES]]
      %slot, %tile = hopper.ring.acquire %ring by tma at (%c0, %true) : !ring
      %share = memref.subview %tile[%first, 0] [16, 128] [1, 1] : memref<32x128xf8E4M3FN, 3> to memref<16x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
      // CHECK:       %[[BOTH:.+]] = arith.constant 3 : i16
      // CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} multicast_mask = %[[BOTH]]
      hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to memref<16x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      %slot, %tile = hopper.ring.wait %ring at (%c0, %true) : !ring
      // CHECK:       nvvm.bar.warp.sync
      // CHECK:       llvm.inline_asm {{.*}}mapa.shared::cluster{{.*}}mbarrier.arrive.shared::cluster
      hopper.ring.release %slot
      // CHECK:       nvvm.cluster.arrive{{$}}
      // CHECK-NEXT:  nvvm.cluster.wait
      hopper.cluster_barrier
      hopper.yield
    }
  }

  // CHECK-LABEL: llvm.func @split_k(
  hopper.kernel @split_k args() shared(%exchange: memref<4x128x4xf32, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 32, split_k = 2> {
    %c2 = arith.constant 2 : index
    hopper.warp_specialize producer registers(40) {
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      // CHECK-COUNT-4:  llvm.store %{{.+}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>
      %acc = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      hopper.put_fragment %acc to %exchange : <64x32xf32>, memref<4x128x4xf32, 3>
      // CHECK:          nvvm.cluster.arrive{{$}}
      hopper.cluster_barrier
      %part = memref.subview %exchange[%c2, 0, 0] [2, 128, 4] [1, 1, 1] : memref<4x128x4xf32, 3> to memref<2x128x4xf32, strided<[512, 4, 1], offset: ?>, 3>
      // Rank 0, then rank 1: the order of the sum.
      // CHECK:          %[[RANK0:.+]] = arith.constant 0 : i32
      // CHECK-NEXT:     %[[REMOTE0:.+]] = nvvm.mapa %[[OWN:.+]], %[[RANK0]]
      // CHECK-NEXT:     llvm.load %[[REMOTE0]]
      // CHECK:          %[[REMOTE1:.+]] = nvvm.mapa %[[OWN]], %c1_i32
      // CHECK-NEXT:     llvm.load %[[REMOTE1]]
      // CHECK-COUNT-8:  arith.addf
      // CHECK-NOT:      arith.addf
      %sum = hopper.reduce_fragments %part ranks(2) : memref<2x128x4xf32, strided<[512, 4, 1], offset: ?>, 3> -> <64x16xf32>
      // CHECK-COUNT-8:  arith.maximumf
      // CHECK-NOT:      arith.maximumf
      %largest = hopper.reduce_fragments %part ranks(2) max : memref<2x128x4xf32, strided<[512, 4, 1], offset: ?>, 3> -> <64x16xf32>
      // Others only read here, so the last barrier publishes nothing.
      // CHECK:          nvvm.cluster.arrive.relaxed
      // CHECK-NEXT:     nvvm.cluster.wait
      hopper.cluster_barrier
      hopper.yield
    }
  }
}
