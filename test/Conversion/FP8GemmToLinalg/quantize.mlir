// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg | FileCheck %s -enable-var-scope
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg | FileCheck %s --check-prefix=TWO -enable-var-scope

// The largest magnitude of a K block of each row, then its scale; then the elements.
// CHECK-LABEL: func.func @blocks(
// CHECK:         scf.for
// CHECK:           linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK:             math.absf
// CHECK:             arith.maximumf
// CHECK:           linalg.generic
// CHECK:             arith.maximumf
// CHECK:             arith.divf
// CHECK:             arith.cmpf olt
// CHECK:             arith.select
// CHECK:         scf.for
// CHECK:           linalg.generic
// CHECK:             arith.divf
// CHECK:             arith.extf {{.*}} bf16 to f32
// CHECK:             arith.mulf
// CHECK:             arith.truncf {{.*}} f32 to f8E4M3FN
// TWO-LABEL: func.func @blocks(
// TWO-NOT:     arith.addi
// TWO-LABEL: func.func @power_of_two(
// TWO:         arith.divf
// TWO:         arith.addi
// TWO:         arith.andi
func.func @blocks(%x: memref<?x256xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x256xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32>
  return
}

func.func @power_of_two(%x: memref<4x144xf32>, %q: memref<4x144xf8E5M2>, %s: memref<4x2xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major> power_of_two
    : memref<4x144xf32>, memref<4x144xf8E5M2>, memref<4x2xf32>
  return
}

// Nothing to write.
// CHECK-LABEL: func.func @no_rows(
// CHECK-NEXT:    return
func.func @no_rows(%x: memref<0x128xbf16>, %q: memref<0x128xf8E4M3FN>, %s: memref<1x0xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<0x128xbf16>, memref<0x128xf8E4M3FN>, memref<1x0xf32>
  return
}

// What is quantised is computed first, in f32, of the columns k and K + k.
// CHECK-LABEL: func.func @gated(
// CHECK:         %[[GATE:.*]] = memref.subview %{{.*}}[0, 0] [%{{.*}}, 256] [1, 1]
// CHECK:         %[[UP:.*]] = memref.subview %{{.*}}[0, 256] [%{{.*}}, 256] [1, 1]
// CHECK:         %[[PRODUCT:.*]] = memref.alloc(%{{.*}}) {{.*}}: memref<?x256xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[GATE]], %[[UP]] : {{.*}} outs(%[[PRODUCT]]
// CHECK:           arith.extf
// CHECK:           arith.extf
// CHECK-NEXT:      arith.mulf
// CHECK:         scf.for
// CHECK:           memref.subview %[[PRODUCT]]
// CHECK:             math.absf
// CHECK:         scf.for
// CHECK:         memref.dealloc %[[PRODUCT]]
func.func @gated(%x: memref<?x512xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x512xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32> gated prologue {
  ^bb0(%gate: f32, %up: f32):
    %product = arith.mulf %gate, %up : f32
    fp8gemm.yield %product : f32
  }
  return
}

// Of each 128 rows, of which the last ones may be fewer, the largest of the rows' largest.
// CHECK-LABEL: func.func @blocks_of_rows(
// CHECK:         arith.ceildivsi
// CHECK:         scf.for %[[NUMBER:.*]] =
// CHECK:           %[[FIRST:.*]] = arith.muli %[[NUMBER]], %{{.*}} : index
// CHECK:           arith.minsi
// CHECK:           scf.for %[[BLOCK:.*]] =
// CHECK:             memref.subview %{{.*}}[%[[FIRST]], %{{.*}}]
// CHECK:             linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK:             linalg.generic {{.*}}iterator_types = ["reduction"]
// CHECK:             memref.subview %{{.*}}[%[[NUMBER]], %[[BLOCK]]] [1, 1]
// CHECK:               arith.divf
func.func @blocks_of_rows(%x: memref<?x256xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<?x2xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <128x128, k_major>
    : memref<?x256xbf16>, memref<?x256xf8E4M3FN>, memref<?x2xf32>
  return
}
