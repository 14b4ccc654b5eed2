// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -split-input-file -verify-diagnostics | FileCheck %s

// Contractions with FP8 in them that are no fp8gemm.gemm stay, and a remark names the rule.
// CHECK-NOT: fp8gemm.gemm

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// B is no FP8.
func.func @one_operand(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xbf16>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xbf16>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: bf16, %s: f32, %o: f32):
      %w = arith.extf %x : bf16 to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one factor of f8E4M3FN or f8E5M2 in 'b', got 0}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// A has no scales.
func.func @unscaled(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %p = arith.extf %x : f8E4M3FN to f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one factor of scales in 'a', got 0}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// A is scaled twice.
func.func @scaled_twice(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %q = arith.mulf %w, %s : f32
      %p = arith.mulf %q, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one factor of scales in 'a', got 2}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#transposed = affine_map<(m, k) -> (k, m)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// B is stored [K, N].
func.func @n_innermost(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<256x16xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#transposed, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<256x16xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'b' to be [rows, K] with K innermost, got element (row, k) at (d0, d1) -> (d1, d0) of tensor<256x16xf8E4M3FN>}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// Scales are bf16.
func.func @narrow_scales(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xbf16>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xbf16>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: bf16, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %t = arith.extf %s : bf16 to f32
      %p = arith.mulf %w, %t : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected 'sfa' elements to be 'f32', got 'bf16'}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#scale64 = affine_map<(m, k) -> (m, k floordiv 64)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// A scale serves 64 elements of K.
func.func @short_blocks(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x4xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale64, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x4xf32>) outs(%wa : tensor<8x256xf32>) {
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
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one scale for 1x128 elements of 'a', got that of element (row, k) at (d0, d1) -> (d0, d1 floordiv 64) of tensor<8x4xf32>}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#blocks = affine_map<(m, k) -> (m floordiv 128, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// A is scaled by 128x128 blocks.
func.func @blocks_of_a(%a: tensor<256x256xf8E4M3FN>, %sfa: tensor<2x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<256x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<256x16xf32>) -> tensor<256x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #blocks, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<256x256xf8E4M3FN>, tensor<2x2xf32>) outs(%wa : tensor<256x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<256x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<256x16xf32>) -> tensor<256x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one scale for 1x128 elements of 'a', got that of element (row, k) at (d0, d1) -> (d0 floordiv 128, d1 floordiv 128) of tensor<2x2xf32>}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<256x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<256x16xf32>) -> tensor<256x16xf32>
  return %3 : tensor<256x16xf32>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#scale = affine_map<(m, k) -> (m, k floordiv 128)>
#first = affine_map<(m, k) -> (m, 0)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// B's scales don't depend on K.
func.func @scale_of_columns(%a: tensor<8x256xf8E4M3FN>, %sfa: tensor<8x2xf32>, %b: tensor<16x256xf8E4M3FN>, %sfb: tensor<16x2xf32>,
    %wa: tensor<8x256xf32>, %wb: tensor<16x256xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #scale, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %sfa : tensor<8x256xf8E4M3FN>, tensor<8x2xf32>) outs(%wa : tensor<8x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<8x256xf32>
  %1 = linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<16x256xf8E4M3FN>, tensor<16x2xf32>) outs(%wb : tensor<16x256xf32>) {
    ^bb0(%x: f8E4M3FN, %s: f32, %o: f32):
      %w = arith.extf %x : f8E4M3FN to f32
      %p = arith.mulf %w, %s : f32
      linalg.yield %p : f32
  } -> tensor<16x256xf32>
  %c = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  // expected-remark @below {{not raised to fp8gemm.gemm: expected one scale for 1x128 or 128x128 elements of 'b', got that of element (row, k) at (d0, d1) -> (d0, 0) of tensor<16x2xf32>}}
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<8x256xf32>, tensor<16x256xf32>) outs(%2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}
