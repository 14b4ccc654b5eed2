// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R24 after hopper-unroll: a loop whose bounds are no constants, and the rest of it, are one loop.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-unroll,hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-unroll,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!a = memref<64x128xf8E4M3FN, 3>
!ring = !hopper.ring<stages = 2, tma(x: !a), readers = 1>
!acc = !hopper.fragment<64x64xf32>

gpu.module @m {
hopper.kernel @valid args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %n step %c1 {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !a
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) unroll(4) |%warpgroup| {
    scf.for %k = %c0 to %n step %c1 {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.fence wgmma
      %p = hopper.mma %b, %b : !a, !a -> !acc
      %done = hopper.mma.wait %p : !acc
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

// The rest of another loop does not make it whole.
hopper.kernel @r24_other_rest args(%map: !map, %n: index, %l: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{in the other role}}
    scf.for %k = %c0 to %n step %c1 {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !a
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) unroll(4) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has a loop}}
    scf.for %k = %c0 to %l step %c1 {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.fence wgmma
      %p = hopper.mma %b, %b : !a, !a -> !acc
      %done = hopper.mma.wait %p : !acc
      hopper.ring.release %slot
    }
    hopper.yield
  }
}
}
