// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-reuse-registers)))' | FileCheck %s -enable-var-scope
// A second time nothing is left to do.
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-reuse-registers)))' -o %t.once.mlir
// RUN: fp8gemm-opt %t.once.mlir -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-reuse-registers)))' | cmp - %t.once.mlir

!a = memref<64x128xf8E4M3FN, 3>
!b = memref<8x128xf8E4M3FN, 3>
!wide = memref<16x128xf8E4M3FN, 3>
!acc = !hopper.fragment<64x8xf32>

gpu.module @m {
// Each product takes the registers of the oldest that was waited for, and nobody took.
// CHECK-LABEL: hopper.kernel @in_turns
hopper.kernel @in_turns args() shared(%a: !a, %b: !b) {
  // CHECK:      %[[P0:.+]] = hopper.mma %{{.+}}, %{{.+}} :
  // CHECK-NEXT: %[[P1:.+]] = hopper.mma %{{.+}}, %{{.+}} :
  // CHECK-NEXT: %[[D0:.+]] = hopper.mma.wait %[[P0]] pending 1
  // CHECK-NEXT: %[[P2:.+]] = hopper.mma %{{.+}}, %{{.+}} reusing %[[D0]] :
  // CHECK-NEXT: %[[D1:.+]] = hopper.mma.wait %[[P1]] pending 1
  // CHECK-NEXT: hopper.mma %{{.+}}, %{{.+}} reusing %[[D1]] :
  %p0 = hopper.mma %a, %b : !a, !b -> !acc
  %p1 = hopper.mma %a, %b : !a, !b -> !acc
  %d0 = hopper.mma.wait %p0 pending 1 : !acc
  %p2 = hopper.mma %a, %b : !a, !b -> !acc
  %d1 = hopper.mma.wait %p1 pending 1 : !acc
  %p3 = hopper.mma %a, %b : !a, !b -> !acc
}

// What a product says it takes is left as it is, and not given to another one.
// CHECK-LABEL: hopper.kernel @as_written
hopper.kernel @as_written args() shared(%a: !a, %b: !b) {
  // CHECK:      %[[D0:.+]] = hopper.mma.wait
  // CHECK-NEXT: hopper.mma
  // CHECK-SAME:   reusing %[[D0]]
  // CHECK-NEXT: %[[P2:.+]] = hopper.mma %{{.+}}, %{{.+}} :
  %p0 = hopper.mma %a, %b : !a, !b -> !acc
  %d0 = hopper.mma.wait %p0 : !acc
  %p1 = hopper.mma %a, %b reusing %d0 : !a, !b -> !acc
  %p2 = hopper.mma %a, %b : !a, !b -> !acc
}

// Registers of another shape, and those of another block, are no use.
// CHECK-LABEL: hopper.kernel @others
hopper.kernel @others args(%n: index) shared(%a: !a, %b: !b, %wide: !wide) {
  // CHECK-NOT: reusing
  %c1 = arith.constant 1 : index
  %p0 = hopper.mma %a, %b : !a, !b -> !acc
  %d0 = hopper.mma.wait %p0 : !acc
  %p1 = hopper.mma %a, %wide : !a, !wide -> !hopper.fragment<64x16xf32>
  scf.for %k = %c1 to %n step %c1 {
    %p2 = hopper.mma %a, %b : !a, !b -> !acc
  }
}
}
