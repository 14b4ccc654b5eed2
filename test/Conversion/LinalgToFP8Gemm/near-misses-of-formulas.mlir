// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -verify-diagnostics | FileCheck %s

// Contractions of FP8 elements that compute something else, round elsewhere, or are written in a way that is not recognised.
// CHECK-NOT: fp8gemm.

#a = affine_map<(m, n, k) -> (m, k)>
#sfa = affine_map<(m, n, k) -> (m, k floordiv 128)>
#b = affine_map<(m, n, k) -> (n, k)>
#sfb = affine_map<(m, n, k) -> (n, k floordiv 128)>
#d = affine_map<(m, n, k) -> (m, n)>
#product = {indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = ["parallel", "parallel", "reduction"]}
#matmul = {indexing_maps = [#a, #b, #d], iterator_types = ["parallel", "parallel", "reduction"]}

// Nothing is known about what the sum starts from.
func.func @starts_from_nothing(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>) -> tensor<8x16xf32> {
  %z = tensor.empty() : tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the sum to start from zero or a tensor C, got an uninitialised one}}
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

// The sum is rounded to bf16 after each element.
func.func @narrow_sum(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xbf16>) -> tensor<8x16xbf16> {
  %c0 = arith.constant 0.0 : bf16
  %z = linalg.fill ins(%c0 : bf16) outs(%e : tensor<8x16xbf16>) -> tensor<8x16xbf16>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the sum in f32, got bf16}}
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xbf16>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: bf16):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %w = arith.extf %sum : bf16 to f32
      %q = arith.addf %w, %p : f32
      %h = arith.truncf %q : f32 to bf16
      linalg.yield %h : bf16
  } -> tensor<8x16xbf16>
  return %r : tensor<8x16xbf16>
}

// Scaled elements are rounded to bf16, and multiplied in bf16.
func.func @narrow_product(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a product of extended elements in f32, got 'arith.mulf' (bf16)}}
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %hx = arith.truncf %sx : f32 to bf16
      %hy = arith.truncf %sy : f32 to bf16
      %p = arith.mulf %hx, %hy : bf16
      %w = arith.extf %p : bf16 to f32
      %q = arith.addf %sum, %w : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// The same element by element.
func.func @narrow_factor(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a product of extended elements in f32, got 'arith.truncf' (bf16)}}
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %hx = arith.truncf %sx : f32 to bf16
      %wide = arith.extf %hx : bf16 to f32
      %p = arith.mulf %wide, %sy : f32
      %q = arith.addf %sum, %p : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Divided by scales.
func.func @divided(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a product of extended elements in f32, got 'arith.divf' (f32)}}
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.divf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %q = arith.addf %sum, %p : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Two products.
func.func @two_products(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the body to yield the sum plus one product and nothing else, got 'arith.addf' (f32)}}
  %r = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %p = arith.mulf %sx, %sy : f32
      %q = arith.addf %sum, %p : f32
      %r1 = arith.addf %q, %p : f32
      linalg.yield %r1 : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Dequantised to bf16, then multiplied.
func.func @dequantised_to_bf16(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %wa: tensor<8x256xbf16>, %wb: tensor<16x256xbf16>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k floordiv 128)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xbf16>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: bf16):
      %f = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %f, %s : f32
      %h = arith.truncf %p : f32 to bf16
      linalg.yield %h : bf16
  } -> tensor<8x256xbf16>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k floordiv 128)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xbf16>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: bf16):
      %f = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %f, %s : f32
      %h = arith.truncf %p : f32 to bf16
      linalg.yield %h : bf16
  } -> tensor<16x256xbf16>
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'a' to be FP8 elements, extended and multiplied by scales in f32, got 'arith.truncf' (bf16)}}
  %r = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xbf16>, tensor<16x256xbf16>) outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// Scales of the whole matrices, after the product.
func.func @scaled_after(%a: tensor<8x256xf8E4M3FN>, %b: tensor<16x256xf8E4M3FN>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected scales among the factors that are summed, got none; scales that multiply sums, of all of K or of its blocks, are not recognised}}
  %r = linalg.generic #matmul
      ins(%a, %b : tensor<8x256xf8E4M3FN>, tensor<16x256xf8E4M3FN>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %y: f8E4M3FN, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %p = arith.mulf %wx, %wy : f32
      %q = arith.addf %sum, %p : f32
      linalg.yield %q : f32
  } -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// The blocked formula: each K block is summed, then scaled, then added. One remark, where FP8 is multiplied.
func.func @blocked(%a: tensor<8x2x128xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x2x128xf8E4M3FN>, %sfb: tensor<16x2xf32>, %p0: tensor<8x16x2xf32>,
    %z: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-remark @below {{expected scales among the factors that are summed, got none; scales that multiply sums, of all of K or of its blocks, are not recognised}}
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, kb, k) -> (m, kb, k)>, affine_map<(m, n, kb, k) -> (n, kb, k)>, affine_map<(m, n, kb, k) -> (m, n, kb)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<8x2x128xf8E4M3FN>, tensor<16x2x128xf8E4M3FN>) outs(%p0 : tensor<8x16x2xf32>) {
    ^bb0(%x: f8E4M3FN, %y: f8E4M3FN, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %p = arith.mulf %wx, %wy : f32
      %q = arith.addf %sum, %p : f32
      linalg.yield %q : f32
  } -> tensor<8x16x2xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, n, kb) -> (m, n, kb)>, affine_map<(m, n, kb) -> (m, kb)>, affine_map<(m, n, kb) -> (n, kb)>, affine_map<(m, n, kb) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0, %sfa, %sfb : tensor<8x16x2xf32>, tensor<8x2xf32>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f32, %s: f32, %t: f32, %sum: f32):
      %p = arith.mulf %s, %t : f32
      %q = arith.mulf %p, %x : f32
      %r = arith.addf %sum, %q : f32
      linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %1 : tensor<8x16xf32>
}

// K in two loops, but matrices that are not [rows, K].
func.func @matrices_in_blocks(%a: tensor<8x2x128xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x2x128xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'a' to be [rows, K] with K innermost, got element (row, k) at (d0, d1) -> (d0, d1 floordiv 128, d1 mod 128) of tensor<8x2x128xf8E4M3FN>}}
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, kb, k) -> (m, kb, k)>, affine_map<(m, n, kb, k) -> (m, kb)>, affine_map<(m, n, kb, k) -> (n, kb, k)>,
      affine_map<(m, n, kb, k) -> (n, kb)>, affine_map<(m, n, kb, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %sfa, %b, %sfb : tensor<8x2x128xf8E4M3FN>, tensor<8x2xf32>, tensor<16x2x128xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// Buffers: what was a value may be overwritten.
func.func @buffers(%a: memref<8x256xf8E4M3FN>, %sfa: memref<8x2xf32>, %b: memref<16x256xf8E4M3FN>, %sfb: memref<16x2xf32>, %d: memref<8x16xf32>) {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a contraction of tensors, got one of memrefs; raise before bufferization}}
  linalg.generic #product
      ins(%a, %sfa, %b, %sfb : memref<8x256xf8E4M3FN>, memref<8x2xf32>, memref<16x256xf8E4M3FN>, memref<16x2xf32>) outs(%d : memref<8x16xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  }
  return
}

// The same, where FP8 went through a buffer of f32.
func.func @buffers_of_f32(%a: memref<8x256xf8E4M3FN>, %b: memref<16x256xf32>, %d: memref<8x16xf32>) {
  %wide = memref.alloc() : memref<8x256xf32>
  linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<8x256xf8E4M3FN>) outs(%wide : memref<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      linalg.yield %w : f32
  }
  %view = memref.cast %wide : memref<8x256xf32> to memref<?x256xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected a contraction of tensors, got one of memrefs; raise before bufferization}}
  linalg.matmul indexing_maps = [#a, #b, #d] ins(%view, %b : memref<?x256xf32>, memref<16x256xf32>) outs(%d : memref<8x16xf32>)
  return
}

// FP8 becomes f32 in a loop: it cannot be traced, but is not forgotten.
func.func @through_a_loop(%a: tensor<8x256xf8E4M3FN>, %b: tensor<16x256xf32>, %wa: tensor<8x256xf32>, %z: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %0 = scf.for %i = %c0 to %c8 step %c1 iter_args(%rows = %wa) -> (tensor<8x256xf32>) {
    %x = tensor.extract %a[%i, %c0] : tensor<8x256xf8E4M3FN>
    %w = arith.extf %x : f8E4M3FN to f32
    %next = tensor.insert %w into %rows[%i, %c0] : tensor<8x256xf32>
    scf.yield %next : tensor<8x256xf32>
  }
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'a' to be FP8 elements, extended and multiplied by scales in f32, got 'scf.for' (f32)}}
  %r = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %b : tensor<8x256xf32>, tensor<16x256xf32>) outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  // What is computed from the product is no FP8 any more: no remark.
  %s = linalg.matmul ins(%r, %b : tensor<8x16xf32>, tensor<16x256xf32>) outs(%wa : tensor<8x256xf32>) -> tensor<8x256xf32>
  %t = linalg.matmul indexing_maps = [#a, #b, #d] ins(%s, %b : tensor<8x256xf32>, tensor<16x256xf32>) outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %t : tensor<8x16xf32>
}

// The contraction is in a function that is called.
func.func private @product(%a: tensor<8x256xf32>, %b: tensor<16x256xf32>, %z: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one factor of f8E4M3FN or f8E5M2 in 'a', got 0}}
  %r = linalg.matmul indexing_maps = [#a, #b, #d] ins(%a, %b : tensor<8x256xf32>, tensor<16x256xf32>) outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

func.func @through_a_call(%a: tensor<8x256xf8E4M3FN>, %b: tensor<16x256xf32>, %z: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %wide = arith.extf %a : tensor<8x256xf8E4M3FN> to tensor<8x256xf32>
  %r = call @product(%wide, %b, %z) : (tensor<8x256xf32>, tensor<16x256xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %r : tensor<8x16xf32>
}

// A vector, and a convolution.
func.func @vector(%a: tensor<8x256xf8E4M3FN>, %x: tensor<256xf8E4M3FN>, %y: tensor<8xf32>) -> tensor<8xf32> {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the result to be a matrix (rank 2) or a batch of them (rank 3), got rank 1}}
  %0 = linalg.matvec ins(%a, %x : tensor<8x256xf8E4M3FN>, tensor<256xf8E4M3FN>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

func.func @convolution(%x: tensor<1x8x8x16xf8E4M3FN>, %w: tensor<3x3x16x8xf8E4M3FN>, %y: tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32> {
  // expected-remark @below {{not raised to fp8gemm.gemm: expected the result to be a matrix (rank 2) or a batch of them (rank 3), got rank 4}}
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x8x8x16xf8E4M3FN>, tensor<3x3x16x8xf8E4M3FN>) outs(%y : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  return %0 : tensor<1x6x6x8xf32>
}

// Other FP8 types are named.
func.func @other_types(%a: tensor<8x256xf8E4M3FNUZ>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'a' elements to be 'f8E4M3FN' or 'f8E5M2', got 'f8E4M3FNUZ'}}
  %0 = linalg.generic #product
      ins(%a, %sfa, %b, %sfb : tensor<8x256xf8E4M3FNUZ>, tensor<8x2xf32>, tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%z : tensor<8x16xf32>) {
    ^bb0(%x: f8E4M3FNUZ, %s: f32, %y: f8E4M3FN, %t: f32, %sum: f32):
      %wx = arith.extf %x : f8E4M3FNUZ to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %sum : f32
      linalg.yield %next : f32
  } -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// A sum that is no contraction: no remark.
func.func @sum_of_rows(%a: tensor<8x256xf8E4M3FN>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<8x256xf8E4M3FN>) outs(%y : tensor<8xf32>) {
    ^bb0(%x: f8E4M3FN, %sum: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %square = arith.mulf %w, %w : f32
      %q = arith.addf %sum, %square : f32
      linalg.yield %q : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
