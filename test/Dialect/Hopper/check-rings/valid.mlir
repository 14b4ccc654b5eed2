// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Right schedules, before and after stages are assigned, and after clean-up.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,canonicalize,cse,loop-invariant-code-motion,hopper-check-rings)))'

// Nothing to check.
gpu.module @m {
hopper.kernel @no_roles args() {
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), warps(sfb: memref<1xf32, 3>), readers = 2>
gpu.module @m {
// A persistent kernel: the producer takes one stage at a time, the consumers two an iteration.
hopper.kernel @persistent args(%map: !map, %source: memref<8x8xf32>, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  %id = gpu.block_id x
  %grid = gpu.grid_dim x
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %id to %tiles step %grid {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
    }
    hopper.yield
  } helper {
    scf.for %tile = %id to %tiles step %grid {
      scf.for %k = %c0 to %c8 step %c1 {
        %v = hopper.fetch_scales %source[%c0, %k] count 1 step 128 per 128 limit %c8 : memref<8x8xf32> -> vector<1xf32>
        %slot, %b = hopper.ring.acquire %ring by warps : !ring
        hopper.put_scales %v to %b : vector<1xf32>, memref<1xf32, 3>
        hopper.ring.commit %slot
      }
    }
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    scf.for %tile = %id to %tiles step %grid {
      scf.for %k = %c0 to %c8 step %c2 {
        %s0, %b0:2 = hopper.ring.wait %ring : !ring
        %s1, %b1:2 = hopper.ring.wait %ring : !ring
        hopper.ring.release %s0
        hopper.ring.release %s1
      }
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
gpu.module @m {
// Each role computes its own bounds: the same arithmetic of the same values.
hopper.kernel @own_bounds args(%map: !map, %rows: index, %k: index, %skip: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %q = hopper.ring.create : !ring
  %r = hopper.ring.create : !ring
  hopper.ring.init %q : !ring
  hopper.ring.init %r : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %id = gpu.block_id x
    %row = arith.divui %id, %rows : index
    %n = arith.minui %row, %k : index
    scf.for %i = %c0 to %n step %c1 {
      %s0, %b0 = hopper.ring.acquire %q by tma : !ring
      hopper.tma_load %map[%c0, %i] to %b0 signal %s0 : !map to memref<32xf32, 3>
      hopper.ring.commit %s0
      scf.if %skip {
      } else {
        %s1, %b1 = hopper.ring.acquire %r by tma : !ring
        hopper.tma_load %map[%c0, %i] to %b1 signal %s1 : !map to memref<32xf32, 3>
        hopper.ring.commit %s1
      }
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %id = gpu.block_id x
    %row = arith.divui %id, %rows : index
    %n = arith.minui %row, %k : index
    scf.for %i = %c0 to %n step %c1 {
      %s0, %b0 = hopper.ring.wait %q : !ring
      hopper.ring.release %s0
      scf.if %skip {
      } else {
        %s1, %b1 = hopper.ring.wait %r : !ring
        hopper.ring.release %s1
      }
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!tile = memref<64x128xf8E4M3FN, 3>
!ring = !hopper.ring<stages = 4, tma(x: !tile), readers = 1>
!acc = !hopper.fragment<64x64xf32>
gpu.module @m {
// Two products in flight: the first wait leaves the second running.
hopper.kernel @two_in_flight args(%map: !map, %n: index) shared(%x: memref<64xf32, 3>, %y: memref<1xf32, 3>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %n step %c2 {
      %s0, %b0 = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %k] to %b0 signal %s0 : !map to !tile
      hopper.ring.commit %s0
      %s1, %b1 = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %k] to %b1 signal %s1 : !map to !tile
      hopper.ring.commit %s1
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %zero = arith.constant dense<0.0> : !acc
    %sum = scf.for %k = %c0 to %n step %c2 iter_args(%acc = %zero) -> !acc {
      hopper.fence wgmma
      %s0, %b0 = hopper.ring.wait %ring : !ring
      %p0 = hopper.mma %b0, %b0 : !tile, !tile -> !acc
      %s1, %b1 = hopper.ring.wait %ring : !ring
      %p1 = hopper.mma %b1, %b1 : !tile, !tile -> !acc
      %rows = hopper.load_scales %x : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
      %columns = hopper.load_scales %y : memref<1xf32, 3> -> !hopper.scales<64 columns by 64>
      %d0 = hopper.mma.wait %p0 pending 1 : !acc
      hopper.ring.release %s0
      %a0 = hopper.promote %d0 scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<64 columns by 64>, !acc
      %d1 = hopper.mma.wait %p1 : !acc
      hopper.ring.release %s1
      %a1 = hopper.promote %d1 scaled_by(%rows, %columns) into %a0 : !hopper.scales<64 rows by 1>, !hopper.scales<64 columns by 64>, !acc
      scf.yield %a1 : !acc
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!acc = !hopper.fragment<64x64xf32>
!panels = memref<1x64x64xbf16, strided<[4096, 64, 1], offset: ?>, 3>
gpu.module @m {
// Every tile is staged in the same place; each warpgroup has its own barrier, 1 + its number.
hopper.kernel @tiles args(%map: !map, %tiles: index) shared(%staging: memref<2x1x64x64xbf16, 3>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    %mine = memref.subview %staging[%warpgroup, 0, 0, 0] [1, 1, 64, 64] [1, 1, 1, 1] : memref<2x1x64x64xbf16, 3> to !panels
    %id = arith.addi %warpgroup, %c1 : index
    scf.for %tile = %c0 to %tiles step %c1 {
      %acc = arith.constant dense<0.0> : !acc
      hopper.tma_store.wait read
      hopper.named_barrier %id threads(128)
      hopper.store_fragment %acc to %mine : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %id threads(128)
      hopper.tma_store %mine to %map[%tile, %c0] : !panels to !map
    }
    hopper.tma_store.wait
    hopper.named_barrier %c8 threads(256)
    hopper.yield
  }
}

// Constant offsets keep two staging areas apart; the older store is waited for first.
hopper.kernel @two_areas args(%map: !map) shared(%staging: memref<2x64x64xbf16, 3>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %x = memref.subview %staging[0, 0, 0] [1, 64, 64] [1, 1, 1] : memref<2x64x64xbf16, 3> to memref<1x64x64xbf16, strided<[4096, 64, 1]>, 3>
    %y = memref.subview %staging[1, 0, 0] [1, 64, 64] [1, 1, 1] : memref<2x64x64xbf16, 3> to memref<1x64x64xbf16, strided<[4096, 64, 1], offset: 4096>, 3>
    %acc = arith.constant dense<0.0> : !acc
    hopper.store_fragment %acc to %x : !acc, memref<1x64x64xbf16, strided<[4096, 64, 1]>, 3>
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %x to %map[%c0, %c0] : memref<1x64x64xbf16, strided<[4096, 64, 1]>, 3> to !map
    hopper.store_fragment %acc to %y : !acc, memref<1x64x64xbf16, strided<[4096, 64, 1], offset: 4096>, 3>
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %y to %map[%c0, %c1] : memref<1x64x64xbf16, strided<[4096, 64, 1], offset: 4096>, 3> to !map
    hopper.tma_store.wait read pending 1
    hopper.named_barrier %c1 threads(128)
    hopper.store_fragment %acc to %x : !acc, memref<1x64x64xbf16, strided<[4096, 64, 1]>, 3>
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %x to %map[%c0, %c2] : memref<1x64x64xbf16, strided<[4096, 64, 1]>, 3> to !map
    hopper.tma_store.wait read
    hopper.yield
  }
}

// A store from one buffer doesn't hold up another.
hopper.kernel @two_buffers args(%map: !map) shared(%x: memref<1x64x64xbf16, 3>, %y: memref<1x64x64xbf16, 3>) {
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    hopper.store_fragment %acc to %x : !acc, memref<1x64x64xbf16, 3>
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %x to %map[%c1, %c1] : memref<1x64x64xbf16, 3> to !map
    hopper.store_fragment %acc to %y : !acc, memref<1x64x64xbf16, 3>
    hopper.fence async_shared
    hopper.named_barrier %c1 threads(128)
    hopper.tma_store %y to %map[%c1, %c1] : memref<1x64x64xbf16, 3> to !map
    hopper.tma_store.wait
    hopper.yield
  }
}
}
