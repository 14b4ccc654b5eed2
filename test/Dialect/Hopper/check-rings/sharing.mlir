// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R30, R40, R41: what consumer warpgroups have in common.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!staging = memref<3x1x64x64xbf16, 3>
!panels = memref<1x64x64xbf16, strided<[4096, 64, 1], offset: ?>, 3>
!acc = !hopper.fragment<64x64xf32>

gpu.module @m {
hopper.kernel @valid args(%map: !map) shared(%staging: !staging) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    %id = arith.addi %g, %c1 : index
    %mine = memref.subview %staging[%id, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : !staging to !panels
    hopper.store_fragment %acc to %mine : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %id threads(128)
    hopper.tma_store %mine to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// The first warpgroup's barrier says nothing of what the second one writes.
hopper.kernel @r40_one_staging args(%map: !map, %i: index) shared(%staging: !staging) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    %id = arith.addi %g, %c1 : index
    %ours = memref.subview %staging[%i, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : !staging to !panels
    // expected-note @+2 {{the other's access}}
    // expected-error @+1 {{breaks R40: expected warpgroups with barriers of their own to have staging of their own, got warpgroups 0 and 1 at one place}}
    hopper.store_fragment %acc to %ours : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %id threads(128)
    hopper.tma_store %ours to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// Warpgroup 0 reads the staging that warpgroup 1 writes.
hopper.kernel @r40_neighbour args(%map: !map) shared(%staging: !staging) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    %id = arith.addi %g, %c1 : index
    %mine = memref.subview %staging[%g, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : !staging to !panels
    %next = memref.subview %staging[%id, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : !staging to !panels
    // expected-error @+1 {{breaks R40: expected warpgroups with barriers of their own to have staging of their own, got warpgroups 0 and 1 at one place}}
    hopper.store_fragment %acc to %mine : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %id threads(128)
    hopper.tma_store %mine to %map[%c0, %c0] : !panels to !map
    // expected-note @+2 {{the other's access}}
    // expected-error @+1 {{breaks R30: expected a fragment to be stored to the staging before its TMA store, got none}}
    hopper.tma_store %next to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// Where all come to each barrier, it covers all.
hopper.kernel @shared_barriers args(%map: !map, %i: index) shared(%staging: !staging) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    %ours = memref.subview %staging[%i, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : !staging to !panels
    hopper.store_fragment %acc to %ours : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(256)
    hopper.tma_store %ours to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r41_under_a_condition args() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %first = arith.cmpi eq, %g, %c0 : index
    // expected-note @+1 {{this differs between warpgroups}}
    scf.if %first {
      // expected-error @+1 {{breaks R41: expected a barrier that warpgroups share outside of what depends on the warpgroup's number}}
      hopper.named_barrier %c1 threads(256)
    }
    hopper.yield
  }
}

hopper.kernel @r41_in_a_loop args(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %end = scf.for %i = %c0 to %n step %c1 iter_args(%carried = %g) -> index {
      %next = arith.addi %carried, %c1 : index
      scf.yield %next : index
    }
    // expected-note @+1 {{this differs between warpgroups}}
    scf.for %i = %c0 to %end step %c1 {
      // expected-error @+1 {{breaks R41: expected a barrier that warpgroups share outside of what depends on the warpgroup's number}}
      hopper.named_barrier %c1 threads(256)
    }
    hopper.yield
  }
}

// The parts of one warpgroup are told apart: of the second nothing was stored.
hopper.kernel @r30_other_part args(%map: !map) shared(%staging: memref<4x1x64x64xbf16, 3>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%g| {
    %acc = arith.constant dense<0.0> : !acc
    %id = arith.addi %g, %c1 : index
    %i = arith.muli %g, %c2 : index
    %j = arith.addi %i, %c1 : index
    %first = memref.subview %staging[%i, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : memref<4x1x64x64xbf16, 3> to !panels
    %second = memref.subview %staging[%j, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : memref<4x1x64x64xbf16, 3> to !panels
    hopper.store_fragment %acc to %first : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %id threads(128)
    hopper.tma_store %first to %map[%c0, %c0] : !panels to !map
    // expected-error @+1 {{breaks R30: expected a fragment to be stored to the staging before its TMA store, got none}}
    hopper.tma_store %second to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}
}
