// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R33 and R34: the stream's other kernels.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!table = memref<2x4xi32, 3>

gpu.module @m {
hopper.kernel @waits_first args(%ends: memref<1xi32>, %rows: index) shared(%table: !table) {
  hopper.griddepcontrol wait
  hopper.griddepcontrol launch_dependents
  hopper.scan_groups %ends by row_end align(1) limit %rows chunk(128) to %table : memref<1xi32> to !table
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @r33_reads_before args(%ends: memref<1xi32>, %rows: index) shared(%table: !table) {
  // expected-error @+1 {{breaks R33: expected no use of global memory before the wait for earlier kernels}}
  hopper.scan_groups %ends by row_end align(1) limit %rows chunk(128) to %table : memref<1xi32> to !table
  // expected-note @+1 {{the wait}}
  hopper.griddepcontrol wait
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @r33_in_a_role args() {
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R33: expected the wait for earlier kernels at the kernel's top level, before the roles}}
    hopper.griddepcontrol wait
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @r33_twice args() {
  // expected-note @+1 {{the first}}
  hopper.griddepcontrol wait
  // expected-error @+1 {{breaks R33: expected one wait for earlier kernels, got a second}}
  hopper.griddepcontrol wait
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @r34_before_the_wait args() {
  // expected-error @+1 {{breaks R34: expected hopper.griddepcontrol wait before the next kernel may start, got none}}
  hopper.griddepcontrol launch_dependents
  hopper.griddepcontrol wait
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @r34_without_a_wait args() {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R34: expected hopper.griddepcontrol wait before the next kernel may start, got none}}
    hopper.griddepcontrol launch_dependents
    hopper.yield
  }
}
}
