// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Grouped products: conditions on what is loaded (R24), and rows that are copied (R25 to R27).
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
!buffer = memref<32xf32, 3>
!ring = !hopper.ring<stages = 2, tma(x: !buffer), readers = 1>
!panels = memref<1x64x64xbf16, 3>
!acc = !hopper.fragment<64x64xf32>

gpu.module @m {
// Each role loads the same entry, and searches the same table.
hopper.kernel @same_loads args(%map: !map, %index: memref<?xi32>, %ends: memref<8xi32>, %n: index) shared(%table: memref<9x4xi32, 3>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.scan_groups %ends by row_end limit %n chunk(128) to %table : memref<8xi32> to memref<9x4xi32, 3>
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    scf.for %tile = %c0 to %n step %c1 {
      %group, %before, %begin, %end = hopper.find_group %tile in %table : memref<9x4xi32, 3>
      %entry = memref.load %index[%begin] : memref<?xi32>
      %is = arith.cmpi ult, %entry, %c8 : i32
      scf.if %is {
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
      }
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    scf.for %tile = %c0 to %n step %c1 {
      %group, %before, %begin, %end = hopper.find_group %tile in %table : memref<9x4xi32, 3>
      %entry = memref.load %index[%begin] : memref<?xi32>
      %is = arith.cmpi ult, %entry, %c8 : i32
      scf.if %is {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
      }
    }
    hopper.yield
  }
}

// What a tile loads of the next is equal in both, if it starts so and the conditions on the way are.
hopper.kernel @same_loads_ahead args(%map: !map, %index: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      %ahead = scf.if %is -> i32 {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      %ahead = scf.if %is -> i32 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  }
}

hopper.kernel @r24_carried_from_another_entry args(%map: !map, %index: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-note @+1 {{in the other role}}
      %ahead = scf.if %is -> i32 {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %first = memref.load %index[%c1] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has a condition}}
      %ahead = scf.if %is -> i32 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  }
}

hopper.kernel @r24_carried_past_an_entry args(%map: !map, %index: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-note @+1 {{in the other role}}
      %ahead = scf.if %is -> i32 {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has a condition}}
      %ahead = scf.if %is -> i32 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %tile : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  }
}

hopper.kernel @r24_carried_unchanged args(%map: !map, %index: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-note @+1 {{in the other role}}
      %ahead = scf.if %is -> i32 {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        %slot, %b = hopper.ring.acquire %ring by tma : !ring
        hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
        hopper.ring.commit %slot
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %ahead : i32
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %first = memref.load %index[%c0] : memref<?xi32>
    %all = scf.for %tile = %c0 to %n step %c1 iter_args(%entry = %first) -> i32 {
      %is = arith.cmpi ult, %entry, %c8 : i32
      // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has a condition}}
      %ahead = scf.if %is -> i32 {
        %slot, %b = hopper.ring.wait %ring : !ring
        hopper.ring.release %slot
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      } else {
        %next = arith.addi %tile, %c1 : index
        %after = memref.load %index[%next] : memref<?xi32>
        scf.yield %after : i32
      }
      scf.yield %entry : i32
    }
    hopper.yield
  }
}

hopper.kernel @r24_another_entry args(%map: !map, %index: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : i32
  %ring = hopper.ring.create : !ring
  hopper.ring.init %ring : !ring
  hopper.fence mbarrier_init
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %entry = memref.load %index[%c0] : memref<?xi32>
    %is = arith.cmpi ult, %entry, %c8 : i32
    // expected-note @+1 {{in the other role}}
    scf.if %is {
      %slot, %b = hopper.ring.acquire %ring by tma : !ring
      hopper.tma_load %map[%c0, %c0] to %b signal %slot : !map to !buffer
      hopper.ring.commit %slot
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %entry = memref.load %index[%c1] : memref<?xi32>
    %is = arith.cmpi ult, %entry, %c8 : i32
    // expected-error @+1 {{breaks R24: expected as many accesses to the ring, in the same loops, in the consumers as in the producer, got a condition where the producer has a condition}}
    scf.if %is {
      %slot, %b = hopper.ring.wait %ring : !ring
      hopper.ring.release %slot
    }
    hopper.yield
  }
}

hopper.kernel @r25_rows_still_copied args(%d: memref<?x64xbf16>, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    scf.for %tile = %c0 to %n step %c1 {
      // expected-error @+1 {{breaks R25: expected staging to be free before it is written, got no hopper.named_barrier after the copy of its rows}}
      hopper.store_fragment %acc to %staging : !acc, !panels
      hopper.fence async_shared
      hopper.named_barrier %c1 threads(128)
      // expected-note @+1 {{other threads may still copy from it}}
      hopper.store_rows %n of %staging to %d[%c0, %c0] : !panels to memref<?x64xbf16>
    }
    hopper.yield
  }
}

hopper.kernel @r27_rows_not_there_yet args(%d: memref<?x64xbf16>, %n: index) shared(%staging: !panels) {
  %c0 = arith.constant 0 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    %acc = arith.constant dense<0.0> : !acc
    // expected-note @+1 {{stored here}}
    hopper.store_fragment %acc to %staging : !acc, !panels
    hopper.fence async_shared
    // expected-error @+1 {{breaks R27: expected hopper.named_barrier between the fence and the TMA store, got none on some path}}
    hopper.store_rows %n of %staging to %d[%c0, %c0] : !panels to memref<?x64xbf16>
    hopper.yield
  }
}
}
