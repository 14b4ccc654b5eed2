// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R8 to R12, R14: slots and their buffers.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-assign-stages,hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!map16 = !nvgpu.tensormap.descriptor<tensor = memref<1x16xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!first = memref<16xf32, strided<[1]>, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>

gpu.module @m {
hopper.kernel @r8_never_committed args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R8: expected the slot to be consumed by 'hopper.ring.commit', got none}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r8_never_released args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    // expected-error @+1 {{breaks R8: expected the slot to be consumed by 'hopper.ring.release', got none}}
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.yield
  }
}

hopper.kernel @r8_committed_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    // expected-error @+1 {{breaks R8: expected the slot to be consumed once, got a second time}}
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r8_released_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    // expected-error @+1 {{breaks R8: expected the slot to be consumed once, got a second time}}
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r8_wait_is_not_committed args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    // expected-error @+1 {{breaks R8: expected the slot of 'hopper.ring.wait' to be consumed by 'hopper.ring.release', got another use}}
    hopper.ring.commit %slot
    hopper.yield
  }
}

// Where %full is false the slot is never given back.
hopper.kernel @r8_released_on_one_path args(%map: !map, %full: i1) {
  %c0 = arith.constant 0 : index
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
    // expected-note @+1 {{made here}}
    %slot, %b = hopper.ring.wait %ring : !ring
    scf.if %full {
      // expected-error @+1 {{breaks R8: expected the slot to be consumed in the block that made it}}
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

// A slot does not travel through a loop.
hopper.kernel @r8_released_in_a_later_iteration args(%map: !map) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
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
    // expected-error @+2 {{breaks R8: expected the slot of 'hopper.ring.wait' to be consumed by 'hopper.ring.release', got another use}}
    %slot, %b = hopper.ring.wait %ring : !ring
    %last = scf.for %k = %c0 to %c8 step %c1 iter_args(%old = %slot) -> !hopper.slot {
      // expected-error @+1 {{breaks R8: expected the slot of 'hopper.ring.wait'}}
      scf.yield %slot : !hopper.slot
    }
    hopper.yield
  }
}

hopper.kernel @r9_load_after_commit args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    // expected-note @+1 {{the slot ends here}}
    hopper.ring.commit %slot
    // expected-error @+2 {{breaks R9: expected the slot to be used before its 'hopper.ring.commit', got a use after it}}
    // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used before its 'hopper.ring.commit', got a use after it}}
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// The producer may already be loading the next K block into it.
hopper.kernel @r10_read_after_release args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    // expected-note @+1 {{the slot ends here}}
    hopper.ring.release %slot
    // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used before its 'hopper.ring.release', got a use after it}}
    %s = hopper.load_scales %b : !buffer -> !hopper.scales<256 columns by 8>
    hopper.yield
  }
}

hopper.kernel @r10_read_after_release_through_a_view args(%map: !map) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    %v = memref.subview %b[0] [1] [1] : !buffer to memref<1xf32, strided<[1]>, 3>
    %w = memref.cast %v : memref<1xf32, strided<[1]>, 3> to memref<1xf32, strided<[?]>, 3>
    // expected-note @+1 {{the slot ends here}}
    hopper.ring.release %slot
    // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used before its 'hopper.ring.release', got a use after it}}
    %s = hopper.load_scales %w : memref<1xf32, strided<[?]>, 3> -> !hopper.scales<64 columns by 64>
    hopper.yield
  }
}

hopper.kernel @r10_buffer_passed_on args(%map: !map, %again: i1) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    %c = scf.if %again -> !buffer {
      // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used where it was made, got them passed on}}
      scf.yield %b : !buffer
    } else {
      // expected-error @+1 {{breaks R10: expected the buffers of a slot to be used where it was made, got them passed on}}
      scf.yield %b : !buffer
    }
    hopper.ring.release %slot
    hopper.yield
  }
}

// The bytes are armed and never come.
hopper.kernel @r11_not_loaded args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r11_loaded_twice args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    // expected-error @+1 {{breaks R11: expected a buffer to be loaded once before the commit, got a second time}}
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r11_loaded_on_one_path args(%map: !map, %some: i1) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    scf.if %some {
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    }
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// The first slot gets twice its bytes, the second none.
hopper.kernel @r12_signals_another_slot args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    %slot2, %b2 = hopper.ring.acquire %ring by tma : !ring
    // expected-error @+1 {{breaks R12: expected a load to signal the slot that its buffer belongs to, got another}}
    hopper.tma_load %map[%c0, %c0] to %b2 signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.ring.commit %slot2
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    %slot2, %b2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot2
    hopper.yield
  }
}

hopper.kernel @r12_loads_other_memory args(%map: !map) shared(%other: !buffer) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
    // expected-error @+1 {{breaks R12: expected a load to signal the slot that its buffer belongs to, got another}}
    hopper.tma_load %map[%c0, %c0] to %other signal %slot : !map to !buffer
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

// Two stages: the third never fills while the first two are held.
hopper.kernel @r14_more_slots_than_stages args(%map: !map) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %s0, %b0 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b0 signal %s0 : !map to !buffer
    hopper.ring.commit %s0
    %s1, %b1 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b1 signal %s1 : !map to !buffer
    hopper.ring.commit %s1
    %s2, %b2 = hopper.ring.acquire %ring by tma : !ring
    hopper.tma_load %map[%c0, %c0] to %b2 signal %s2 : !map to !buffer
    hopper.ring.commit %s2
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %s0, %b0 = hopper.ring.wait %ring : !ring
    %s1, %b1 = hopper.ring.wait %ring : !ring
    // expected-error @+1 {{breaks R14: expected at most the ring's 2 stages to be held at once, got 3}}
    %s2, %b2 = hopper.ring.wait %ring : !ring
    hopper.ring.release %s0
    hopper.ring.release %s1
    hopper.ring.release %s2
    hopper.yield
  }
}

hopper.kernel @r8_release_of_unknown_origin args(%map: !map, %other: !hopper.slot) {
  %c0 = arith.constant 0 : index
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
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    // expected-error @+1 {{breaks R8: expected a slot that hopper.ring.wait made, got another value}}
    hopper.ring.release %other
    hopper.yield
  }
}

// Views of all rows together are the buffer.
hopper.kernel @loaded_in_two_parts args(%map: !map16) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    %first = memref.subview %b[0] [16] [1] : !buffer to !first
    hopper.tma_load %map[%c0, %c0] to %first signal %slot : !map16 to !first
    %second = memref.subview %b[16] [16] [1] : !buffer to memref<16xf32, strided<[1], offset: 16>, 3>
    hopper.tma_load %map[%c0, %c0] to %second signal %slot : !map16 to memref<16xf32, strided<[1], offset: 16>, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r11_loaded_in_part args(%map: !map16) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got 16 of 32 rows of buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    %first = memref.subview %b[0] [16] [1] : !buffer to !first
    hopper.tma_load %map[%c0, %c0] to %first signal %slot : !map16 to !first
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r11_parts_overlap args(%map: !map16) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    %first = memref.subview %b[0] [16] [1] : !buffer to !first
    hopper.tma_load %map[%c0, %c0] to %first signal %slot : !map16 to !first
    %second = memref.subview %b[8] [16] [1] : !buffer to memref<16xf32, strided<[1], offset: 8>, 3>
    // expected-error @+1 {{breaks R11: expected a buffer to be loaded once before the commit, got a second time}}
    hopper.tma_load %map[%c0, %c0] to %second signal %slot : !map16 to memref<16xf32, strided<[1], offset: 8>, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}

hopper.kernel @r11_part_anywhere args(%map: !map16, %at: index) {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R11: expected every buffer to be loaded, whole and in this block, before the commit, got none for buffer 0}}
    %slot, %b = hopper.ring.acquire %ring by tma : !ring
    %part = memref.subview %b[%at] [16] [1] : !buffer to memref<16xf32, strided<[1], offset: ?>, 3>
    hopper.tma_load %map[%c0, %c0] to %part signal %slot : !map16 to memref<16xf32, strided<[1], offset: ?>, 3>
    hopper.ring.commit %slot
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %slot, %b = hopper.ring.wait %ring : !ring
    hopper.ring.release %slot
    hopper.yield
  }
}
}
