// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R6, R13: buffers that warps fill.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!ring = !hopper.ring<stages = 2, warps(sfb: memref<1xf32, 3>), readers = 1>

gpu.module @m {
// The readers would read what the last round left.
hopper.kernel @r13_not_put args() {
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } helper {
    // expected-error @+1 {{breaks R13: expected every buffer to be put, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by warps : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r13_put_after_commit args() {
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } helper {
    %v = arith.constant dense<1.0> : vector<1xf32>
    // expected-error @+1 {{breaks R13: expected every buffer to be put, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by warps : !ring
    // expected-note @+1 {{the slot ends here}}
    hopper.ring.commit %slot
    // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used before its 'hopper.ring.commit', got a use after it}}
    hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r13_put_twice args() {
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } helper {
    %v = arith.constant dense<1.0> : vector<1xf32>
    %slot, %b = hopper.ring.acquire %ring by warps : !ring
    hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
    // expected-error @+1 {{breaks R13: expected a buffer to be put once before the commit, got a second time}}
    hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r6_producer_fills_for_warps args() {
  // expected-error @+1 {{breaks R23: expected the helper to access the ring, got no acquire}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %v = arith.constant dense<1.0> : vector<1xf32>
    // expected-error @+1 {{breaks R6: expected to be in the helper, got producer}}
    %slot, %b = hopper.ring.acquire %ring by warps : !ring
    // expected-error @+1 {{breaks R6: expected to be in the helper, got producer}}
    hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}
}
