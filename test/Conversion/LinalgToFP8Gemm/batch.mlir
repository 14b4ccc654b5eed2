// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize -split-input-file -verify-diagnostics | FileCheck %s

// A batch of products, each with its own B, is one operation.

#id = affine_map<(g, m, k) -> (g, m, k)>
#of_rows = affine_map<(g, m, k) -> (g, m, k floordiv 128)>
#of_blocks = affine_map<(g, m, k) -> (g, k floordiv 128, m floordiv 128)>

// CHECK-LABEL: func @batch_matmul
//  CHECK-SAME:   %[[A:[^:]+]]: tensor<4x?x256xf8E4M3FN>, %[[SFA:[^:]+]]: tensor<4x?x2xf32>, %[[B:[^:]+]]: tensor<4x136x256xf8E5M2>, %[[SFB:[^:]+]]: tensor<4x2x2xf32>
//       CHECK:   fp8gemm.grouped_gemm %[[A]] scaled_by %[[SFA]] <1x128, k_major>, %[[B]] scaled_by %[[SFB]] <128x128, mn_major> into
//  CHECK-SAME:   tensor<4x?x136xbf16>
//   CHECK-NOT:   linalg
func.func @batch_matmul(%a: tensor<4x?x256xf8E4M3FN>, %sfa: tensor<4x?x2xf32>, %b: tensor<4x136x256xf8E5M2>, %sfb: tensor<4x2x2xf32>,
    %wa: tensor<4x?x256xf32>, %wb: tensor<4x136x256xf32>, %tb: tensor<4x256x136xf32>, %e: tensor<4x?x136xf32>) -> tensor<4x?x136xbf16> {
  %0 = linalg.generic {indexing_maps = [#id, #of_rows, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a, %sfa : tensor<4x?x256xf8E4M3FN>, tensor<4x?x2xf32>) outs(%wa : tensor<4x?x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<4x?x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #of_blocks, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%b, %sfb : tensor<4x136x256xf8E5M2>, tensor<4x2x2xf32>) outs(%wb : tensor<4x136x256xf32>) {
    ^bb0(%x: f8E5M2, %s: f32, %o: f32):
      %w = arith.extf %x : f8E5M2 to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<4x136x256xf32>
  %t = linalg.transpose ins(%1 : tensor<4x136x256xf32>) outs(%tb : tensor<4x256x136xf32>) permutation = [0, 2, 1]
  %c = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<4x?x136xf32>) -> tensor<4x?x136xf32>
  %2 = linalg.batch_matmul ins(%0, %t : tensor<4x?x256xf32>, tensor<4x256x136xf32>) outs(%z : tensor<4x?x136xf32>) -> tensor<4x?x136xf32>
  %3 = arith.truncf %2 : tensor<4x?x136xf32> to tensor<4x?x136xbf16>
  return %3 : tensor<4x?x136xbf16>
}

// -----

#a = affine_map<(g, m, n, k) -> (g, m, k)>
#sfa = affine_map<(g, m, n, k) -> (g, m, k floordiv 128)>
#b = affine_map<(g, m, n, k) -> (g, n, k)>
#sfb = affine_map<(g, m, n, k) -> (g, n, k floordiv 128)>
#d = affine_map<(g, m, n, k) -> (g, m, n)>
#batch = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}

// CHECK-LABEL: func @batch_plus_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<2x8x16xf32>, %{{[^:]+}}: tensor<2x8x16xf32>)
//       CHECK:   fp8gemm.grouped_gemm {{.+}} plus %[[C]] into
//   CHECK-NOT:   arith.addf
func.func @batch_plus_c(%a: tensor<2x8x256xf8E4M3FN>, %sfa: tensor<2x8x2xf32>, %b: tensor<2x16x256xf8E4M3FN>, %sfb: tensor<2x16x2xf32>,
    %c: tensor<2x8x16xf32>, %e: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  %0 = linalg.generic #batch
      ins(%a, %sfa, %b, %sfb : tensor<2x8x256xf8E4M3FN>, tensor<2x8x2xf32>, tensor<2x16x256xf8E4M3FN>, tensor<2x16x2xf32>) outs(%z : tensor<2x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<2x8x16xf32>
  %1 = arith.addf %0, %c : tensor<2x8x16xf32>
  return %1 : tensor<2x8x16xf32>
}

// -----

#a = affine_map<(g, m, n, k) -> (g, m, k)>
#sfa = affine_map<(g, m, n, k) -> (g, m, k floordiv 128)>
#b = affine_map<(g, m, n, k) -> (g, n, k)>
#sfb = affine_map<(g, m, n, k) -> (g, n, k floordiv 128)>
#d = affine_map<(g, m, n, k) -> (g, m, n)>
#batch = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}

// CHECK-LABEL: func @batch_from_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<2x8x16xf32>)
//       CHECK:   fp8gemm.grouped_gemm {{.+}} plus %[[C]] into %[[C]]
func.func @batch_from_c(%a: tensor<2x8x256xf8E4M3FN>, %sfa: tensor<2x8x2xf32>, %b: tensor<2x16x256xf8E4M3FN>, %sfb: tensor<2x16x2xf32>,
    %c: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.generic #batch
      ins(%a, %sfa, %b, %sfb : tensor<2x8x256xf8E4M3FN>, tensor<2x8x2xf32>, tensor<2x16x256xf8E4M3FN>, tensor<2x16x2xf32>) outs(%c : tensor<2x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<2x8x16xf32>
  return %0 : tensor<2x8x16xf32>
}

// -----

#a = affine_map<(g, m, n, k) -> (g, m, k)>
#sfa = affine_map<(g, m, n, k) -> (g, m, k floordiv 128)>
#b = affine_map<(g, m, n, k) -> (n, k)>
#sfb = affine_map<(g, m, n, k) -> (n, k floordiv 128)>
#d = affine_map<(g, m, n, k) -> (g, m, n)>
#batch = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}

// All groups share B.
func.func @one_b(%a: tensor<2x8x256xf8E4M3FN>, %sfa: tensor<2x8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %e: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.grouped_gemm: expected 'b' to be [groups, rows, K] with K innermost, got element (group, row, k) at (d0, d1, d2) -> (d1, d2) of tensor<16x256xf8E4M3FN>}}
  %0 = linalg.generic #batch
      ins(%a, %sfa, %b, %sfb : tensor<2x8x256xf8E4M3FN>, tensor<2x8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<2x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<2x8x16xf32>
  return %0 : tensor<2x8x16xf32>
}

// -----

#a = affine_map<(g, m, n, k) -> (g, m, k)>
#sfa = affine_map<(g, m, n, k) -> (g, m, k floordiv 128)>
#b = affine_map<(g, m, n, k) -> (g, n, k)>
#sfb = affine_map<(g, m, n, k) -> (g, n, k floordiv 128)>
#d = affine_map<(g, m, n, k) -> (g, m, n)>
#batch = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}

func.func @dynamic_groups(%a: tensor<?x8x256xf8E4M3FN>, %sfa: tensor<?x8x2xf32>, %b: tensor<?x16x256xf8E4M3FN>, %sfb: tensor<?x16x2xf32>,
    %e: tensor<?x8x16xf32>) -> tensor<?x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8x16xf32>) -> tensor<?x8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.grouped_gemm: expected G ('b' dimension 0) to be static, got ?}}
  %0 = linalg.generic #batch
      ins(%a, %sfa, %b, %sfb : tensor<?x8x256xf8E4M3FN>, tensor<?x8x2xf32>, tensor<?x16x256xf8E4M3FN>, tensor<?x16x2xf32>) outs(%z : tensor<?x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<?x8x16xf32>
  return %0 : tensor<?x8x16xf32>
}
