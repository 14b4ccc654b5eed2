// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R35, R36: two rings are accessed in one order, and what is held leaves room for the others.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
// The consumers wait for a stage of %b that follows the third of %a, which waits for them.
hopper.kernel @r35_opposite_orders args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %a = hopper.ring.create : !ring
  %b = hopper.ring.create : !ring
  hopper.ring.init %a : !ring
  hopper.ring.init %b : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-note @+2 {{in the other role}}
    scf.for %i = %c0 to %c3 step %c1 {
      %slot, %t = hopper.ring.acquire %a by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    %slot, %t = hopper.ring.acquire %b by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%g| {
    // expected-error @+1 {{breaks R35: expected the consumers to access both rings in the order of the producer, got another}}
    %slot, %t = hopper.ring.wait %b : !ring
    hopper.ring.release %slot
    scf.for %i = %c0 to %c3 step %c1 {
      %slot_a, %t_a = hopper.ring.wait %a : !ring
      hopper.ring.release %slot_a
    }
    hopper.yield
  }
}

// In each iteration first %a, then %b; but the consumers take all of %a first.
hopper.kernel @r35_loops_apart args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = hopper.ring.create : !ring
  %b = hopper.ring.create : !ring
  hopper.ring.init %a : !ring
  hopper.ring.init %b : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %i = %c0 to %n step %c1 {
      %slot, %t = hopper.ring.acquire %a by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
      hopper.ring.commit %slot
      // expected-note @+1 {{in the other role}}
      %slot_b, %t_b = hopper.ring.acquire %b by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t_b signal %slot_b : !map to !buffer
      hopper.ring.commit %slot_b
    }
    hopper.yield
  } consumers(1) registers(232) |%g| {
    scf.for %i = %c0 to %n step %c1 {
      %slot, %t = hopper.ring.wait %a : !ring
      hopper.ring.release %slot
    }
    // expected-error @+1 {{breaks R35: expected the consumers to access both rings in the order of the producer, got another}}
    scf.for %i = %c0 to %n step %c1 {
      %slot, %t = hopper.ring.wait %b : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

// The producer gives %a's stage on when %b has room; the consumers make room when %a's stage is there.
hopper.kernel @r36_stage_of_another_ring args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = hopper.ring.create : !ring
  %b = hopper.ring.create : !ring
  hopper.ring.init %a : !ring
  hopper.ring.init %b : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %i = %c0 to %n step %c1 {
      // expected-note @+1 {{still held}}
      %slot, %t = hopper.ring.acquire %a by tma : !ring
      // expected-error @+1 {{breaks R36: expected no stage of another ring to be held while a role waits for a stage}}
      %slot_b, %t_b = hopper.ring.acquire %b by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
      hopper.ring.commit %slot
      hopper.tma_load %map[%c0, %c0] to %t_b signal %slot_b : !map to !buffer
      hopper.ring.commit %slot_b
    }
    hopper.yield
  } consumers(1) registers(232) |%g| {
    scf.for %i = %c0 to %n step %c1 {
      %slot, %t = hopper.ring.wait %a : !ring
      hopper.ring.release %slot
      %slot_b, %t_b = hopper.ring.wait %b : !ring
      hopper.ring.release %slot_b
    }
    hopper.yield
  }
}

// Each holds one of two stages and waits for the other's: 0 is released after 1, which is committed after 2.
hopper.kernel @r36_both_hold args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R36: expected the stages that a filler and a reader hold and wait for to be at most the ring's 2 and one, got 2 and 2}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot0, %t0 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %t0 signal %slot0 : !map to !buffer
    hopper.ring.commit %slot0
    %slot1, %t1 = hopper.ring.acquire %ring by tma : !ring
    %slot2, %t2 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %t1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.tma_load %map[%c0, %c0] to %t2 signal %slot2 : !map to !buffer
    hopper.ring.commit %slot2
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot0, %t0 = hopper.ring.wait %ring : !ring
    %slot1, %t1 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot0
    hopper.ring.release %slot1
    %slot2, %t2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot2
    hopper.yield
  }
}

// The first stage is held, though at no time are more than two: the third waits for it.
hopper.kernel @r36_oldest_held args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // expected-error @+1 {{breaks R36: expected the stages that a filler and a reader hold and wait for to be at most the ring's 2 and one, got 1 and 3}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %i = %c0 to %c3 step %c1 {
      %slot, %t = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %slot0, %t0 = hopper.ring.wait %ring : !ring
    %slot1, %t1 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot1
    %slot2, %t2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot2
    hopper.ring.release %slot0
    hopper.yield
  }
}

hopper.kernel @r36_held_around_a_loop args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %i = %c0 to %c3 step %c1 {
      %slot, %t = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %t signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%g| {
    // expected-note @+1 {{still held}}
    %slot0, %t0 = hopper.ring.wait %ring : !ring
    scf.for %i = %c0 to %c2 step %c1 {
      // expected-error @+1 {{breaks R36: expected a stage to be waited for in the block of those that are held, got it in an inner one}}
      %slot, %t = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.ring.release %slot0
    hopper.yield
  }
}
}
