// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize | FileCheck %s

// C is what the sum starts from, or what is added to it, where that is what the operation means (docs/Numerics.md).

#a = affine_map<(m, n, k) -> (m, k)>
#sfa = affine_map<(m, n, k) -> (m, k floordiv 128)>
#b = affine_map<(m, n, k) -> (n, k)>
#sfb = affine_map<(m, n, k) -> (n floordiv 128, k floordiv 128)>
#d = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#product = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}

// The sum starts from C: in place.
// CHECK-LABEL: func @starts_from_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<8x16xf32>)
//       CHECK:   %[[D:.+]] = fp8gemm.gemm {{.+}} plus %[[C]] into %[[C]]
//   CHECK-NOT:   linalg
//       CHECK:   return %[[D]]
func.func @starts_from_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%c : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  return %d : tensor<8x16xf32>
}

// A value in every element is a C, too.
// CHECK-LABEL: func @starts_from_ones
//       CHECK:   %[[C:.+]] = linalg.fill
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[C]] into %[[C]]
func.func @starts_from_ones(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %one = arith.constant 1.0 : f32
  %c = linalg.fill ins(%one : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%c : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  return %d : tensor<8x16xf32>
}

// C is bf16, as D is: both roundings are the operation's.
// CHECK-LABEL: func @starts_from_narrow_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<8x16xbf16>,
//       CHECK:   %[[D:.+]] = tensor.empty() : tensor<8x16xbf16>
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[C]] into %[[D]]
//   CHECK-NOT:   linalg
func.func @starts_from_narrow_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %narrow: tensor<8x16xbf16>, %e: tensor<8x16xf32>, %f: tensor<8x16xbf16>) -> tensor<8x16xbf16> {
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%narrow : tensor<8x16xbf16>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%x: bf16, %o: f32):
      %w = arith.extf %x : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%c : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<8x16xf32>) outs(%f : tensor<8x16xbf16>) {
    ^bb0(%x: f32, %o: bf16):
      %w = arith.truncf %x : f32 to bf16
      linalg.yield %w : bf16
  } -> tensor<8x16xbf16>
  return %r : tensor<8x16xbf16>
}

// C is f32 and D is not: C is an operand of the epilogue.
// CHECK-LABEL: func @rounded_after_wide_c
//       CHECK:   fp8gemm.gemm {{.+}} -> tensor<8x16xbf16> epilogue(%{{.+}} : tensor<8x16xf32>) {
//       CHECK:     arith.addf
//   CHECK-NOT:   linalg
func.func @rounded_after_wide_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xf32>, %f: tensor<8x16xbf16>) -> tensor<8x16xbf16> {
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%c : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<8x16xf32>) outs(%f : tensor<8x16xbf16>) {
    ^bb0(%x: f32, %o: bf16):
      %w = arith.truncf %x : f32 to bf16
      linalg.yield %w : bf16
  } -> tensor<8x16xbf16>
  return %r : tensor<8x16xbf16>
}

// C is added to the sum: once, in f32, as the operation does.
// CHECK-LABEL: func @adds_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<8x16xf32>,
//       CHECK:   %[[D:.+]] = tensor.empty() : tensor<8x16xf32>
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[C]] into %[[D]]
//   CHECK-NOT:   linalg
func.func @adds_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = linalg.add ins(%c, %d : tensor<8x16xf32>, tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// CHECK-LABEL: func @adds_c_of_arith
//       CHECK:   fp8gemm.gemm {{.+}} plus
//   CHECK-NOT:   arith.addf
func.func @adds_c_of_arith(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = arith.addf %d, %c : tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// CHECK-LABEL: func @adds_narrow_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<8x16xbf16>,
//       CHECK:   fp8gemm.gemm {{.+}} plus %[[C]] into {{.+}} -> tensor<8x16xbf16>
//   CHECK-NOT:   linalg
func.func @adds_narrow_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xbf16>, %e: tensor<8x16xf32>, %f: tensor<8x16xbf16>) -> tensor<8x16xbf16> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d, %c : tensor<8x16xf32>, tensor<8x16xbf16>) outs(%f : tensor<8x16xbf16>) {
    ^bb0(%x: f32, %y: bf16, %o: bf16):
      %w = arith.extf %y : bf16 to f32
      %q = arith.addf %x, %w : f32
      %h = arith.truncf %q : f32 to bf16
      linalg.yield %h : bf16
  } -> tensor<8x16xbf16>
  return %r : tensor<8x16xbf16>
}

// Rounded before C is added: twice rounded is not what the operation does. The product is raised, the addition stays.
// CHECK-LABEL: func @adds_after_rounding
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   plus
//       CHECK:   arith.addf {{.+}} : tensor<8x16xbf16>
func.func @adds_after_rounding(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xbf16>, %e: tensor<8x16xf32>) -> tensor<8x16xbf16> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %h = arith.truncf %d : tensor<8x16xf32> to tensor<8x16xbf16>
  %r = arith.addf %h, %c : tensor<8x16xbf16>
  return %r : tensor<8x16xbf16>
}

// A bias for each column is no C, but a row of the epilogue.
// CHECK-LABEL: func @adds_bias
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   plus
//       CHECK:   epilogue(%{{.+}} : tensor<16xf32>)
//   CHECK-NOT:   linalg
func.func @adds_bias(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %bias: tensor<16xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = linalg.generic {indexing_maps = [#id, affine_map<(m, n) -> (n)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d, %bias : tensor<8x16xf32>, tensor<16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %q = arith.addf %x, %y : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Something else needs the sum without C.
// CHECK-LABEL: func @adds_c_to_one_use
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   plus
//       CHECK:   arith.addf
func.func @adds_c_to_one_use(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<1x2xf32>, %c: tensor<8x16xf32>, %e: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %d = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<1x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %next = arith.addf %sum, %p : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  %r = arith.addf %d, %c : tensor<8x16xf32>
  return %r, %d : tensor<8x16xf32>, tensor<8x16xf32>
}
