// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R15 to R18: products in flight.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!tile = memref<64x128xf8E4M3FN, 3>
!ring = !hopper.ring<stages = 2, tma(x: !tile), readers = 1>
!acc = !hopper.fragment<64x64xf32>
!rows = !hopper.scales<64 rows by 1>
!columns = !hopper.scales<64 columns by 64>

gpu.module @m {
// The registers are not written yet.
hopper.kernel @r15_promote_in_flight args(%map: !map) shared(%x: memref<64xf32, 3>, %y: memref<1xf32, 3>) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    %rows = hopper.load_scales %x : memref<64xf32, 3> -> !rows
    %columns = hopper.load_scales %y : memref<1xf32, 3> -> !columns
    hopper.fence wgmma
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    // expected-error @+1 {{breaks R15: expected a partial in flight to be used only by hopper.mma.wait}}
    %s = hopper.promote %p scaled_by(%rows, %columns) into %p : !rows, !columns, !acc
    %d = hopper.mma.wait %p : !acc
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r15_never_waited args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    // expected-note @+2 {{still in flight}}
    // expected-error @+1 {{breaks R15: expected the partial to be waited for, got no hopper.mma.wait}}
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    // expected-error @+1 {{breaks R17: expected every mma that reads the stage to be waited for before its release}}
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r15_waited_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    %d = hopper.mma.wait %p : !acc
    // expected-error @+1 {{breaks R15: expected a partial to be waited for once, in the block of its mma}}
    %e = hopper.mma.wait %p : !acc
    hopper.ring.release %slot
    hopper.yield
  }
}

// ptxas would serialise it, and the reads are no longer tied to a slot.
hopper.kernel @r15_carried_in_flight args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    %d = hopper.mma.wait %p : !acc
    // expected-error @+1 {{breaks R15: expected a partial in flight to be used only by hopper.mma.wait}}
    %q = scf.for %k = %c0 to %c8 step %c1 iter_args(%old = %p) -> !acc {
      scf.yield %old : !acc
    }
    hopper.ring.release %slot
    hopper.yield
  }
}

// One group may still run, and it is this one.
hopper.kernel @r16_pending_covers_the_partial args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    // expected-note @+2 {{the partial}}
    // expected-note @+1 {{still in flight}}
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    // expected-error @+1 {{breaks R16: expected 'pending' to be at most the mma groups issued after the partial's, got 1}}
    %d = hopper.mma.wait %p pending 1 : !acc
    // expected-error @+1 {{breaks R17: expected every mma that reads the stage to be waited for before its release}}
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r17_released_in_flight args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    // expected-note @+1 {{still in flight}}
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    // expected-error @+1 {{breaks R17: expected every mma that reads the stage to be waited for before its release}}
    hopper.ring.release %slot
    %d = hopper.mma.wait %p : !acc
    hopper.yield
  }
}

hopper.kernel @r17_released_in_flight_through_a_view args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    %v = memref.subview %b[0, 0] [64, 128] [1, 1] : !tile to memref<64x128xf8E4M3FN, strided<[128, 1]>, 3>
    hopper.fence wgmma
    // expected-note @+1 {{still in flight}}
    %p = hopper.mma %v, %v : memref<64x128xf8E4M3FN, strided<[128, 1]>, 3>, memref<64x128xf8E4M3FN, strided<[128, 1]>, 3> -> !acc
    // expected-error @+1 {{breaks R17: expected every mma that reads the stage to be waited for before its release}}
    hopper.ring.release %slot
    %d = hopper.mma.wait %p : !acc
    hopper.yield
  }
}

// The wait covers the first product; the second still reads.
hopper.kernel @r17_older_wait_leaves_the_newer args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    // expected-note @+1 {{still in flight}}
    %q = hopper.mma %b, %b : !tile, !tile -> !acc
    %d = hopper.mma.wait %p pending 1 : !acc
    // expected-error @+1 {{breaks R17: expected every mma that reads the stage to be waited for before its release}}
    hopper.ring.release %slot
    %e = hopper.mma.wait %q : !acc
    hopper.yield
  }
}

hopper.kernel @r18_no_fence args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    // expected-error @+1 {{breaks R18: expected hopper.fence wgmma after the last access to accumulator registers, got none on some path}}
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    %d = hopper.mma.wait %p : !acc
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r18_promote_after_the_fence args(%map: !map) shared(%x: memref<64xf32, 3>, %y: memref<1xf32, 3>) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    %rows = hopper.load_scales %x : memref<64xf32, 3> -> !rows
    %columns = hopper.load_scales %y : memref<1xf32, 3> -> !columns
    hopper.fence wgmma
    %p = hopper.mma %b, %b : !tile, !tile -> !acc
    %d = hopper.mma.wait %p : !acc
    %s = hopper.promote %d scaled_by(%rows, %columns) into %d : !rows, !columns, !acc
    // expected-error @+1 {{breaks R18: expected hopper.fence wgmma after the last access to accumulator registers, got none on some path}}
    %q = hopper.mma %b, %b : !tile, !tile -> !acc
    %e = hopper.mma.wait %q : !acc
    hopper.ring.release %slot
    hopper.yield
  }
}

// The second iteration follows the first one's wait.
hopper.kernel @r18_fence_before_the_loop_alone args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !tile
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.fence wgmma
    scf.for %k = %c0 to %c8 step %c1 {
      // expected-error @+1 {{breaks R18: expected hopper.fence wgmma after the last access to accumulator registers, got none on some path}}
      %p = hopper.mma %b, %b : !tile, !tile -> !acc
      %d = hopper.mma.wait %p : !acc
    }
    hopper.ring.release %slot
    hopper.yield
  }
}
}
