// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R6 and R7: what each role may do.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @r6_consumer_loads args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    // expected-error @+2 {{breaks R6: expected to be in the producer, got consumers}}
    // expected-error @+1 {{breaks R12: expected a load to signal the slot that its buffer belongs to, got another}}
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r6_helper_loads args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } helper {
    // expected-error @+1 {{breaks R6: expected to be in the producer, got helper}}
    %s, %c = hopper.ring.acquire %ring by tma : !ring
    // expected-error @+1 {{breaks R6: expected to be in the producer, got helper}}
    hopper.tma_load %map[%c0, %c0] to %c signal %s : !map to !buffer
    hopper.ring.commit %s
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r6_producer_waits args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    // expected-error @+1 {{breaks R6: expected to be in the consumers, got producer}}
    %s, %c = hopper.ring.wait %ring : !ring
    // expected-error @+1 {{breaks R6: expected to be in the consumers, got producer}}
    hopper.ring.release %s
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r6_access_after_the_roles args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
  // expected-error @+1 {{breaks R6: expected to be in the consumers, got no role}}
  %slot, %b = hopper.ring.wait %ring : !ring
  // expected-error @+1 {{breaks R6: expected to be in the consumers, got no role}}
  hopper.ring.release %slot
}

hopper.kernel @r7_barrier_of_all_in_a_role args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    // expected-error @+1 {{breaks R7: expected no barrier of all threads inside a role}}
    gpu.barrier
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}
}
