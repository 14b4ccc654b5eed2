// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s -enable-var-scope

// CHECK-LABEL: func.func @activations(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<?x2048xbf16>, %[[Q:[a-z0-9]+]]: memref<?x2048xf8E4M3FN>, %[[S:[a-z0-9]+]]: memref<16x?xf32>
// CHECK:         fp8gemm.quantize %[[X]] into %[[Q]] scaled_by %[[S]] <1x128, mn_major> : memref<?x2048xbf16>, memref<?x2048xf8E4M3FN>, memref<16x?xf32>
func.func @activations(%x: memref<?x2048xbf16>, %q: memref<?x2048xf8E4M3FN>, %s: memref<16x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x2048xbf16>, memref<?x2048xf8E4M3FN>, memref<16x?xf32>
  return
}

// K has a tail; rows of x are those of a larger matrix.
// CHECK-LABEL: func.func @power_of_two(
// CHECK:         fp8gemm.quantize %{{.*}} into %{{.*}} scaled_by %{{.*}} <1x128, k_major> power_of_two : memref<8x144xf32, strided<[1024, 1]>>, memref<8x144xf8E5M2>, memref<8x2xf32>
func.func @power_of_two(%x: memref<8x144xf32, strided<[1024, 1]>>, %q: memref<8x144xf8E5M2>, %s: memref<8x2xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major> power_of_two
    : memref<8x144xf32, strided<[1024, 1]>>, memref<8x144xf8E5M2>, memref<8x2xf32>
  return
}

// CHECK-LABEL: func.func @tensors(
// CHECK:         %[[RESULTS:.*]]:2 = fp8gemm.quantize {{.*}} : tensor<?x256xf16>, tensor<?x256xf8E4M3FN>, tensor<2x?xf32> -> tensor<?x256xf8E4M3FN>, tensor<2x?xf32>
func.func @tensors(%x: tensor<?x256xf16>, %q: tensor<?x256xf8E4M3FN>, %s: tensor<2x?xf32>)
    -> (tensor<?x256xf8E4M3FN>, tensor<2x?xf32>) {
  %a, %sfa = fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<?x256xf16>, tensor<?x256xf8E4M3FN>, tensor<2x?xf32> -> tensor<?x256xf8E4M3FN>, tensor<2x?xf32>
  return %a, %sfa : tensor<?x256xf8E4M3FN>, tensor<2x?xf32>
}

// A function of each element is quantised.
// CHECK-LABEL: func.func @prologue(
// CHECK:         fp8gemm.quantize {{.*}} : memref<?x256xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32> prologue {
// CHECK-NEXT:    ^bb0(%[[ELEMENT:.*]]: f32):
// CHECK:           arith.maximumf %[[ELEMENT]], %{{.*}} : f32
// CHECK-NEXT:      fp8gemm.yield
func.func @prologue(%x: memref<?x256xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x256xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32> prologue {
  ^bb0(%element: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.maximumf %element, %zero : f32
    fp8gemm.yield %positive : f32
  }
  return
}

// CHECK-LABEL: func.func @gated(
// CHECK:         fp8gemm.quantize {{.*}} : tensor<?x512xf16>, tensor<?x256xf8E4M3FN>, tensor<2x?xf32> -> tensor<?x256xf8E4M3FN>, tensor<2x?xf32> gated prologue {
// CHECK-NEXT:    ^bb0(%[[GATE:.*]]: f32, %[[UP:.*]]: f32):
// CHECK-NEXT:      arith.mulf %[[GATE]], %[[UP]] : f32
func.func @gated(%x: tensor<?x512xf16>, %q: tensor<?x256xf8E4M3FN>, %s: tensor<2x?xf32>) -> tensor<?x256xf8E4M3FN> {
  %a, %sfa = fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<?x512xf16>, tensor<?x256xf8E4M3FN>, tensor<2x?xf32> -> tensor<?x256xf8E4M3FN>, tensor<2x?xf32> gated prologue {
  ^bb0(%gate: f32, %up: f32):
    %product = arith.mulf %gate, %up : f32
    fp8gemm.yield %product : f32
  }
  return %a : tensor<?x256xf8E4M3FN>
}

// Weights: 128 rows share a scale.
// CHECK-LABEL: func.func @weights(
// CHECK:         fp8gemm.quantize %{{.*}} into %{{.*}} scaled_by %{{.*}} <128x128, k_major> : memref<7168x2048xbf16>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>
// CHECK:         fp8gemm.quantize %{{.*}} into %{{.*}} scaled_by %{{.*}} <128x128, mn_major> : memref<200x144xbf16>, memref<200x144xf8E4M3FN>, memref<2x2xf32>
func.func @weights(%w: memref<7168x2048xbf16>, %b: memref<7168x2048xf8E4M3FN>, %sfb: memref<56x16xf32>, %x: memref<200x144xbf16>,
                   %q: memref<200x144xf8E4M3FN>, %s: memref<2x2xf32>) {
  fp8gemm.quantize %w into %b scaled_by %sfb <128x128, k_major>
    : memref<7168x2048xbf16>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>
  fp8gemm.quantize %x into %q scaled_by %s <128x128, mn_major>
    : memref<200x144xbf16>, memref<200x144xf8E4M3FN>, memref<2x2xf32>
  return
}
