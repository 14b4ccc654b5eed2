// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R25 to R30, R43: staging, named barriers and TMA stores.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!panels = memref<1x64x64xbf16, 3>
!acc = !hopper.fragment<64x64xf32>

gpu.module @m {
hopper.kernel @r25_overwritten args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    // expected-note @+1 {{this TMA store may still read it}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.tma_store.wait that covers the TMA store}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r25_overwritten_by_the_next_tile args(%map: !map, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.tma_store.wait that covers the TMA store}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-note @+1 {{this TMA store may still read it}}
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    hopper.tma_store.wait read
    hopper.yield
  }
}

// Only the thread that waited knows.
hopper.kernel @r25_no_barrier_after_the_wait args(%map: !map, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      hopper.tma_store.wait read
      // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.named_barrier after the wait of one thread}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-note @+1 {{this TMA store may still read it}}
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r25_wait_leaves_the_store_pending args(%map: !map, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      hopper.tma_store.wait read pending 1
      hopper.named_barrier %c1 threads(128)
      // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.tma_store.wait that covers the TMA store}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-note @+1 {{this TMA store may still read it}}
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r25_waits_on_one_path args(%map: !map, %n: index, %some: i1) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      scf.if %some {
        hopper.tma_store.wait read
      }
      hopper.named_barrier %c1 threads(128)
      // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.tma_store.wait that covers the TMA store}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-note @+1 {{this TMA store may still read it}}
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    hopper.tma_store.wait read
    hopper.yield
  }
}

// TMA might read what was there before.
hopper.kernel @r26_no_proxy_fence args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-note @+1 {{stored here}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.named_barrier %c1 threads(128)
    // expected-error @+1 {{breaks R26: expected hopper.fence async_shared between the store of a fragment and its TMA store, got none on some path}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r26_fence_before_the_store args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.fence async_shared
    // expected-note @+1 {{stored here}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.named_barrier %c1 threads(128)
    // expected-error @+1 {{breaks R26: expected hopper.fence async_shared}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// Thread 0 starts before the others have stored.
hopper.kernel @r27_no_barrier args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-note @+1 {{stored here}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    // expected-error @+1 {{breaks R27: expected hopper.named_barrier between the fence and the TMA store, got none on some path}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r27_barrier_before_the_fence args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-note @+1 {{stored here}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.named_barrier %c1 threads(128)
    hopper.fence async_shared
    // expected-error @+1 {{breaks R27: expected hopper.named_barrier between the fence and the TMA store}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// Both warpgroups come to barrier 1.
hopper.kernel @r28_shared_barrier_counts_one_group args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R28: expected the 256 threads that come to barrier 1, got 128}}
    hopper.named_barrier %c1 threads(128)
    hopper.yield
  }
}

// Each warpgroup comes to its own.
hopper.kernel @r28_own_barrier_counts_both_groups args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    %id = arith.addi %warpgroup, %c1 : index
    // expected-error @+2 {{breaks R28: expected the 128 threads that come to barrier 1, got 256}}
    // 1 + the number of the warpgroup.
    hopper.named_barrier %id threads(256)
    hopper.yield
  }
}

hopper.kernel @r28_barrier_of_gpu_barrier args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R28: expected 'id' to be in [1, 15], got 0 in warpgroup 0}}
    hopper.named_barrier %warpgroup threads(128)
    hopper.yield
  }
}

hopper.kernel @r28_barrier_unknown args(%n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R28: expected 'id' to be computed from constants and the warpgroup's number}}
    hopper.named_barrier %n threads(128)
    hopper.yield
  }
}

// Shared memory goes to the next CTA while TMA reads it.
hopper.kernel @r29_exits_while_storing args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    // expected-error @+1 {{breaks R29: expected hopper.tma_store.wait between a TMA store and the end of its role, got none on some path}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    // expected-note @+1 {{the role ends here}}
    hopper.yield
  }
}

hopper.kernel @r29_exits_while_storing_the_last_tile args(%map: !map, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      hopper.tma_store.wait read
      hopper.named_barrier %c1 threads(128)
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-error @+1 {{breaks R29: expected hopper.tma_store.wait between a TMA store and the end of its role, got none on some path}}
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    // expected-note @+1 {{the role ends here}}
    hopper.yield
  }
}

hopper.kernel @r30_nothing_stored args(%map: !map) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R30: expected a fragment to be stored to the staging before its TMA store, got none}}
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait
    hopper.yield
  }
}

hopper.kernel @r43_copied_on_one_path args(%map: !map, %some: i1) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-error @+1 {{breaks R43: expected a fragment that is stored to be copied to global memory, by a TMA store or hopper.store_rows of the same staging, got none on some path}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    scf.if %some {
      hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    }
    hopper.tma_store.wait read
    hopper.yield
  }
}

hopper.kernel @r43_last_iteration_alone args(%map: !map, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R43: expected a fragment that is stored to be copied to global memory, by a TMA store or hopper.store_rows of the same staging, got none on some path}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
    }
    hopper.tma_store %staging to %map[%c0, %c0] : !panels to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}
}
