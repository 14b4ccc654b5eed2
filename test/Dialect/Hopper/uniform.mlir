// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
// (C4) of hopper.warp_specialize: what a role captures is the same in all threads if all that it is computed from is.

func.func @arithmetic_on_the_same(%m: index, %table: memref<4xi32>, %shared: memref<4x8xf32, 3>) {
  %c8 = arith.constant 8 : index
  %block = gpu.block_id x
  %grid = gpu.grid_dim x
  %sum = arith.addi %block, %m : index
  %less = arith.cmpi ult, %sum, %grid : index
  %picked = arith.select %less, %sum, %c8 : index
  %loaded = memref.load %table[%block] : memref<4xi32>
  %number = arith.index_castui %loaded : i32 to index
  %divided = index.ceildivu %number, %c8
  %part = memref.subview %shared[%block, 0] [1, 8] [1, 1] : memref<4x8xf32, 3> to memref<8xf32, strided<[1], offset: ?>, 3>
  hopper.warp_specialize producer registers(40) {
    %x = arith.addi %picked, %divided : index
    %y = memref.load %part[%x] : memref<8xf32, strided<[1], offset: ?>, 3>
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @arithmetic_on_a_thread(%m: index) {
  // expected-note @below {{as it is computed from this one}}
  %thread = gpu.thread_id x
  %sum = arith.addi %thread, %m : index
  %twice = arith.muli %m, %sum : index
  hopper.warp_specialize producer registers(40) {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = arith.addi %twice, %twice : index
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @select_by_a_lane(%m: index, %n: index) {
  // expected-note @below {{as it is computed from this one}}
  %lane = gpu.lane_id
  %less = arith.cmpi ult, %lane, %m : index
  %picked = arith.select %less, %m, %n : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = arith.addi %picked, %warpgroup : index
    hopper.yield
  }
  return
}

// -----

func.func @load_at_a_thread(%table: memref<4xi32>) {
  // expected-note @below {{as it is computed from this one}}
  %thread = gpu.thread_id x
  %loaded = memref.load %table[%thread] : memref<4xi32>
  hopper.warp_specialize producer registers(40) {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = arith.addi %loaded, %loaded : i32
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @view_at_a_thread(%shared: memref<4x8xf32, 3>) {
  // expected-note @below {{as it is computed from this one}}
  %thread = gpu.thread_id x
  %part = memref.subview %shared[%thread, 0] [1, 8] [1, 1] : memref<4x8xf32, 3> to memref<8xf32, strided<[1], offset: ?>, 3>
  %c0 = arith.constant 0 : index
  hopper.warp_specialize producer registers(40) {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = memref.load %part[%c0] : memref<8xf32, strided<[1], offset: ?>, 3>
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @result_of_a_loop(%m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %thread = gpu.thread_id x
  %carried = scf.for %i = %c0 to %m step %c1 iter_args(%sum = %c0) -> index {
    %next = arith.addi %sum, %thread : index
    scf.yield %next : index
  }
  hopper.warp_specialize producer registers(40) {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = arith.addi %carried, %carried : index
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @carried_by_a_loop(%m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %thread = gpu.thread_id x
  scf.for %i = %c0 to %thread step %c1 {
    hopper.warp_specialize producer registers(40) {
      // expected-error @below {{captures a value that may differ between threads}}
      %x = arith.addi %i, %i : index
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      hopper.yield
    }
  }
  return
}

// -----

func.func @argument_of_a_block(%m: index) {
  %thread = gpu.thread_id x
  cf.br ^next(%thread : index)
^next(%number: index):
  hopper.warp_specialize producer registers(40) {
    // expected-error @below {{captures a value that may differ between threads}}
    %x = arith.addi %number, %number : index
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}
