// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages)))' | FileCheck %s

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), warps(sfb: memref<1xf32, 3>), readers = 1>

gpu.module @m {
// Fillers start at phase true, readers at false; the loop carries the position.
// CHECK-LABEL: hopper.kernel @one_loop
// CHECK:      %[[RING:.*]] = hopper.ring.create
hopper.kernel @one_loop args(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  // CHECK:      producer
  // CHECK-NEXT:   %[[S0:.*]] = arith.constant 0 : index
  // CHECK-NEXT:   %[[P0:.*]] = arith.constant true
  // CHECK-NEXT:   scf.for {{.*}} iter_args(%[[S:.*]] = %[[S0]], %[[P:.*]] = %[[P0]])
  // CHECK-NEXT:     %[[SLOT:.*]], %{{.*}} = hopper.ring.acquire %[[RING]] by tma at(%[[S]], %[[P]])
  // CHECK-NEXT:     %[[S1:.*]], %[[P1:.*]] = hopper.ring.advance %[[RING]](%[[S]], %[[P]])
  // CHECK-NEXT:     hopper.ring.commit %[[SLOT]]
  // CHECK-NEXT:     scf.yield %[[S1]], %[[P1]]
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %n step %c1 {
      %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
      hopper.ring.commit %slot
    }
    hopper.yield
  } helper {
    // CHECK:      helper
    // CHECK-NEXT:   %[[S0:.*]] = arith.constant 0 : index
    // CHECK-NEXT:   %[[P0:.*]] = arith.constant true
    // CHECK-NEXT:   hopper.ring.acquire %[[RING]] by warps at(%[[S0]], %[[P0]])
    %slot, %buffer = hopper.ring.acquire %ring by warps : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // CHECK:      consumers
    // CHECK-NEXT:   %[[S0:.*]] = arith.constant 0 : index
    // CHECK-NEXT:   %[[P0:.*]] = arith.constant false
    // CHECK-NEXT:   hopper.ring.wait %[[RING]] at(%[[S0]], %[[P0]])
    // CHECK-NEXT:   hopper.ring.advance %[[RING]](%[[S0]], %[[P0]])
    %slot, %buffer:2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// The tile loop carries the position past the end of a tile, after the values that it carries already.
// CHECK-LABEL: hopper.kernel @nested_loops
hopper.kernel @nested_loops args(%tiles: index, %n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // CHECK: %[[OUTER:.*]]:3 = scf.for {{.*}} iter_args(%[[SUM:.*]] = %{{.*}}, %[[S:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}}) -> (f32, index, i1)
    %sum = scf.for %tile = %c0 to %tiles step %c1 iter_args(%old = %x) -> f32 {
      // CHECK-NEXT: %[[INNER:.*]]:2 = scf.for {{.*}} iter_args(%[[SI:.*]] = %[[S]], %[[PI:.*]] = %[[P]])
      // CHECK-NEXT:   hopper.ring.acquire %{{.*}} at(%[[SI]], %[[PI]])
      scf.for %k = %c0 to %n step %c1 {
        %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
        hopper.ring.commit %slot
      }
      // CHECK: %[[NEW:.*]] = arith.addf %[[SUM]]
      // CHECK-NEXT: scf.yield %[[NEW]], %[[INNER]]#0, %[[INNER]]#1
      %new = arith.addf %old, %x : f32
      scf.yield %new : f32
    }
    // A loop without an access carries nothing more.
    // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[OUTER]]#0) -> (f32)
    %product = scf.for %tile = %c0 to %tiles step %c1 iter_args(%old = %sum) -> f32 {
      %new = arith.mulf %old, %x : f32
      scf.yield %new : f32
    }
    // CHECK: hopper.ring.acquire %{{.*}} by tma at(%[[OUTER]]#1, %[[OUTER]]#2)
    %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// Two rings, one of them accessed twice an iteration.
// CHECK-LABEL: hopper.kernel @two_rings
// CHECK: %[[R:.*]] = hopper.ring.create
// CHECK: %[[Q:.*]] = hopper.ring.create
hopper.kernel @two_rings args(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring.create : !ring
  %q = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // CHECK: scf.for {{.*}} iter_args(%[[RS:.*]] = %{{.*}}, %[[RP:.*]] = %{{.*}}, %[[QS:.*]] = %{{.*}}, %[[QP:.*]] = %{{.*}})
    scf.for %k = %c0 to %n step %c1 {
      // CHECK: hopper.ring.wait %[[R]] at(%[[RS]], %[[RP]])
      // CHECK-NEXT: %[[RS1:.*]], %[[RP1:.*]] = hopper.ring.advance %[[R]](%[[RS]], %[[RP]])
      %s0, %b0:2 = hopper.ring.wait %r : !ring
      hopper.ring.release %s0
      // CHECK: hopper.ring.wait %[[Q]] at(%[[QS]], %[[QP]])
      // CHECK-NEXT: %[[QS1:.*]], %[[QP1:.*]] = hopper.ring.advance %[[Q]](%[[QS]], %[[QP]])
      %s1, %b1:2 = hopper.ring.wait %q : !ring
      hopper.ring.release %s1
      // CHECK: hopper.ring.wait %[[R]] at(%[[RS1]], %[[RP1]])
      // CHECK-NEXT: %[[RS2:.*]], %[[RP2:.*]] = hopper.ring.advance %[[R]](%[[RS1]], %[[RP1]])
      %s2, %b2:2 = hopper.ring.wait %r : !ring
      hopper.ring.release %s2
      // CHECK: scf.yield %[[RS2]], %[[RP2]], %[[QS1]], %[[QP1]]
    }
    hopper.yield
  }
}

// A branch without the access passes the position on; the first result stays first.
// CHECK-LABEL: hopper.kernel @condition
hopper.kernel @condition args(%b: i1, %x: f32) {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // CHECK: %[[S:.*]] = arith.constant 0 : index
    // CHECK: %[[P:.*]] = arith.constant true
    // CHECK: %[[IF:.*]]:3 = scf.if %{{.*}} -> (f32, index, i1) {
    %y = scf.if %b -> f32 {
      // CHECK: hopper.ring.acquire %{{.*}} at(%[[S]], %[[P]])
      // CHECK-NEXT: %[[S1:.*]], %[[P1:.*]] = hopper.ring.advance
      %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
      hopper.ring.commit %slot
      // CHECK: scf.yield %[[X:.*]], %[[S1]], %[[P1]]
      scf.yield %x : f32
    } else {
      // CHECK: scf.yield %[[X]], %[[S]], %[[P]]
      scf.yield %x : f32
    }
    // CHECK: %[[IF2:.*]]:2 = scf.if
    scf.if %b {
      // CHECK: at(%[[IF]]#1, %[[IF]]#2)
      %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
      hopper.ring.commit %slot
    }
    // CHECK: else
    // CHECK-NEXT: scf.yield %[[IF]]#1, %[[IF]]#2
    // CHECK: arith.addf %[[IF]]#0, %[[IF]]#0
    // CHECK: at(%[[IF2]]#0, %[[IF2]]#1)
    %z = arith.addf %y, %y : f32
    %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// What is assigned stays as it is.
// CHECK-LABEL: hopper.kernel @assigned
hopper.kernel @assigned args(%stage: index, %phase: i1) {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // CHECK: producer
    // CHECK-NEXT: hopper.ring.acquire %{{.*}} by tma at(%{{.*}}, %{{.*}})
    // CHECK-NEXT: hopper.ring.commit
    %slot, %buffer = hopper.ring.acquire %ring by tma at(%stage, %phase) : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @outside_roles args() {
  %ring = hopper.ring.create : !ring
  // expected-error @+1 {{expected a ring access to be in a role of 'hopper.warp_specialize'}}
  %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
}
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @half_assigned args(%stage: index, %phase: i1) {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{this one does}}
    %s0, %b0 = hopper.ring.acquire %ring by tma at(%stage, %phase) : !ring
    // expected-error @+1 {{expected all accesses of a role to a ring to say their position, or none}}
    %s1, %b1 = hopper.ring.acquire %ring by tma : !ring
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @in_while args(%b: i1) {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{expected ring accesses to be nested only in scf.for and scf.if}}
    scf.while : () -> () {
      scf.condition(%b)
    } do {
      %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
      scf.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @in_for_tiles args(%m: index) {
  %ring = hopper.ring.create : !ring
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{expected ring accesses to be nested only in scf.for and scf.if: run hopper-expand-tiles first}}
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %slot, %buffer = hopper.ring.acquire %ring by tma : !ring
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}
