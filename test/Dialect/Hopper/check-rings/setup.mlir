// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R1 to R5: what comes before the roles.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @r1_ring_without_roles args() {
  // expected-error @+1 {{breaks R1: expected a ring to be used by the roles of a hopper.warp_specialize, got none}}
  %ring = hopper.ring.create : !ring
}

hopper.kernel @r1_second_roles args() {
  // expected-note @+1 {{the first}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  // expected-error @+1 {{breaks R1: expected one hopper.warp_specialize per kernel, got a second}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r1_nested_roles args(%b: i1) {
  scf.if %b {
    // expected-error @+1 {{breaks R1: expected the roles to start at the kernel's top level}}
    hopper.warp_specialize producer registers(40) {
      hopper.yield
    } consumers(1) registers(232) |%g| {
      hopper.yield
    }
  }
}

hopper.kernel @r2_ring_made_in_a_role args() {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+2 {{breaks R2: expected a ring to be created at the kernel's top level, before the roles}}
    // expected-error @+1 {{breaks R23: expected the producer to access the ring}}
    %ring = hopper.ring.create : !ring
    // expected-error @+1 {{breaks R3: expected a ring to be initialised at the kernel}}
    hopper.ring.init %ring : !ring
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r3_never_initialised args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R3: expected a ring to be initialised before the roles, got no hopper.ring.init}}
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r3_initialised_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  // expected-note @+1 {{the first time}}
  hopper.ring.init %ring : !ring
  // expected-error @+1 {{breaks R3: expected a ring to be initialised once, got a second time}}
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r3_initialised_after_the_roles args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
  // expected-error @+1 {{breaks R3: expected a ring to be initialised at the kernel's top level, before the roles}}
  hopper.ring.init %ring : !ring
}

hopper.kernel @r4_no_fence args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  // expected-error @+1 {{breaks R4: expected hopper.fence mbarrier_init and then gpu.barrier before the roles, got no fence}}
  hopper.ring.init %ring : !ring
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r4_no_barrier args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  // expected-error @+1 {{breaks R4: expected hopper.fence mbarrier_init and then gpu.barrier before the roles, got no barrier after the fence}}
  hopper.ring.init %ring : !ring
  gpu.barrier
  hopper.fence mbarrier_init
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r4_fence_before_the_initialisation args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.fence mbarrier_init
  // expected-error @+1 {{breaks R4: expected hopper.fence mbarrier_init and then gpu.barrier before the roles, got no fence}}
  hopper.ring.init %ring : !ring
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// Two consumers release, one is counted: the second release completes a phase too early.
hopper.kernel @r5_readers args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R5: expected the ring's readers to be the 2 consumers, got 1}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r2_ring_of_the_caller args(%ring: !ring) {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R2: expected the ring to be the result of a hopper.ring.create, got another value}}
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}
}
