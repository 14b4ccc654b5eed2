// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule R39: accumulators that meet in distributed shared memory.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!acc = !hopper.fragment<64x32xf32>
!exchange = memref<4x128x4xf32, 3>
#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 32, split_k = 2>

gpu.module @m {
// Rank 1 stores nothing: it only stays.
hopper.kernel @valid args(%first: i1) shared(%exchange: !exchange) launch #launch {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.put_fragment %acc to %exchange : !acc, !exchange
    hopper.cluster_barrier
    scf.if %first {
      %sum = hopper.reduce_fragments %exchange ranks(2) : !exchange -> !acc
    }
    hopper.cluster_barrier
    hopper.yield
  }
}

hopper.kernel @r39_no_barrier_before_the_sum args() shared(%exchange: !exchange) {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-note @+1 {{put here}}
    hopper.put_fragment %acc to %exchange : !acc, !exchange
    // expected-error @+1 {{breaks R39: expected hopper.cluster_barrier between a fragment that is put and the sum, got none on some path}}
    %sum = hopper.reduce_fragments %exchange ranks(2) : !exchange -> !acc
    hopper.cluster_barrier
    hopper.yield
  }
}

hopper.kernel @r39_gone_while_it_is_read args(%first: i1) shared(%exchange: !exchange) {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.put_fragment %acc to %exchange : !acc, !exchange
    hopper.cluster_barrier
    scf.if %first {
      // expected-error @+1 {{breaks R39: expected hopper.cluster_barrier between a reduction of fragments and the end of its role, got none on some path}}
      %sum = hopper.reduce_fragments %exchange ranks(2) : !exchange -> !acc
    }
    // expected-note @+1 {{the role ends here}}
    hopper.yield
  }
}

hopper.kernel @r39_overwritten_while_it_is_read args() shared(%exchange: !exchange) {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.put_fragment %acc to %exchange : !acc, !exchange
    hopper.cluster_barrier
    // expected-note @+1 {{other CTAs may still read it}}
    %sum = hopper.reduce_fragments %exchange ranks(2) : !exchange -> !acc
    // expected-error @+1 {{breaks R39: expected hopper.cluster_barrier between a reduction of fragments and the next that is put there, got none on some path}}
    hopper.put_fragment %sum to %exchange : !acc, !exchange
    hopper.cluster_barrier
    hopper.yield
  }
}

hopper.kernel @r39_nothing_put args() shared(%exchange: !exchange, %other: !exchange) {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.put_fragment %acc to %other : !acc, !exchange
    hopper.cluster_barrier
    // expected-error @+1 {{breaks R39: expected a fragment to be put there before the sum, got none}}
    %sum = hopper.reduce_fragments %exchange ranks(2) : !exchange -> !acc
    hopper.cluster_barrier
    hopper.yield
  }
}

hopper.kernel @r39_another_cluster args() shared(%exchange: !exchange) launch #launch {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.put_fragment %acc to %exchange : !acc, !exchange
    hopper.cluster_barrier
    // expected-error @+1 {{breaks R39: expected 'ranks' to be the 2 CTAs of the launch's cluster, got 4}}
    %sum = hopper.reduce_fragments %exchange ranks(4) : !exchange -> !acc
    hopper.cluster_barrier
    hopper.yield
  }
}
}
