// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R23 and R24: the roles access a ring equally often.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @r23_never_filled args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R23: expected the producer to access the ring, got no acquire}}
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r23_never_read args(%map: !map) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R23: expected the consumers to access the ring, got no wait}}
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
    hopper.yield
  }
}

hopper.kernel @r24_one_iteration_less args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
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
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %k = %c0 to %c7 step %c1 {
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got 7 where the producer has 8}}
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r24_two_an_iteration args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %n step %c1 {
      // expected-note @+1 {{in the other role}}
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %k = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got 2 where the producer has 1}}
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
      %s, %c = hopper.ring.wait %ring : !ring
      hopper.ring.release %s
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_bound args(%map: !map, %n: index, %l: index) {
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
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has a loop}}
    scf.for %k = %c0 to %l step %c1 {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_step args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{in the other role}}
    scf.for %k = %c0 to %n step %c1 {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has a loop}}
    scf.for %k = %c0 to %n step %c2 {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r24_consumers_skip args(%map: !map, %some: i1) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{in the other role}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has 1}}
    scf.if %some {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_condition args(%map: !map, %some: i1, %other: i1) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{in the other role}}
    scf.if %some {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has a condition}}
    scf.if %other {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

// As many in all if both loops run once: not known.
hopper.kernel @r24_loop_of_another_level args(%map: !map, %n: index, %l: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %n step %c1 {
      // expected-note @+1 {{in the other role}}
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %k = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has 1}}
      scf.for %j = %c0 to %l step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
    }
    hopper.yield
  }
}

hopper.kernel @r24_consumers_stop_early args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    %n = gpu.block_id x
    // expected-note @+1 {{in the other role}}
    scf.for %k = %c0 to %n step %c1 {
      %s, %c = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %c signal %s : !map to !buffer
      hopper.ring.commit %s
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got none where the producer has a loop}}
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r24_bounds_of_other_arithmetic args(%map: !map, %n: index, %l: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %bound = arith.minui %n, %l : index
    // expected-note @+1 {{in the other role}}
    scf.for %k = %c0 to %bound step %c1 {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %bound = arith.minui %n, %n : index
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has a loop}}
    scf.for %k = %c0 to %bound step %c1 {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_branch args(%map: !map, %some: i1) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.if %some {
    } else {
      // expected-note @+1 {{in the other role}}
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.if %some {
    } else {
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got 2 where the producer has 1}}
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
      %s, %c = hopper.ring.wait %ring : !ring
      hopper.ring.release %s
    }
    hopper.yield
  }
}
}
