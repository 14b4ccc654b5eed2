// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R4, R11, R31, R32, R42: rings that a cluster fills.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<16x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!tile = memref<32x128xf8E4M3FN, 3>
!share = memref<16x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
!ring = !hopper.ring<stages = 2, tma(x: !tile), readers = 1, cluster = 2>

gpu.module @m {
hopper.kernel @valid args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %rank = gpu.cluster_block_id x
  %first = arith.muli %rank, %c16 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  hopper.cluster_barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %t = hopper.ring.acquire %ring by tma : !ring
    %share = memref.subview %t[%first, 0] [16, 128] [1, 1] : !tile to !share
    hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to !share
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot, %t = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.cluster_barrier
    hopper.yield
  }
}

hopper.kernel @r31_gone_too_early args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %rank = gpu.cluster_block_id x
  %first = arith.muli %rank, %c16 : index
  // expected-error @+1 {{breaks R31: expected hopper.cluster_barrier in the consumers after the last access to a ring that the cluster fills, got none}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  hopper.cluster_barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %t = hopper.ring.acquire %ring by tma : !ring
    %share = memref.subview %t[%first, 0] [16, 128] [1, 1] : !tile to !share
    hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to !share
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot, %t = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r4_barrier_of_one_cta args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %rank = gpu.cluster_block_id x
  %first = arith.muli %rank, %c8 : index
  // expected-error @+2 {{breaks R31: expected hopper.cluster_barrier in the consumers after the last access to a ring that the cluster fills, got none}}
  // expected-error @+2 {{breaks R4: expected hopper.fence mbarrier_init and then hopper.cluster_barrier before the roles, got no barrier after the fence}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // The share of another rank: half of the buffer stays empty.
    // expected-error @+1 {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %t = hopper.ring.acquire %ring by tma : !ring
    %share = memref.subview %t[%first, 0] [16, 128] [1, 1] : !tile to !share
    hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to !share
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot, %t = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r32_barrier_before_the_end args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %rank = gpu.cluster_block_id x
  %first = arith.muli %rank, %c16 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  hopper.cluster_barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R32: expected a cluster barrier before the roles or in the consumers, got it in the producer}}
    hopper.cluster_barrier
    scf.for %i = %c0 to %n step %c1 {
      %slot, %t = hopper.ring.acquire %ring by tma : !ring
      %share = memref.subview %t[%first, 0] [16, 128] [1, 1] : !tile to !share
      hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to !share
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%g| {
    // expected-note @+1 {{the barrier}}
    hopper.cluster_barrier
    scf.for %i = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R32: expected no access to a ring after a cluster barrier of the consumers}}
      %slot, %t = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
      // expected-error @+1 {{breaks R32: expected a cluster barrier outside loops and conditions}}
      hopper.cluster_barrier
    }
    hopper.cluster_barrier
    hopper.yield
  }
}

// Two of the launch's four CTAs load and release each stage; all four are signalled.
hopper.kernel @r42_another_cluster args(%map: !map) launch<threads = 256, tile_m = 64, tile_n = 32, cluster_m = 4> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %rank = gpu.cluster_block_id x
  %first = arith.muli %rank, %c16 : index
  // expected-error @+1 {{breaks R42: expected the ring's cluster to be the launch's 4 CTAs, or 1, got 2}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  hopper.cluster_barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %t = hopper.ring.acquire %ring by tma : !ring
    %share = memref.subview %t[%first, 0] [16, 128] [1, 1] : !tile to !share
    hopper.tma_load %map[%first, %c0] to %share signal %slot multicast : !map to !share
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot, %t = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.cluster_barrier
    hopper.yield
  }
}
}
