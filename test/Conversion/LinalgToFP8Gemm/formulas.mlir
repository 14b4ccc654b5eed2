// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize | FileCheck %s

// Ways to write a block-scaled product.

#a = affine_map<(m, n, k) -> (m, k)>
#sfa = affine_map<(m, n, k) -> (m, k floordiv 128)>
#b = affine_map<(m, n, k) -> (n, k)>
#sfb = affine_map<(m, n, k) -> (n, k floordiv 128)>
#d = affine_map<(m, n, k) -> (m, n)>
#product = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
#matmul = {indexing_maps = [#a, #b, #d], iterator_types = ["parallel", "parallel", "reduction"]}

// Scaled in the body of the contraction.
// CHECK-LABEL: func @scales_inside
//       CHECK:   fp8gemm.gemm %{{.+}} scaled_by %{{.+}} <1x128, k_major>, %{{.+}} scaled_by %{{.+}} <1x128, k_major> into
//   CHECK-NOT:   linalg.generic
func.func @scales_inside(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %q = arith.addf %p, %sum : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Multiplied and added at once, in another order.
// CHECK-LABEL: func @fma
//       CHECK:   fp8gemm.gemm %{{.+}} scaled_by %{{.+}} <1x128, k_major>, %{{.+}} scaled_by %{{.+}} <1x128, k_major> into
//   CHECK-NOT:   linalg.generic
func.func @fma(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %st = arith.mulf %s, %t : f32
      %sx = arith.mulf %st, %wx : f32
      %q = math.fma %wy, %sx, %sum : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// K in two loops: its blocks, and the elements of one.
// CHECK-LABEL: func @blocks_of_k
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   linalg.generic
func.func @blocks_of_k(%a2: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b2: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %a = tensor.expand_shape %a2 [[0], [1, 2]] output_shape [8, 2, 128] : tensor<8x256xf8E4M3FN> into tensor<8x2x128xf8E4M3FN>
  %b = tensor.expand_shape %b2 [[0], [1, 2]] output_shape [16, 2, 128] : tensor<16x256xf8E4M3FN> into tensor<16x2x128xf8E4M3FN>
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, kb, k) -> (m, kb, k)>, affine_map<(m, n, kb, k) -> (m, kb)>, affine_map<(m, n, kb, k) -> (n, kb, k)>,
      affine_map<(m, n, kb, k) -> (n, kb)>, affine_map<(m, n, kb, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x2x128xf8E4M3FN>, tensor<8x2xf32>, tensor<16x2x128xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// Multiplied before, then summed; elementwise on whole tensors.
// CHECK-LABEL: func @multiplied_then_summed
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   linalg.generic
func.func @multiplied_then_summed(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wb: tensor<16x256xf32>, %all: tensor<8x16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %wide = arith.extf %b : tensor<16x256xf8E4M3FN> to tensor<16x256xf32>
  %of_b = linalg.generic {indexing_maps = [affine_map<(n, k) -> (n, k floordiv 128)>, affine_map<(n, k) -> (n, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%sfb : tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%s: f32, %o: f32):
      linalg.yield %s : f32
  } -> tensor<16x256xf32>
  %scaled = arith.mulf %wide, %of_b : tensor<16x256xf32>
  %products = linalg.generic {indexing_maps = [#a, #sfa, #b, affine_map<(m, n, k) -> (m, n, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a, %sfa, %scaled : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf32>) outs(%all : tensor<8x16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f32, %o: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %p = arith.mulf %sx, %y : f32
      linalg.yield %p : f32
  } -> tensor<8x16x256xf32>
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = linalg.reduce { arith.addf } ins(%products : tensor<8x16x256xf32>) outs(%z : tensor<8x16xf32>) dimensions = [2]
  return %r : tensor<8x16xf32>
}

// Scales of whole blocks, and an N that ends within one: expanded, then cut.
// CHECK-LABEL: func @expanded_then_cut
//  CHECK-SAME:   %[[SFB:[^:]+]]: tensor<2x2xf32>
//       CHECK:   fp8gemm.gemm {{.+}} scaled_by %[[SFB]] <128x128, k_major> into
//   CHECK-NOT:   linalg.generic
func.func @expanded_then_cut(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<136x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
    %all: tensor<256x256xf32>, %e: tensor<8x136xf32>) -> tensor<8x136xf32> {
  %whole = linalg.generic {indexing_maps = [affine_map<(n, k) -> (n floordiv 128, k floordiv 128)>, affine_map<(n, k) -> (n, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%sfb : tensor<2x2xf32>) outs(%all : tensor<256x256xf32>) {
    ^bb0(%s: f32, %o: f32):
      linalg.yield %s : f32
  } -> tensor<256x256xf32>
  %of_b = tensor.extract_slice %whole[0, 0] [136, 256] [1, 1] : tensor<256x256xf32> to tensor<136x256xf32>
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x136xf32>) -> tensor<8x136xf32>
  %r = linalg.generic {indexing_maps = [#a, #sfa, #b, #b, #d], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %sfa, %b, %of_b : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<136x256xf8E4M3FN>, tensor<136x256xf32>) outs(%z : tensor<8x136xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
}

// One scale for all of B: a tensor of rank 0 on the way. Named operations and operations on whole tensors.
// CHECK-LABEL: func @one_scale
//  CHECK-SAME:   %[[A:[^:]+]]: tensor<8x128xf8E4M3FN>, %[[SFA:[^:]+]]: tensor<8x1xf32>, %[[B:[^:]+]]: tensor<8x128xf8E4M3FN>, %[[SFB:[^:]+]]: tensor<1x1xf32>
//       CHECK:   fp8gemm.gemm %[[A]] scaled_by %[[SFA]] <1x128, k_major>, %[[B]] scaled_by %[[SFB]] <128x128, k_major> into
//   CHECK-NOT:   linalg.contract
func.func @one_scale(%a: tensor<8x128xf8E4M3FN>, %sfa: tensor<8x1xf32>, %b: tensor<8x128xf8E4M3FN>, %sfb: tensor<1x1xf32>, %room: tensor<8x128xf32>) -> tensor<8x8xf32> {
  %wa = arith.extf %a : tensor<8x128xf8E4M3FN> to tensor<8x128xf32>
  %of_rows = tensor.collapse_shape %sfa [[0, 1]] : tensor<8x1xf32> into tensor<8xf32>
  %of_a = linalg.broadcast ins(%of_rows : tensor<8xf32>) outs(%room : tensor<8x128xf32>) dimensions = [1]
  %sa = linalg.mul ins(%wa, %of_a : tensor<8x128xf32>, tensor<8x128xf32>) outs(%room : tensor<8x128xf32>) -> tensor<8x128xf32>
  %wb = arith.extf %b : tensor<8x128xf8E4M3FN> to tensor<8x128xf32>
  %of_all = tensor.collapse_shape %sfb [] : tensor<1x1xf32> into tensor<f32>
  %of_b = linalg.broadcast ins(%of_all : tensor<f32>) outs(%room : tensor<8x128xf32>) dimensions = [0, 1]
  %sb = linalg.elementwise kind=#linalg.elementwise_kind<mul> ins(%wb, %of_b : tensor<8x128xf32>, tensor<8x128xf32>) outs(%room : tensor<8x128xf32>) -> tensor<8x128xf32>
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %d = linalg.contract indexing_maps = [#a, #b, #d] ins(%sa, %sb : tensor<8x128xf32>, tensor<8x128xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %d : tensor<8x8xf32>
}
