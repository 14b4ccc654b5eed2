// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --one-shot-bufferize="bufferize-function-boundaries" -split-input-file | FileCheck %s -enable-var-scope
// RUN: fp8gemm-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" -split-input-file | FileCheck %s -enable-var-scope --check-prefix=IDENTITY

// The destination is written in place; the attributes stay.

// CHECK-LABEL: func @in_place
//  CHECK-SAME:   %[[A:[^:]+]]: memref<?x144xf8E4M3FN, strided<[?, ?], offset: ?>>, %[[SFA:[^:]+]]: memref<2x?xf32, {{[^%]*}}%[[B:[^:]+]]: memref<{{[^%]*}}%[[SFB:[^:]+]]: memref<{{[^%]*}}%[[D:[^:]+]]: memref<?x136xbf16
//   CHECK-NOT:   memref.alloc
//       CHECK:   fp8gemm.gemm %[[A]] scaled_by %[[SFA]] <1x128, mn_major>, %[[B]] scaled_by %[[SFB]] <128x128, k_major> into %[[D]] {kernel = @k::@k} :
//       CHECK:   return %[[D]]
// IDENTITY-LABEL: func @in_place
//       IDENTITY:   fp8gemm.gemm {{.+}} : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
func.func @in_place(%a: tensor<?x144xf8E4M3FN>, %sfa: tensor<2x?xf32>, %b: tensor<136x144xf8E4M3FN>,
                    %sfb: tensor<2x2xf32>, %d: tensor<?x136xbf16> {bufferization.writable = true}) -> tensor<?x136xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @k::@k}
    : tensor<?x144xf8E4M3FN>, tensor<2x?xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<?x136xbf16>
   -> tensor<?x136xbf16>
  return %r : tensor<?x136xbf16>
}

// -----

// What D held is not read: a destination that may not be written is replaced by a
// fresh buffer, without a copy.

// CHECK-LABEL: func @destination_is_not_copied
//       CHECK:   %[[FRESH:.+]] = memref.alloc
//   CHECK-NOT:   memref.copy
//       CHECK:   fp8gemm.gemm {{.+}} into %[[FRESH]]
//   CHECK-NOT:   memref.copy
func.func @destination_is_not_copied(%a: tensor<7x16xf8E4M3FN>, %sfa: tensor<7x1xf32>, %b: tensor<8x16xf8E4M3FN>,
                                     %sfb: tensor<1x1xf32>, %d: tensor<7x8xbf16> {bufferization.writable = false}) -> tensor<7x8xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<7x16xf8E4M3FN>, tensor<7x1xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<7x8xbf16>
   -> tensor<7x8xbf16>
  return %r : tensor<7x8xbf16>
}

// -----

// In place: C is read and D written, element by element, so the two share a buffer.

// CHECK-LABEL: func @add_in_place
//  CHECK-SAME:   %[[D:[^ :]+]]: memref<7x8xf32{{[^%]*}}) ->
//   CHECK-NOT:   memref.{{alloc|copy}}
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[D]] into %[[D]] :
//   CHECK-NOT:   memref.copy
func.func @add_in_place(%a: tensor<7x16xf8E4M3FN>, %sfa: tensor<7x1xf32>, %b: tensor<8x16xf8E4M3FN>,
                        %sfb: tensor<8x1xf32>, %d: tensor<7x8xf32> {bufferization.writable = true}) -> tensor<7x8xf32> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> plus %d into %d
    : tensor<7x16xf8E4M3FN>, tensor<7x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<7x8xf32>, tensor<7x8xf32>
   -> tensor<7x8xf32>
  return %r : tensor<7x8xf32>
}

// -----

// C that is needed later is read where it is; D goes elsewhere.

// CHECK-LABEL: func @c_is_kept
//  CHECK-SAME:   %[[C:[^ :]+]]: memref<7x8xf32{{[^%]*}}) ->
//       CHECK:   %[[FRESH:.+]] = memref.alloc
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[C]] into %[[FRESH]] :
//       CHECK:   return %[[C]],
func.func @c_is_kept(%a: tensor<7x16xf8E4M3FN>, %sfa: tensor<7x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<8x1xf32>,
                     %c: tensor<7x8xf32> {bufferization.writable = true}) -> (tensor<7x8xf32>, tensor<7x8xf32>) {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> plus %c into %c
    : tensor<7x16xf8E4M3FN>, tensor<7x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<7x8xf32>, tensor<7x8xf32>
   -> tensor<7x8xf32>
  return %c, %r : tensor<7x8xf32>, tensor<7x8xf32>
}

// -----

// All of q is written, and all of scales that has no padding.

// CHECK-LABEL: func @quantize
//   CHECK-NOT:   memref.copy
//       CHECK:   fp8gemm.quantize %{{.*}} into %[[Q:.+]] scaled_by %[[S:.+]] <1x128, k_major> power_of_two :
//   CHECK-NOT:   memref.copy
//       CHECK:   return %[[Q]], %[[S]]
// IDENTITY-LABEL: func @quantize
//       IDENTITY:   fp8gemm.quantize {{.+}} : memref<7x144xbf16>, memref<7x144xf8E4M3FN>, memref<7x2xf32>
func.func @quantize(%x: tensor<7x144xbf16>, %q: tensor<7x144xf8E4M3FN> {bufferization.writable = false},
                    %s: tensor<7x2xf32> {bufferization.writable = false}) -> (tensor<7x144xf8E4M3FN>, tensor<7x2xf32>) {
  %r:2 = fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major> power_of_two
    : tensor<7x144xbf16>, tensor<7x144xf8E4M3FN>, tensor<7x2xf32> -> tensor<7x144xf8E4M3FN>, tensor<7x2xf32>
  return %r#0, %r#1 : tensor<7x144xf8E4M3FN>, tensor<7x2xf32>
}

// -----

// The prologue goes along.

// CHECK-LABEL: func @prologue
//       CHECK:   fp8gemm.quantize {{.+}} : memref<7x288xbf16{{.*}}>, memref<7x144xf8E4M3FN{{.*}}>, memref<7x2xf32{{.*}}> gated prologue {
//  CHECK-NEXT:   ^bb0(%{{.+}}: f32, %{{.+}}: f32):
//  CHECK-NEXT:     arith.mulf
// IDENTITY-LABEL: func @prologue
func.func @prologue(%x: tensor<7x288xbf16>, %q: tensor<7x144xf8E4M3FN>, %s: tensor<7x2xf32>) -> tensor<7x144xf8E4M3FN> {
  %r:2 = fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major>
    : tensor<7x288xbf16>, tensor<7x144xf8E4M3FN>, tensor<7x2xf32> -> tensor<7x144xf8E4M3FN>, tensor<7x2xf32> gated prologue {
  ^bb0(%gate: f32, %up: f32):
    %product = arith.mulf %gate, %up : f32
    fp8gemm.yield %product : f32
  }
  return %r#0 : tensor<7x144xf8E4M3FN>
}

// -----

// Storage of scales that is longer than M keeps its contents there.

// CHECK-LABEL: func @padded_scales
//       CHECK:   memref.copy
//       CHECK:   fp8gemm.quantize
// IDENTITY-LABEL: func @padded_scales
func.func @padded_scales(%x: tensor<7x144xbf16>, %q: tensor<7x144xf8E4M3FN>,
                         %s: tensor<2x8xf32> {bufferization.writable = false}) -> tensor<2x8xf32> {
  %r:2 = fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<7x144xbf16>, tensor<7x144xf8E4M3FN>, tensor<2x8xf32> -> tensor<7x144xf8E4M3FN>, tensor<2x8xf32>
  return %r#1 : tensor<2x8xf32>
}
