// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// R37, R38: tables and tensor maps of groups are there before they are used.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!other = !nvgpu.tensormap.descriptor<tensor = memref<32x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!table = memref<9x4xi32, 3>

gpu.module @m {
hopper.kernel @valid args(%groups: memref<8xi32>, %map: !map, %a: memref<?xf8E4M3FN>, %ws: memref<?xi8>, %m: index) shared(%table: !table) {
  %c0 = arith.constant 0 : index
  hopper.scan_groups %groups by k_count limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 2 : !map of memref<?xf8E4M3FN>, !table, memref<?xi8>
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    %of_group = hopper.group_map %m of 8 in %ws slot 0 of 2 : memref<?xi8> -> !map
    hopper.yield
  } consumers(1) registers(232) |%g| {
    %entry = memref.load %table[%c0, %c0] : !table
    hopper.yield
  }
}

hopper.kernel @r37_no_barrier args(%groups: memref<8xi32>, %m: index) shared(%table: !table) {
  %c0 = arith.constant 0 : index
  gpu.barrier
  // expected-note @+1 {{made here}}
  hopper.scan_groups %groups by row_end limit %m chunk(128) to %table : memref<8xi32> to !table
  // expected-error @+1 {{breaks R37: expected a barrier of all threads between hopper.scan_groups and who reads its table, got none}}
  %all = memref.load %table[%c0, %c0] : !table
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R37: expected a barrier of all threads between hopper.scan_groups and who reads its table, got none}}
    %group, %before, %begin, %end = hopper.find_group %m in %table : !table
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r37_read_before_it_is_made args(%groups: memref<8xi32>, %m: index) shared(%table: !table) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{breaks R37: expected a barrier of all threads between hopper.scan_groups and who reads its table, got none}}
  %all = memref.load %table[%c0, %c0] : !table
  // expected-note @+1 {{made here}}
  hopper.scan_groups %groups by row_end limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r37_not_made args(%m: index) shared(%table: !table) {
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R37: expected a table that hopper.scan_groups makes, got none}}
    %group, %before, %begin, %end = hopper.find_group %m in %table : !table
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r37_made_twice_and_in_a_role args(%groups: memref<8xi32>, %m: index) shared(%table: !table, %late: !table) {
  // expected-note @+1 {{the first time}}
  hopper.scan_groups %groups by row_end limit %m chunk(128) to %table : memref<8xi32> to !table
  // expected-error @+1 {{breaks R37: expected a table to be made once, got a second time}}
  hopper.scan_groups %groups by row_end limit %m chunk(64) to %table : memref<8xi32> to !table
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    // expected-error @+1 {{breaks R37: expected a table to be made at the kernel's top level, before the roles}}
    hopper.scan_groups %groups by row_end limit %m chunk(128) to %late : memref<8xi32> to !table
    hopper.yield
  }
}

hopper.kernel @r37_overwritten args(%groups: memref<8xi32>, %m: index, %value: i32) shared(%table: !table) {
  %c0 = arith.constant 0 : index
  // expected-note @+1 {{its table}}
  hopper.scan_groups %groups by row_end limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%g| {
    // expected-error @+1 {{breaks R37: expected a table to be only read, got another use}}
    memref.store %value, %table[%c0, %c0] : !table
    hopper.yield
  }
}

hopper.kernel @r38_no_barrier args(%groups: memref<8xi32>, %map: !map, %a: memref<?xf8E4M3FN>, %ws: memref<?xi8>, %m: index) shared(%table: !table) {
  hopper.scan_groups %groups by k_count limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  // expected-note @+1 {{made here}}
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 1 : !map of memref<?xf8E4M3FN>, !table, memref<?xi8>
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R38: expected a barrier of all threads between hopper.make_group_maps and who uses its maps, got none}}
    %of_group = hopper.group_map %m of 8 in %ws slot 0 of 1 : memref<?xi8> -> !map
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r38_other_maps args(%groups: memref<8xi32>, %map: !map, %a: memref<?xf8E4M3FN>, %ws: memref<?xi8>, %m: index) shared(%table: !table) {
  hopper.scan_groups %groups by k_count limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  // expected-note @+2 {{made here}}
  // expected-note @+1 {{the first time}}
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 2 : !map of memref<?xf8E4M3FN>, !table, memref<?xi8>
  // expected-error @+1 {{breaks R38: expected the maps of slot 0 to be made once, got a second time}}
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 2 : !map of memref<?xf8E4M3FN>, !table, memref<?xi8>
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R38: expected maps of slot 1 that hopper.make_group_maps makes, got none}}
    %slot1 = hopper.group_map %m of 8 in %ws slot 1 of 2 : memref<?xi8> -> !map
    // expected-error @+1 {{breaks R38: expected the maps of 8 groups in 2 slots that are made, got 4 groups in 2 slots}}
    %four = hopper.group_map %m of 4 in %ws slot 0 of 2 : memref<?xi8> -> !map
    // expected-error @+1 {{breaks R38: expected a map of the type that is made, got another}}
    %box = hopper.group_map %m of 8 in %ws slot 0 of 2 : memref<?xi8> -> !other
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}

hopper.kernel @r38_made_in_a_role args(%groups: memref<8xi32>, %map: !map, %a: memref<?xf8E4M3FN>, %ws: memref<?xi8>, %m: index) shared(%table: !table) {
  hopper.scan_groups %groups by k_count limit %m chunk(128) to %table : memref<8xi32> to !table
  gpu.barrier
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{breaks R38: expected maps of groups to be made at the kernel's top level, before the roles}}
    hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 1 : !map of memref<?xf8E4M3FN>, !table, memref<?xi8>
    hopper.yield
  } consumers(1) registers(232) |%g| {
    hopper.yield
  }
}
}
