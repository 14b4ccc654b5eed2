// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two rings in a kernel: one of operands, and one of C that each tile goes through once.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
// C comes through a ring of its own, once a tile.
hopper.kernel @c_ring args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %c_ring : !c_ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.tma_load %map_c[%tile, %c0] to %b signal %slot : !map_c to memref<1x64x32xf32, 3>
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      %slot, %b = hopper.ring.wait %c_ring : !c_ring
      %c = hopper.load_fragment %b : memref<1x64x32xf32, 3> -> !hopper.fragment<64x32xf32>
      hopper.ring.release %slot
      %sum = arith.addf %c, %zero : !hopper.fragment<64x32xf32>
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @r3_c_ring args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // expected-error @below {{breaks R3: expected a ring to be initialised before the roles, got no hopper.ring.init}}
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  // not initialised
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.tma_load %map_c[%tile, %c0] to %b signal %slot : !map_c to memref<1x64x32xf32, 3>
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      %slot, %b = hopper.ring.wait %c_ring : !c_ring
      %c = hopper.load_fragment %b : memref<1x64x32xf32, 3> -> !hopper.fragment<64x32xf32>
      hopper.ring.release %slot
      %sum = arith.addf %c, %zero : !hopper.fragment<64x32xf32>
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @r10_c_read_after_release args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %c_ring : !c_ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.tma_load %map_c[%tile, %c0] to %b signal %slot : !map_c to memref<1x64x32xf32, 3>
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      %slot, %b = hopper.ring.wait %c_ring : !c_ring
      // expected-note @below {{the slot ends here}}
      hopper.ring.release %slot
      // expected-error @below {{breaks R10: expected the buffers of a slot to be used before its 'hopper.ring.release', got a use after it}}
      %c = hopper.load_fragment %b : memref<1x64x32xf32, 3> -> !hopper.fragment<64x32xf32>
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @r11_c_not_loaded args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %c_ring : !c_ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      // expected-error @below {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got none for buffer 0}}
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      %slot, %b = hopper.ring.wait %c_ring : !c_ring
      %c = hopper.load_fragment %b : memref<1x64x32xf32, 3> -> !hopper.fragment<64x32xf32>
      hopper.ring.release %slot
      %sum = arith.addf %c, %zero : !hopper.fragment<64x32xf32>
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
hopper.kernel @r23_c_never_read args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // expected-error @below {{breaks R23: expected the consumers to access the ring, got no wait}}
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %c_ring : !c_ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.tma_load %map_c[%tile, %c0] to %b signal %slot : !map_c to memref<1x64x32xf32, 3>
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      // nobody waits
    }
    hopper.yield
  }
}
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map_c = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!ring = !hopper.ring<stages = 2, tma(sfa: memref<32xf32, 3>), readers = 1>
!c_ring = !hopper.ring<stages = 1, tma(c: memref<1x64x32xf32, 3>), readers = 1>
gpu.module @m {
// The producer loads C once a tile, the consumers wait for it with every K block.
hopper.kernel @r24_c_of_every_block args(%map: !map, %map_c: !map_c, %tiles: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c_ring = hopper.ring.create : !c_ring
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.ring.init %c_ring : !c_ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %k] to %b signal %slot : !map to memref<32xf32, 3>
        hopper.ring.commit %slot
      }
      // expected-note @below {{in the other role}}
      %slot, %b = hopper.ring.acquire %c_ring by tma : !c_ring
      hopper.tma_load %map_c[%tile, %c0] to %b signal %slot : !map_c to memref<1x64x32xf32, 3>
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      %zero = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      scf.for %k = %c0 to %c8 step %c1 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
      scf.for %k = %c0 to %c8 step %c1 {
        // expected-error @below {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got 8 where the producer has 1}}
        %slot, %b = hopper.ring.wait %c_ring : !c_ring
        hopper.ring.release %slot
      }
    }
    hopper.yield
  }
}
}
