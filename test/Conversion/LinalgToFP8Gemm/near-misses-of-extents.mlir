// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -split-input-file -verify-diagnostics | FileCheck %s

// Contractions with FP8 in them that are no fp8gemm.gemm stay, and a remark names the rule.
// CHECK-NOT: fp8gemm.gemm

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// N is no multiple of 8.
func.func @odd_n(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<12x256xf8E4M3FN>, %sfb: tensor<12x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<12x256xf32>, %e: tensor<8x12xf32>) -> tensor<8x12xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<12x256xf8E4M3FN>, tensor<12x2xf32>) outs(%wb : tensor<12x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<12x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected N to be a positive multiple of 8, got 12}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<12x256xf32>) outs(%2 : tensor<8x12xf32>) -> tensor<8x12xf32>
  return %3 : tensor<8x12xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// N is not known.
func.func @dynamic_n(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<?x256xf8E4M3FN>, %sfb: tensor<?x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<?x256xf32>, %e: tensor<8x?xf32>) -> tensor<8x?xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<?x256xf8E4M3FN>, tensor<?x2xf32>) outs(%wb : tensor<?x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<?x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x?xf32>) -> tensor<8x?xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected N ('b' dimension 0) to be static, got ?}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<?x256xf32>) outs(%2 : tensor<8x?xf32>) -> tensor<8x?xf32>
  return %3 : tensor<8x?xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// K is no multiple of 16.
func.func @odd_k(%a: tensor<8x200xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x200xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x200xf32>, %wb: tensor<16x200xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x200xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x200xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x200xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x200xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x200xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x200xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected K to be a positive multiple of 16, got 200}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x200xf32>, tensor<16x200xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// K is not known.
func.func @dynamic_k(%a: tensor<8x?xf8E4M3FN>, %sfa: tensor<8x?xf32>, %b: tensor<16x?xf8E4M3FN>, %sfb: tensor<16x?xf32>,
    %wa: tensor<8x?xf32>, %wb: tensor<16x?xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x?xf8E4M3FN>, tensor<8x?xf32>) outs(%wa : tensor<8x?xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x?xf8E4M3FN>, tensor<16x?xf32>) outs(%wb : tensor<16x?xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x?xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected K ('b' dimension 1) to be static, got ?}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x?xf32>, tensor<16x?xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#first_k = affine_map<(m, k) -> (k floordiv 128, m)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// Rows of scales that TMA can't step over.
func.func @unaligned_scales(%a: tensor<6x256xf8E4M3FN>, %sfa: tensor<2x6xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<6x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<6x16xf32>) -> tensor<6x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #first_k, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<6x256xf8E4M3FN>, tensor<2x6xf32>) outs(%wa : tensor<6x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<6x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<6x16xf32>) -> tensor<6x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'sfa' rows to be a multiple of 4 scales (mn_major), got 6; pad them to 8}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<6x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<6x16xf32>) -> tensor<6x16xf32>
  return %3 : tensor<6x16xf32>
}

// -----

// A batch, of which A is not scaled.
func.func @batch(%a: tensor<2x8x16xf8E4M3FN>, %wa: tensor<2x8x16xf32>, %b: tensor<2x16x16xf32>, %d: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(g, m, k) -> (g, m, k)>, affine_map<(g, m, k) -> (g, m, k)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%a : tensor<2x8x16xf8E4M3FN>) outs(%wa : tensor<2x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      linalg.yield %w : f32
  } -> tensor<2x8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.grouped_gemm: expected one factor of scales in 'a', got 0}}
  %1 = linalg.batch_matmul ins(%0, %b : tensor<2x8x16xf32>, tensor<2x16x16xf32>) outs(%d : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %1 : tensor<2x8x16xf32>
}

// -----

// Nothing is scaled, and nothing is extended: the product is a product of FP8 as it is.
func.func @narrow_operands(%a: tensor<8x16xf8E4M3FN>, %b: tensor<16x16xf8E4M3FN>, %d: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales among the factors that are summed, got none; scales that multiply sums, of all of K or of its blocks, are not recognised}}
  %0 = linalg.matmul ins(%a, %b : tensor<8x16xf8E4M3FN>, tensor<16x16xf8E4M3FN>) outs(%d : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// No FP8: no remark.
func.func @other(%a: tensor<8x16xf32>, %b: tensor<16x16xf32>, %d: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x16xf32>) outs(%d : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#sfa = affine_map<(m, n, k) -> (m, k floordiv 128)>
#sfa_t = affine_map<(m, n, k) -> (k floordiv 128, m)>
#b = affine_map<(m, n, k) -> (n, k)>
#sfb = affine_map<(m, n, k) -> (n floordiv 128, k floordiv 128)>
#d = affine_map<(m, n, k) -> (m, n)>

// More K blocks than K has.
func.func @spare_k_blocks(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x3xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'a' to be [8, 2] (k_major), got tensor<8x3xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x3xf32>, tensor<136x256xf8E4M3FN>, tensor<2x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// The same, stored K block first.
func.func @spare_k_blocks_first(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<4x8xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'a' to be [2, 8] (mn_major), got tensor<4x8xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa_t, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<4x8xf32>, tensor<136x256xf8E4M3FN>, tensor<2x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// As many K blocks as the program is given.
func.func @dynamic_k_blocks(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x?xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'a' to be [8, 2] (k_major), got tensor<8x?xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x?xf32>, tensor<136x256xf8E4M3FN>, tensor<2x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// One K block, of three.
func.func @spare_blocks_of_one(%a: tensor<8x64xf8E4M3FN>, %sfa: tensor<8x3xf32>, %b: tensor<136x64xf8E4M3FN>, %sfb: tensor<2x1xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'a' to be [8, 1] (k_major), got tensor<8x3xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x64xf8E4M3FN>, tensor<8x3xf32>, tensor<136x64xf8E4M3FN>, tensor<2x1xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// More blocks of rows than N has.
func.func @spare_n_blocks(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<3x2xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'b' to be [2, 2] (k_major), got tensor<3x2xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<136x256xf8E4M3FN>, tensor<3x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// As many as the program is given: there may be more than N has.
func.func @dynamic_n_blocks(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<?x2xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'b' to be [2, 2] (k_major), got tensor<?x2xf32>}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<136x256xf8E4M3FN>, tensor<?x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// N is known of B, not of the result.
func.func @dynamic_columns(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>, %e: tensor<8x?xf32>) -> tensor<8x?xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x?xf32>) -> tensor<8x?xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected N ('d' dimension 1) to be static, got ?}}
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<136x256xf8E4M3FN>, tensor<2x2xf32>) outs(%z : tensor<8x?xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x?xf32>
  return %r : tensor<8x?xf32>
}

// Rows of a larger matrix: what is sliced is f32 already.
func.func @cut_after_scaling(%a: tensor<16x256xf8E4M3FN>, %sfa: tensor<16x2xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
    %w: tensor<16x256xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %wide = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k floordiv 128)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%w : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %f = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %f, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %rows = tensor.extract_slice %wide[0, 0] [8, 256] [1, 1] : tensor<16x256xf32> to tensor<8x256xf32>
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'a' to be [8, 256], as the loops are, got a part of tensor<16x256xf8E4M3FN>}}
  %r = linalg.generic {indexing_maps = [#a, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%rows, %b, %sfb : tensor<8x256xf32>, tensor<136x256xf8E4M3FN>, tensor<2x2xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wy = arith.extf %y : f8E4M3FN to f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %x, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}
