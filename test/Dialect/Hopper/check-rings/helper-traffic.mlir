// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R23 and R24, of a ring that two roles fill.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), warps(sfb: memref<1xf32, 3>), readers = 1>
!buffer = memref<32xf32, 3>
!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
// The full barrier waits for two arrivals and gets one.
hopper.kernel @r23_helper_missing args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R23: expected the helper to access the ring, got no acquire}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b:2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r24_helper_fills_less args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %c8 step %c1 {
      // expected-note @+1 {{in the other role}}
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } helper {
    %v = arith.constant dense<1.0> : vector<1xf32>
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the helper as in the producer, got 1 where the producer has 8}}
    %slot, %b = hopper.ring.acquire %ring by warps : !ring
    hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %k = %c0 to %c8 step %c1 {
      %slot, %b:2 = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}
}
