// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize -split-input-file -verify-diagnostics | FileCheck %s

// What follows a product becomes a part of it: the same operations in the same order.

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
#column = affine_map<(m, n) -> (m)>
#parallel = ["parallel", "parallel"]

// A bias, then GELU by erf, then a residual in bf16, and the rounding to bf16.
// CHECK-LABEL: func @bias_gelu_residual
//  CHECK-SAME:   %[[BIAS:[^:]+]]: tensor<256xbf16>, %[[C:[^:]+]]: tensor<8x256xbf16>
//       CHECK:   fp8gemm.gemm {{.+}} -> tensor<8x256xbf16> epilogue(%[[BIAS]] : tensor<256xbf16>, %[[C]] : tensor<8x256xbf16>) {
//  CHECK-NEXT:   ^bb0(%[[SUM:.+]]: f32, %[[X:.+]]: f32, %[[Y:.+]]: f32):
//       CHECK:     arith.addf %[[SUM]], %{{.+}} : f32
//       CHECK:     math.erf
//       CHECK:     arith.addf
//       CHECK:     %[[ALL:.+]] = arith.addf %{{.+}}, %{{.+}} : f32
//  CHECK-NEXT:     fp8gemm.yield %[[ALL]]
//   CHECK-NOT:   linalg
func.func @bias_gelu_residual(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                              %bias: tensor<256xbf16>, %c: tensor<8x256xbf16>, %d: tensor<8x256xf32>, %e: tensor<8x256xbf16>) -> tensor<8x256xbf16> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.707106769 : f32
  // expected-remark @below {{fused into fp8gemm.gemm: 3 elementwise operations on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = #parallel}
      ins(%0, %bias : tensor<8x256xf32>, tensor<256xbf16>) outs(%d : tensor<8x256xf32>) {
    ^bb0(%x: f32, %y: bf16, %o: f32):
      %w = arith.extf %y : bf16 to f32
      %s = arith.addf %x, %w : f32
      linalg.yield %s : f32
  } -> tensor<8x256xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = #parallel} ins(%1 : tensor<8x256xf32>) outs(%d : tensor<8x256xf32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.mulf %x, %root : f32
      %f = math.erf %s : f32
      %p = arith.addf %f, %one : f32
      %q = arith.mulf %p, %half : f32
      %r = arith.mulf %x, %q : f32
      linalg.yield %r : f32
  } -> tensor<8x256xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = #parallel}
      ins(%2, %c : tensor<8x256xf32>, tensor<8x256xbf16>) outs(%e : tensor<8x256xbf16>) {
    ^bb0(%x: f32, %y: bf16, %o: bf16):
      %w = arith.extf %y : bf16 to f32
      %s = arith.addf %x, %w : f32
      %t = arith.truncf %s : f32 to bf16
      linalg.yield %t : bf16
  } -> tensor<8x256xbf16>
  return %3 : tensor<8x256xbf16>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#column = affine_map<(m, n) -> (m)>
#parallel = ["parallel", "parallel"]

// D was rounded to bf16 before ReLU: so it is in the epilogue. A weight for each row is a column.
// CHECK-LABEL: func @rounded_relu_of_rows
//  CHECK-SAME:   %[[WEIGHT:[^:]+]]: tensor<8xf32>
//       CHECK:   %[[COLUMN:.+]] = tensor.expand_shape %[[WEIGHT]]
//       CHECK:   fp8gemm.gemm {{.+}} epilogue(%[[COLUMN]] : tensor<8x1xf32>) {
//       CHECK:     %[[NARROW:.+]] = arith.truncf %{{.+}} : f32 to bf16
//       CHECK:     %[[WIDE:.+]] = arith.extf %[[NARROW]] : bf16 to f32
//       CHECK:     %[[POSITIVE:.+]] = arith.maximumf %[[WIDE]]
//       CHECK:     arith.mulf %[[POSITIVE]]
//   CHECK-NOT:   linalg
func.func @rounded_relu_of_rows(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                                %weight: tensor<8xf32>, %d: tensor<8x256xbf16>, %e: tensor<8x256xf32>) -> tensor<8x256xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-remark @below {{fused into fp8gemm.gemm: 1 elementwise operation on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xbf16> -> tensor<8x256xbf16>
  %1 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = #parallel}
      ins(%0, %weight : tensor<8x256xbf16>, tensor<8xf32>) outs(%e : tensor<8x256xf32>) {
    ^bb0(%x: bf16, %y: f32, %o: f32):
      %w = arith.extf %x : bf16 to f32
      %p = arith.maximumf %w, %zero : f32
      %s = arith.mulf %p, %y : f32
      linalg.yield %s : f32
  } -> tensor<8x256xf32>
  return %1 : tensor<8x256xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#parallel = ["parallel", "parallel"]

// C in f32 and D in bf16: C is an operand of the epilogue, which adds it as the product did.
// CHECK-LABEL: func @wide_c
//  CHECK-SAME:   %[[C:[^:]+]]: tensor<8x256xf32>, %[[E:[^:]+]]: tensor<8x256xbf16>
//       CHECK:   fp8gemm.gemm {{.+}} into %[[E]] {{.+}} epilogue(%[[C]] : tensor<8x256xf32>) {
//  CHECK-NEXT:   ^bb0(%[[SUM:.+]]: f32, %[[X:.+]]: f32):
//  CHECK-NEXT:     arith.addf %[[X]], %[[SUM]] : f32
func.func @wide_c(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                  %c: tensor<8x256xf32>, %e: tensor<8x256xbf16>) -> tensor<8x256xbf16> {
  // expected-remark @below {{fused into fp8gemm.gemm: 1 elementwise operation on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %c
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = #parallel} ins(%0 : tensor<8x256xf32>) outs(%e : tensor<8x256xbf16>) {
    ^bb0(%x: f32, %o: bf16):
      %t = arith.truncf %x : f32 to bf16
      linalg.yield %t : bf16
  } -> tensor<8x256xbf16>
  return %1 : tensor<8x256xbf16>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#parallel = ["parallel", "parallel"]

// Somebody else needs the result without ReLU.
// CHECK-LABEL: func @other_use
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   epilogue
//       CHECK:   linalg.generic
func.func @other_use(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                     %d: tensor<8x256xf32>, %e: tensor<8x256xf32>) -> (tensor<8x256xf32>, tensor<8x256xf32>) {
  %zero = arith.constant 0.0 : f32
  // expected-remark @below {{not fused into fp8gemm.gemm: expected its result to be used by elementwise operations only, got 'func.return'}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = #parallel} ins(%0 : tensor<8x256xf32>) outs(%e : tensor<8x256xf32>) {
    ^bb0(%x: f32, %o: f32):
      %p = arith.maximumf %x, %zero : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  return %0, %1 : tensor<8x256xf32>, tensor<8x256xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#transposed = affine_map<(m, n) -> (n, m)>
#parallel = ["parallel", "parallel"]

// CHECK-LABEL: func @transposed_operand
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   epilogue
//       CHECK:   linalg.generic
func.func @transposed_operand(%a: tensor<256x256xf8E4M3FN>, %sfa: tensor<256x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                              %c: tensor<256x256xf32>, %d: tensor<256x256xf32>) -> tensor<256x256xf32> {
  // expected-remark @below {{not fused into fp8gemm.gemm: expected an operand of a row, a column or each element of D, got indices (d0, d1) -> (d1, d0)}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<256x256xf8E4M3FN>, tensor<256x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<256x256xf32> -> tensor<256x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #transposed, #id], iterator_types = #parallel}
      ins(%0, %c : tensor<256x256xf32>, tensor<256x256xf32>) outs(%d : tensor<256x256xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %p = arith.addf %x, %y : f32
      linalg.yield %p : f32
  } -> tensor<256x256xf32>
  return %1 : tensor<256x256xf32>
}

// -----

// The quantisation of a product whose D is bf16: rounded to it first.
// CHECK-LABEL: func @quantised
//       CHECK:   %[[R:.+]]:2 = fp8gemm.gemm {{.+}} into %{{.+}} scaled_by %{{.+}} <1x128, k_major> {{.+}} epilogue {
//       CHECK:     arith.truncf %{{.+}} : f32 to bf16
//       CHECK:   return %[[R]]#0, %[[R]]#1
func.func @quantised(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                     %d: tensor<8x256xbf16>, %q: tensor<8x256xf8E4M3FN>, %s: tensor<8x2xf32>) -> (tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) {
  // expected-remark @below {{fused into fp8gemm.gemm: the quantisation of its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xbf16> -> tensor<8x256xbf16>
  %1:2 = fp8gemm.quantize %0 into %q scaled_by %s <1x128, k_major> : tensor<8x256xbf16>, tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
    -> tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
  return %1#0, %1#1 : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
}

// -----

// CHECK-LABEL: func @quantised_and_used
//       CHECK:   fp8gemm.gemm
//       CHECK:   fp8gemm.quantize
func.func @quantised_and_used(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                              %d: tensor<8x256xf32>, %q: tensor<8x256xf8E4M3FN>, %s: tensor<8x2xf32>)
    -> (tensor<8x256xf32>, tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) {
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  // expected-remark @below {{not fused into fp8gemm.gemm: expected the product to have no other use, got 'func.return'}}
  %1:2 = fp8gemm.quantize %0 into %q scaled_by %s <1x128, k_major> : tensor<8x256xf32>, tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
    -> tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
  return %0, %1#0, %1#1 : tensor<8x256xf32>, tensor<8x256xf8E4M3FN>, tensor<8x2xf32>
}

// -----

// D is e4m3: not what e5m2 asks for.
// CHECK-LABEL: func @quantised_to_e5m2
//       CHECK:   fp8gemm.quantize
func.func @quantised_to_e5m2(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                             %d: tensor<8x256xf32>, %q: tensor<8x256xf8E5M2>, %s: tensor<8x2xf32>) -> (tensor<8x256xf8E5M2>, tensor<8x2xf32>) {
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  // expected-remark @below {{not fused into fp8gemm.gemm: expected 'd' elements to be 'f8E4M3FN', got 'f8E5M2'}}
  %1:2 = fp8gemm.quantize %0 into %q scaled_by %s <1x128, k_major> : tensor<8x256xf32>, tensor<8x256xf8E5M2>, tensor<8x2xf32>
    -> tensor<8x256xf8E5M2>, tensor<8x2xf32>
  return %1#0, %1#1 : tensor<8x256xf8E5M2>, tensor<8x2xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#parallel = ["parallel", "parallel"]

// Halves of the columns, for any M: all rows of both.
// CHECK-LABEL: func @gated_for_any_m
//       CHECK:   fp8gemm.gemm {{.+}} gated epilogue {
//  CHECK-NEXT:   ^bb0(%[[GATE:.+]]: f32, %[[UP:.+]]: f32):
//  CHECK-NEXT:     %[[PRODUCT:.+]] = arith.mulf %[[GATE]], %[[UP]] : f32
//  CHECK-NEXT:     fp8gemm.yield %[[PRODUCT]]
//   CHECK-NOT:   linalg
func.func @gated_for_any_m(%a: tensor<?x256xf8E4M3FN>, %sfa: tensor<?x2xf32>, %b: tensor<512x256xf8E4M3FN>, %sfb: tensor<4x2xf32>,
                           %d: tensor<?x512xf32>) -> tensor<?x256xf32> {
  %c0 = arith.constant 0 : index
  // expected-remark @below {{fused into a gated fp8gemm.gemm: 1 elementwise operation on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x256xf8E4M3FN>, tensor<?x2xf32>, tensor<512x256xf8E4M3FN>, tensor<4x2xf32>, tensor<?x512xf32> -> tensor<?x512xf32>
  %m = tensor.dim %a, %c0 : tensor<?x256xf8E4M3FN>
  %gate = tensor.extract_slice %0[0, 0] [%m, 256] [1, 1] : tensor<?x512xf32> to tensor<?x256xf32>
  %up = tensor.extract_slice %0[0, 256] [%m, 256] [1, 1] : tensor<?x512xf32> to tensor<?x256xf32>
  %e = tensor.empty(%m) : tensor<?x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = #parallel}
      ins(%gate, %up : tensor<?x256xf32>, tensor<?x256xf32>) outs(%e : tensor<?x256xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.mulf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<?x256xf32>
  return %1 : tensor<?x256xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#parallel = ["parallel", "parallel"]

// Only some of the rows, as far as is known: the result has fewer rows than the product.
// CHECK-LABEL: func @gated_for_some_rows
//       CHECK:   fp8gemm.gemm
//       CHECK:   linalg.generic
func.func @gated_for_some_rows(%a: tensor<?x256xf8E4M3FN>, %sfa: tensor<?x2xf32>, %b: tensor<512x256xf8E4M3FN>, %sfb: tensor<4x2xf32>,
                               %d: tensor<?x512xf32>, %m: index) -> tensor<?x256xf32> {
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x256xf8E4M3FN>, tensor<?x2xf32>, tensor<512x256xf8E4M3FN>, tensor<4x2xf32>, tensor<?x512xf32> -> tensor<?x512xf32>
  %gate = tensor.extract_slice %0[0, 0] [%m, 256] [1, 1] : tensor<?x512xf32> to tensor<?x256xf32>
  %up = tensor.extract_slice %0[0, 256] [%m, 256] [1, 1] : tensor<?x512xf32> to tensor<?x256xf32>
  %e = tensor.empty(%m) : tensor<?x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = #parallel}
      ins(%gate, %up : tensor<?x256xf32>, tensor<?x256xf32>) outs(%e : tensor<?x256xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.mulf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<?x256xf32>
  return %1 : tensor<?x256xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#one = affine_map<(m, n) -> (0, n)>
#parallel = ["parallel", "parallel"]

// The only row may have the index 0.
// CHECK-LABEL: func @one_row
//       CHECK:   fp8gemm.gemm {{.+}} epilogue {
//  CHECK-NEXT:   ^bb0(%[[SUM:.+]]: f32):
//  CHECK-NEXT:     arith.mulf %[[SUM]], %[[SUM]] : f32
//   CHECK-NOT:   linalg
func.func @one_row(%a: tensor<1x256xf8E4M3FN>, %sfa: tensor<1x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                   %d: tensor<1x256xf32>) -> tensor<1x256xf32> {
  // expected-remark @below {{fused into fp8gemm.gemm: 1 elementwise operation on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<1x256xf8E4M3FN>, tensor<1x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<1x256xf32> -> tensor<1x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #one, #id], iterator_types = #parallel}
      ins(%0, %0 : tensor<1x256xf32>, tensor<1x256xf32>) outs(%d : tensor<1x256xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.mulf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<1x256xf32>
  return %1 : tensor<1x256xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#parallel = ["parallel", "parallel"]

// What overwrites the product itself has another D then.
// CHECK-LABEL: func @over_the_product
//       CHECK:   %[[EMPTY:.+]] = tensor.empty() : tensor<8x256xf32>
//       CHECK:   fp8gemm.gemm {{.+}} into %[[EMPTY]] : {{.+}} epilogue {
//   CHECK-NOT:   linalg
func.func @over_the_product(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x256xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                            %d: tensor<8x256xf32>) -> tensor<8x256xf32> {
  // expected-remark @below {{fused into fp8gemm.gemm: 1 elementwise operation on its result}}
  %0 = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<256x256xf8E4M3FN>, tensor<2x2xf32>, tensor<8x256xf32> -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = #parallel} ins(%0 : tensor<8x256xf32>) outs(%0 : tensor<8x256xf32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.mulf %x, %x : f32
      linalg.yield %s : f32
  } -> tensor<8x256xf32>
  return %1 : tensor<8x256xf32>
}
