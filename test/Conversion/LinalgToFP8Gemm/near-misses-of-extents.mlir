// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -split-input-file -verify-diagnostics | FileCheck %s

// Contractions with FP8 in them that are no fp8gemm.gemm stay, and a remark names the rule.
// CHECK-NOT: fp8gemm.gemm

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// The sum does not start from zero.
func.func @sum_of_something(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 1.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the sum to start from zero, got another value}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

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
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a static N that is a multiple of 8, got 12}}
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
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a static N that is a multiple of 8, got a dynamic one}}
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
  // expected-remark @below {{not raised to fp8gemm.gemm: expected K to be a multiple of 16, got 200}}
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
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a static K, got a dynamic one}}
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
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales of 'a' stored K block first to have rows of a multiple of 4, got 6}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<6x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<6x16xf32>) -> tensor<6x16xf32>
  return %3 : tensor<6x16xf32>
}

// -----

// Products of many matrices.
func.func @batch(%a: tensor<2x8x16xf8E4M3FN>, %wa: tensor<2x8x16xf32>, %b: tensor<2x16x16xf32>, %d: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(g, m, k) -> (g, m, k)>, affine_map<(g, m, k) -> (g, m, k)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%a : tensor<2x8x16xf8E4M3FN>) outs(%wa : tensor<2x8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      linalg.yield %w : f32
  } -> tensor<2x8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one product of two matrices, got a batch of them or a vector}}
  %1 = linalg.batch_matmul ins(%0, %b : tensor<2x8x16xf32>, tensor<2x16x16xf32>) outs(%d : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %1 : tensor<2x8x16xf32>
}

// -----

// Nothing is scaled, and nothing is extended: the product is a product of FP8 as it is.
func.func @narrow_operands(%a: tensor<8x16xf8E4M3FN>, %b: tensor<16x16xf8E4M3FN>, %d: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the product of scaled elements in f32, got f8E4M3FN}}
  %0 = linalg.matmul ins(%a, %b : tensor<8x16xf8E4M3FN>, tensor<16x16xf8E4M3FN>) outs(%d : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// No FP8: no remark.
func.func @other(%a: tensor<8x16xf32>, %b: tensor<16x16xf32>, %d: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x16xf32>) outs(%d : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}
