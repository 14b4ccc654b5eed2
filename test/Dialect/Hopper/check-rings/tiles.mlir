// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R24 before hopper-expand-tiles: roles walk the tiles of one value; and after it: the same arithmetic.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @valid args(%map: !map, %m: index) {
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %number, %end = hopper.locate %tile
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%row, %column] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%group| {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
      hopper.yield
    }
    hopper.yield
  }
}

// Where a tile is found again, it is in the same place: so both roles have the same condition.
hopper.kernel @condition_on_a_tile args(%map: !map, %m: index) {
  %zero = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %work = hopper.tiles %m of <batched, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      %is_first = arith.cmpi eq, %group, %zero : index
      scf.if %is_first {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%row, %column] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
      }
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      %is_first = arith.cmpi eq, %group, %zero : index
      scf.if %is_first {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      hopper.yield
    }
    hopper.yield
  }
}

// The number of K blocks is known from hopper.tiles, so that a loop may as well have a constant bound.
hopper.kernel @k_count_and_constant args(%map: !map, %m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bound = arith.constant 4 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      scf.for %k = %c0 to %k_count step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%row, %column] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
      }
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      scf.for %k = %c0 to %bound step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      hopper.yield
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_k_count args(%map: !map, %m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bound = arith.constant 3 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      scf.for %k = %c0 to %k_count step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring // expected-note {{in the other role}}
        hopper.tma_load %map[%row, %column] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
      }
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      scf.for %k = %c0 to %bound step %c1 {
        // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got 3 where the producer has 4}}
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      hopper.yield
    }
    hopper.yield
  }
}

hopper.kernel @r24_other_tiles args(%map: !map, %m: index) {
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  %fewer = hopper.tiles %m of <plain, tile_m = 128, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.warp_specialize producer registers(40) {
    // expected-note @+1 {{in the other role}}
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %number, %end = hopper.locate %tile
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%row, %column] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%group| {
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a loop where the producer has a loop}}
    hopper.for_tiles %fewer |%tile, %begin, %k_begin, %k_count| {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
      hopper.yield
    }
    hopper.yield
  }
}
}
