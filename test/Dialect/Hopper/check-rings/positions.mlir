// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R19 to R22: stages and phases.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @r19_half_assigned args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    // expected-note @+1 {{this one does}}
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    // expected-error @+1 {{breaks R19: expected all accesses of a role to a ring to say their position, or none}}
    %slot1, %b1 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
    %slot1, %b1 = hopper.ring.wait %ring at(%s, %p) : !ring
    hopper.ring.release %slot1
    hopper.yield
  }
}

// It would wait for readers that have nothing to read.
hopper.kernel @r20_filler_starts_at_phase_false args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %false = arith.constant false
    // expected-error @+1 {{breaks R20: expected a filler to start at stage 0, phase true, got another phase}}
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %false) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// It would read before the first load has landed.
hopper.kernel @r20_reader_starts_at_phase_true args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %true = arith.constant true
    // expected-error @+1 {{breaks R20: expected a reader to start at stage 0, phase false, got another phase}}
    %slot, %b = hopper.ring.wait %ring at(%c0, %true) : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r20_reader_starts_at_phase_true_in_a_loop args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %true) -> (index, i1) {
      %slot, %b = hopper.ring.acquire %ring by tma at(%s, %p) : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      scf.yield %s1, %p1 : index, i1
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %true = arith.constant true
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %true) -> (index, i1) {
      // expected-error @+1 {{breaks R20: expected a reader to start at stage 0, phase false, got another phase}}
      %slot, %b = hopper.ring.wait %ring at(%s, %p) : !ring
      hopper.ring.release %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      scf.yield %s1, %p1 : index, i1
    }
    hopper.yield
  }
}

hopper.kernel @r20_starts_at_stage_1 args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    // expected-error @+1 {{breaks R20: expected a filler to start at stage 0, phase true, got another stage}}
    %slot, %b = hopper.ring.acquire %ring by tma at(%c1, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r21_not_advanced args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    // expected-error @+1 {{breaks R21: expected the stage to be advanced after every access, got that of an earlier one}}
    %slot1, %b1 = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
    %slot1, %b1 = hopper.ring.wait %ring at(%s, %p) : !ring
    hopper.ring.release %slot1
    hopper.yield
  }
}

// A stage is left out, and the readers wait for it.
hopper.kernel @r21_advanced_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    %s, %p = hopper.ring.advance %ring(%c0, %true) : !ring
    %s2, %p2 = hopper.ring.advance %ring(%s, %p) : !ring
    // expected-error @+1 {{breaks R21: expected the stage to be advanced once after an access, got it advanced 1 times more}}
    %slot1, %b1 = hopper.ring.acquire %ring by tma at(%s2, %p2) : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
    %slot1, %b1 = hopper.ring.wait %ring at(%s, %p) : !ring
    hopper.ring.release %slot1
    hopper.yield
  }
}

// Only the stage moves on: the wrap is missed.
hopper.kernel @r21_phase_not_advanced args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    %s, %p = hopper.ring.advance %ring(%c0, %true) : !ring
    // expected-error @+1 {{breaks R21: expected the phase to be advanced after every access, got that of an earlier one}}
    %slot1, %b1 = hopper.ring.acquire %ring by tma at(%s, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
    %slot1, %b1 = hopper.ring.wait %ring at(%s, %p) : !ring
    hopper.ring.release %slot1
    hopper.yield
  }
}

hopper.kernel @r21_not_advanced_in_the_loop args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %true) -> (index, i1) {
      // expected-error @+1 {{breaks R22: expected the loop to carry the position after its last access to this ring, got another}}
      %slot, %b = hopper.ring.acquire %ring by tma at(%s, %p) : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
      // expected-note @+1 {{yielded here}}
      scf.yield %s, %p : index, i1
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %false) -> (index, i1) {
      %slot, %b = hopper.ring.wait %ring at(%s, %p) : !ring
      hopper.ring.release %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      scf.yield %s1, %p1 : index, i1
    }
    hopper.yield
  }
}

hopper.kernel @r21_position_of_another_ring args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  %other = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %other : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    %s, %p = hopper.ring.advance %ring(%c0, %true) : !ring
    %slot1, %b1 = hopper.ring.acquire %other by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    %t, %q = hopper.ring.advance %other(%c0, %true) : !ring
    // expected-error @+1 {{breaks R21: expected a stage that was advanced along this ring, got one of another ring}}
    %slot2, %b2 = hopper.ring.acquire %ring by tma at(%t, %q) : !ring
    hopper.tma_load %map[%c0, %c0] to %b2 signal %slot2 : !map to !buffer
    hopper.ring.commit %slot2
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
    %slot1, %b1 = hopper.ring.wait %other at(%c0, %false) : !ring
    hopper.ring.release %slot1
    %slot2, %b2 = hopper.ring.wait %ring at(%s, %p) : !ring
    hopper.ring.release %slot2
    hopper.yield
  }
}

hopper.kernel @r21_position_of_unknown_origin args(%map: !map, %n: index) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    // expected-error @+1 {{breaks R21: expected a stage that was advanced along this ring, got one of unknown origin}}
    %slot, %b = hopper.ring.acquire %ring by tma at(%n, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// Every iteration would fill stage 0.
hopper.kernel @r22_not_carried_by_the_loop args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    scf.for %k = %c0 to %c8 step %c1 {
      // expected-error @+1 {{breaks R22: expected the stage to be carried by the loops and conditions around the accesses, got one from outside}}
      %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %false) -> (index, i1) {
      %slot, %b = hopper.ring.wait %ring at(%s, %p) : !ring
      hopper.ring.release %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      scf.yield %s1, %p1 : index, i1
    }
    hopper.yield
  }
}

// The inner loop carries the position, the tile loop forgets it.
hopper.kernel @r22_starts_anew_for_every_tile args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    scf.for %t = %c0 to %c8 step %c1 {
      %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %true) -> (index, i1) {
        // expected-error @+1 {{breaks R22: expected the stage to be carried by the loops and conditions around the accesses, got one from outside}}
        %slot, %b = hopper.ring.acquire %ring by tma at(%s, %p) : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
        %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
        scf.yield %s1, %p1 : index, i1
      }
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %o:2 = scf.for %t = %c0 to %c8 step %c1 iter_args(%os = %c0, %op = %false) -> (index, i1) {
      %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %os, %p = %op) -> (index, i1) {
        %slot, %b = hopper.ring.wait %ring at(%s, %p) : !ring
        hopper.ring.release %slot
        %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
        scf.yield %s1, %p1 : index, i1
      }
      scf.yield %r#0, %r#1 : index, i1
    }
    hopper.yield
  }
}

hopper.kernel @r22_yields_the_old_position args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %true) -> (index, i1) {
      %slot, %b = hopper.ring.acquire %ring by tma at(%s, %p) : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      scf.yield %s1, %p1 : index, i1
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %r:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %c0, %p = %false) -> (index, i1) {
      // expected-error @+1 {{breaks R22: expected the loop to carry the position after its last access to this ring, got another}}
      %slot, %b = hopper.ring.wait %ring at(%s, %p) : !ring
      hopper.ring.release %slot
      %s1, %p1 = hopper.ring.advance %ring(%s, %p) : !ring
      // expected-note @+1 {{yielded here}}
      scf.yield %s, %p1 : index, i1
    }
    hopper.yield
  }
}

// After the condition nobody knows where the ring stands.
hopper.kernel @r22_one_branch_alone args(%map: !map, %some: i1) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %true = arith.constant true
    scf.if %some {
      %slot, %b = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    // expected-error @+1 {{breaks R22: expected the stage to be carried by the loops and conditions around the accesses, got one from outside}}
    %slot1, %b1 = hopper.ring.acquire %ring by tma at(%c0, %true) : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %slot1 : !map to !buffer
    hopper.ring.commit %slot1
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %false = arith.constant false
    %o:2 = scf.if %some -> (index, i1) {
      %slot, %b = hopper.ring.wait %ring at(%c0, %false) : !ring
      hopper.ring.release %slot
      %s, %p = hopper.ring.advance %ring(%c0, %false) : !ring
      scf.yield %s, %p : index, i1
    } else {
      scf.yield %c0, %false : index, i1
    }
    %slot1, %b1 = hopper.ring.wait %ring at(%o#0, %o#1) : !ring
    hopper.ring.release %slot1
    hopper.yield
  }
}
}
