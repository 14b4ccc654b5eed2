// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-unroll)))' | FileCheck %s -enable-var-scope

!a = memref<64x128xf8E4M3FN, 3>
!b = memref<8x128xf8E4M3FN, 3>
!acc = !hopper.fragment<64x8xf32>

gpu.module @m {
// The consumers' loop with products, and no other: 9 iterations are 2 of 4 and the last one.
// CHECK-LABEL: hopper.kernel @main_loop
// CHECK:         producer
// CHECK-NEXT:      scf.for %{{.+}} = %c0 to %c9 step %c1 {
// CHECK-NEXT:        hopper.fence async_shared
// CHECK-NEXT:      }
// CHECK:         consumers(1) registers(232) |%{{.+}}| {
// CHECK:           scf.for %{{.+}} = %c0 to %{{.+}} step %{{.+}} {
// CHECK:             %[[END:.+]] = arith.constant 8 : index
// CHECK:             scf.for %{{.+}} = %c0 to %[[END]] step %{{.+}} {
// CHECK-COUNT-4:       hopper.mma %
// CHECK-NOT:           hopper.mma %
// CHECK:             }
// CHECK-COUNT-1:     hopper.mma %
// CHECK-NOT:         hopper.mma %
// CHECK:             hopper.fence async_shared
hopper.kernel @main_loop args(%tiles: index) shared(%a: !a, %b: !b) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  hopper.warp_specialize producer registers(40) {
    scf.for %k = %c0 to %c9 step %c1 {
      hopper.fence async_shared
    }
    hopper.yield
  } consumers(1) registers(232) unroll(4) |%warpgroup| {
    scf.for %tile = %c0 to %tiles step %c1 {
      scf.for %k = %c0 to %c9 step %c1 {
        %p = hopper.mma %a, %b : !a, !b -> !acc
        %done = hopper.mma.wait %p : !acc
      }
      hopper.fence async_shared
    }
    hopper.yield
  }
}

// What is carried goes through all of the iterations that become one, and no loop is left of a single one.
// CHECK-LABEL: hopper.kernel @carried
// CHECK:           %[[ZERO:.+]] = arith.constant dense<0.000000e+00>
// CHECK-NOT:       scf.for
// CHECK:           %[[FIRST:.+]] = hopper.promote %{{.+}} into %[[ZERO]]
// CHECK:           %[[SECOND:.+]] = hopper.promote %{{.+}} into %[[FIRST]]
// CHECK:           hopper.store_fragment %[[SECOND]]
hopper.kernel @carried args() shared(%a: !a, %b: !b, %out: memref<1x64x8xf32, 3>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(2) |%warpgroup| {
    %zero = arith.constant dense<0.0> : !acc
    %rows = arith.constant dense<0.0> : !hopper.scales<64 rows by 1>
    %columns = arith.constant dense<0.0> : !hopper.scales<8 columns by 8>
    %sum = scf.for %k = %c0 to %c2 step %c1 iter_args(%old = %zero) -> !acc {
      %p = hopper.mma %a, %b : !a, !b -> !acc
      %done = hopper.mma.wait %p : !acc
      %new = hopper.promote %done scaled_by(%rows, %columns) into %old
        : !hopper.scales<64 rows by 1>, !hopper.scales<8 columns by 8>, !acc
      scf.yield %new : !acc
    }
    hopper.store_fragment %sum to %out : !acc, memref<1x64x8xf32, 3>
    hopper.yield
  }
}
}

// -----

gpu.module @m {
hopper.kernel @no_products args(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected a loop with products in the consumers to unroll, got none}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(2) |%warpgroup| {
    scf.for %k = %c0 to %n step %c1 {
      hopper.fence async_shared
    }
    hopper.yield
  }
}
}

// -----

// A loop that never runs: its length is known, and its bounds are not.
gpu.module @m {
hopper.kernel @same_bounds args(%a: memref<64x128xf8E4M3FN, 3>, %bound: index) {
  %c1 = arith.constant 1 : index
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(4) |%warpgroup| {
    // expected-error @+1 {{expected a loop that can be unrolled}}
    scf.for %i = %bound to %bound step %c1 {
      %sum = hopper.mma %a, %a : memref<64x128xf8E4M3FN, 3>, memref<64x128xf8E4M3FN, 3> -> !hopper.fragment<64x64xf32>
    }
    hopper.yield
  }
}
}
