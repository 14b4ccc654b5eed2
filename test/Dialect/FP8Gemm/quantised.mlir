// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products with a quantised D: syntax, bufferization, canonicalization.
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s -enable-var-scope
// RUN: fp8gemm-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFER -enable-var-scope
// RUN: fp8gemm-opt %s -canonicalize | FileCheck %s --check-prefix=CANON -enable-var-scope

// CHECK-LABEL: func @memrefs
//       CHECK:   fp8gemm.gemm {{.+}} into %[[D:.+]] scaled_by %[[SFD:.+]] <1x128, mn_major> power_of_two :
//  CHECK-SAME:     memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
func.func @memrefs(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                   %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major> power_of_two
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
  return
}

// All of D is overwritten, but of scales that may be longer than M a part keeps its contents: they are read, and so copied.
// CHECK-LABEL: func @tensors
//       CHECK:   %[[RESULTS:.+]]:2 = fp8gemm.gemm {{.+}} scaled_by tensor<16x2xf32> -> tensor<16x256xf8E4M3FN>, tensor<16x2xf32> epilogue {
// BUFFER-LABEL: func @tensors
//   BUFFER-NOT:   memref.copy
//       BUFFER:   fp8gemm.gemm {{.+}} into %[[D:.+]] scaled_by %[[SFD:.+]] <1x128, k_major> : {{.+}} epilogue {
//       BUFFER:   return %[[D]], %[[SFD]]
func.func @tensors(%a: tensor<16x144xf8E4M3FN>, %sfa: tensor<2x16xf32>, %b: tensor<256x144xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                   %d: tensor<16x256xf8E4M3FN>, %sfd: tensor<16x2xf32>) -> (tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) {
  %r:2 = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, k_major>
    : tensor<16x144xf8E4M3FN>, tensor<2x16xf32>, tensor<256x144xf8E4M3FN>, tensor<2x2xf32>, tensor<16x256xf8E4M3FN> scaled_by tensor<16x2xf32>
   -> tensor<16x256xf8E4M3FN>, tensor<16x2xf32> epilogue {
  ^bb0(%sum: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.maximumf %sum, %zero : f32
    fp8gemm.yield %positive : f32
  }
  return %r#0, %r#1 : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>
}

// Its result is the A of the next product. Without rows nothing is left of it.
// CHECK-LABEL: func @groups
//       CHECK:   fp8gemm.grouped_gemm {{.+}} groups %{{.+}} <row_end> into %{{.+}} scaled_by %{{.+}} <1x128, mn_major> :
//       CHECK:   fp8gemm.grouped_gemm
// BUFFER-LABEL: func @groups
//       BUFFER:   memref.copy
//       BUFFER:   memref.copy
//       BUFFER:   fp8gemm.grouped_gemm
// CANON-LABEL: func @none
//  CANON-SAME:   %[[D:[^:]+]]: tensor<0x256xf8E4M3FN>, %[[SFD:[^:]+]]: tensor<0x2xf32>
//  CANON-NEXT:   return %[[D]], %[[SFD]]
func.func @groups(%a: tensor<16x144xf8E4M3FN>, %sfa: tensor<2x16xf32>, %b: tensor<4x256x144xf8E4M3FN>, %sfb: tensor<4x2x2xf32>,
                  %ends: tensor<4xi32>, %d: tensor<16x256xf8E4M3FN> {bufferization.writable = false},
                  %sfd: tensor<2x16xf32> {bufferization.writable = false}, %next: tensor<4x64x256xf8E4M3FN>,
                  %sfn: tensor<4x1x2xf32>, %e: tensor<16x64xbf16>) -> tensor<16x64xbf16> {
  %r:2 = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end>
      into %d scaled_by %sfd <1x128, mn_major>
    : tensor<16x144xf8E4M3FN>, tensor<2x16xf32>, tensor<4x256x144xf8E4M3FN>, tensor<4x2x2xf32>, tensor<4xi32>,
      tensor<16x256xf8E4M3FN> scaled_by tensor<2x16xf32> -> tensor<16x256xf8E4M3FN>, tensor<2x16xf32>
  %s = fp8gemm.grouped_gemm %r#0 scaled_by %r#1 <1x128, mn_major>, %next scaled_by %sfn <128x128, k_major> groups %ends <row_end> into %e
    : tensor<16x256xf8E4M3FN>, tensor<2x16xf32>, tensor<4x64x256xf8E4M3FN>, tensor<4x1x2xf32>, tensor<4xi32>, tensor<16x64xbf16>
   -> tensor<16x64xbf16>
  return %s : tensor<16x64xbf16>
}

func.func @none(%d: tensor<0x256xf8E4M3FN>, %sfd: tensor<0x2xf32>, %a: tensor<0x144xf8E4M3FN>, %sfa: tensor<2x0xf32>,
                %b: tensor<256x144xf8E4M3FN>, %sfb: tensor<2x2xf32>) -> (tensor<0x256xf8E4M3FN>, tensor<0x2xf32>) {
  %r:2 = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, k_major>
    : tensor<0x144xf8E4M3FN>, tensor<2x0xf32>, tensor<256x144xf8E4M3FN>, tensor<2x2xf32>, tensor<0x256xf8E4M3FN> scaled_by tensor<0x2xf32>
   -> tensor<0x256xf8E4M3FN>, tensor<0x2xf32>
  return %r#0, %r#1 : tensor<0x256xf8E4M3FN>, tensor<0x2xf32>
}
