// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
//
// @gemm_cN_* breaks constraint (CN) of fp8gemm.gemm and nothing else.

func.func @gemm_c1_kinds(%a: memref<?x144xf8E4M3FN>, %sfa: tensor<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected operands to be all tensors or all memrefs, got 'a' 'memref<?x144xf8E4M3FN>' and 'sfa' 'tensor<2x?xf32>'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, tensor<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c1_rank(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<4xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' to have rank 2, got 1}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<4xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c2_a_f16(%a: memref<?x144xf16>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a' elements to be 'f8E4M3FN' or 'f8E5M2', got 'f16'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf16>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c2_b_bf16(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xbf16>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' elements to be 'f8E4M3FN' or 'f8E5M2', got 'bf16'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xbf16>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c3_sfa_e8m0(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf8E8M0FNU>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfa' elements to be 'f32', got 'f8E8M0FNU' (power-of-two scales are not built yet)}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf8E8M0FNU>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c3_sfb_bf16(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xbf16>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' elements to be 'f32', got 'bf16'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xbf16>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c4_d_f16(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xf16>) {
  // expected-error @below {{expected 'd' elements to be 'bf16' or 'f32', got 'f16' (other types of D are not built yet)}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xf16>
  return
}

// -----

func.func @gemm_c5_n_dynamic(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<?x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected N ('b' dimension 0) to be static, got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<?x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c5_n_dynamic_in_d(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x?xbf16>) {
  // expected-error @below {{expected N ('d' dimension 1) to be static, got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x?xbf16>
  return
}

// -----

func.func @gemm_c5_k_dynamic(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x?xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K ('b' dimension 1) to be static, got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x?xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c5_k_dynamic_in_a(%a: memref<?x?xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K ('a' dimension 1) to be static, got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x?xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c6_k(%a: memref<?x128xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a' and 'b' to agree on K, got 128 and 144}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c6_d_rows(%a: memref<7x144xf8E4M3FN>, %sfa: memref<2x8xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<8x136xbf16>) {
  // expected-error @below {{expected 'd' to be [rows of 'a', rows of 'b'] = [7, 136], got [8, 136]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<2x8xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<8x136xbf16>
  return
}

// -----

func.func @gemm_c6_d_columns(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x128xbf16>) {
  // expected-error @below {{expected 'd' to be [rows of 'a', rows of 'b'] = [?, 136], got [?, 128]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x128xbf16>
  return
}

// -----

func.func @gemm_c7_n_multiple_of_8(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<132x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x132xbf16>) {
  // expected-error @below {{expected N to be a positive multiple of 8, got 132}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<132x144xf8E4M3FN>, memref<2x2xf32>, memref<?x132xbf16>
  return
}

// -----

func.func @gemm_c7_n_zero(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<0x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x0xbf16>) {
  // expected-error @below {{expected N to be a positive multiple of 8, got 0}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<0x144xf8E4M3FN>, memref<2x2xf32>, memref<?x0xbf16>
  return
}

// -----

func.func @gemm_c8_k_multiple_of_16(%a: memref<?x136xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x136xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K to be a positive multiple of 16, got 136}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x136xf8E4M3FN>, memref<2x?xf32>, memref<136x136xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c8_k_zero(%a: memref<?x0xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x0xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K to be a positive multiple of 16, got 0}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x0xf8E4M3FN>, memref<2x?xf32>, memref<136x0xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c9_a_block(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a_scale' to have 1x128 blocks, got 1x32 (other blocks are not built yet)}}
  fp8gemm.gemm %a scaled_by %sfa <1x32, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c9_b_block(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b_scale' to have 128x128 or 1x128 blocks, got 64x128 (other blocks are not built yet)}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <64x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c10_k_major_k_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<?x1xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 1 to be 2 (K blocks, k_major), got 1}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<?x1xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c10_k_major_rows(%a: memref<7x144xf8E4M3FN>, %sfa: memref<8x2xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 0 to be 7 (M blocks, k_major), got 8}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<8x2xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<7x136xbf16>
  return
}

// -----

func.func @gemm_c10_mn_major_k_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<?x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 0 to be 2 (K blocks, mn_major), got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<?x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c10_mn_major_rows(%a: memref<7x144xf8E4M3FN>, %sfa: memref<2x4xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 1 to be at least 7 (M blocks, mn_major), got 4}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<2x4xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<7x136xbf16>
  return
}

// -----

func.func @gemm_c10_layout_mismatch(%a: memref<7x144xf8E4M3FN>, %sfa: memref<7x2xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 0 to be 2 (K blocks, mn_major), got 7}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<7x2xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<7x136xbf16>
  return
}

// -----

func.func @gemm_c11_k_major_k_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x3xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 1 to be 2 (K blocks, k_major), got 3}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x3xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c11_k_major_n_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<1x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be 2 (N blocks, k_major), got 1}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<1x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c11_mn_major_k_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<3x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be 2 (K blocks, mn_major), got 3}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, mn_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<3x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c11_mn_major_n_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x1xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 1 to be at least 2 (N blocks, mn_major), got 1}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, mn_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x1xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c12_a(%a: memref<?x144xf8E4M3FN, strided<[320, 2]>>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a' rows to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN, strided<[320, 2]>>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c12_sfb(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32, strided<[1, 2]>>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' rows to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32, strided<[1, 2]>>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c13_a_row_stride(%a: memref<?x144xf8E4M3FN, strided<[152, 1]>>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a' row stride to be a multiple of 16 bytes, got 152 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN, strided<[152, 1]>>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c13_b_offset(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN, strided<[144, 1], offset: 8>>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' offset to be a multiple of 16 bytes, got 8 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN, strided<[144, 1], offset: 8>>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c13_d_row_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16, strided<[140, 1]>>) {
  // expected-error @below {{expected 'd' row stride to be a multiple of 16 bytes, got 280 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16, strided<[140, 1]>>
  return
}

// -----

func.func @gemm_c13_d_rows_overlap(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16, strided<[128, 1]>>) {
  // expected-error @below {{expected 'd' rows not to overlap (row stride of at least 136 elements), got a stride of 128}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16, strided<[128, 1]>>
  return
}

// -----

func.func @gemm_c13_sfa_mn_major(%a: memref<7x144xf8E4M3FN>, %sfa: memref<2x7xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' row stride to be a multiple of 16 bytes, got 28 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<2x7xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<7x136xbf16>
  return
}

// -----

func.func @gemm_c14_sfa_rows(%a: tensor<7x144xf8E4M3FN>, %sfa: tensor<2x7xf32>, %b: tensor<136x144xf8E4M3FN>,
    %sfb: tensor<2x2xf32>, %d: tensor<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' rows to be a multiple of 4 scales (mn_major), got 7; pad them to 8}}
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<7x144xf8E4M3FN>, tensor<2x7xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<7x136xbf16>
   -> tensor<7x136xbf16>
  return
}

// -----

func.func @gemm_c15_no_result(%a: tensor<7x144xf8E4M3FN>, %sfa: tensor<2x8xf32>, %b: tensor<136x144xf8E4M3FN>,
    %sfb: tensor<2x2xf32>, %d: tensor<7x136xbf16>) {
  // expected-error @below {{expected 1 result on tensors, got 0}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<7x144xf8E4M3FN>, tensor<2x8xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<7x136xbf16>
  return
}

// -----

func.func @gemm_c15_memref_result(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected no result on memrefs, got 1}}
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
   -> tensor<7x136xbf16>
  return
}

// -----

func.func @gemm_c15_result_type(%a: tensor<7x144xf8E4M3FN>, %sfa: tensor<2x8xf32>, %b: tensor<136x144xf8E4M3FN>,
    %sfb: tensor<2x2xf32>, %d: tensor<7x136xbf16>) {
  // expected-error @below {{expected the result to have the type of 'd', 'tensor<7x136xbf16>', got 'tensor<8x136xbf16>'}}
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<7x144xf8E4M3FN>, tensor<2x8xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<7x136xbf16>
   -> tensor<8x136xbf16>
  return
}

// -----

// Not constraints of their own: what the syntax and the types refuse.

// expected-error @below {{expected a block shape such as 1x128, got 1 dimensions}}
func.func private @block_of_one_dimension() attributes {fp8gemm.scale = #fp8gemm.scale<128, k_major>}

// -----

func.func @gemm_vector(%a: vector<8x16xf8E4M3FN>, %sf: memref<1x1xf32>, %d: memref<8x8xbf16>) {
  // expected-error @below {{operand #0 must be ranked tensor or strided memref, but got 'vector<8x16xf8E4M3FN>'}}
  "fp8gemm.gemm"(%a, %sf, %a, %sf, %d) <{a_scale = #fp8gemm.scale<1x128, k_major>, b_scale = #fp8gemm.scale<128x128, k_major>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 1, 0>}> ({})
    : (vector<8x16xf8E4M3FN>, memref<1x1xf32>, vector<8x16xf8E4M3FN>, memref<1x1xf32>, memref<8x8xbf16>) -> ()
  return
}

// -----

func.func @gemm_c11_rows_of_b(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be 136 (N blocks, k_major), got 2}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c13_sfb_mn_major(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x138xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' row stride to be a multiple of 16 bytes, got 552 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x138xf32>, memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c13_c_row_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %c: memref<?x136xf32, strided<[138, 1]>>, %d: memref<?x136xf32>) {
  // expected-error @below {{expected 'c' row stride to be a multiple of 16 bytes, got 552 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>,
      memref<?x136xf32, strided<[138, 1]>>, memref<?x136xf32>
  return
}

// -----

func.func @gemm_c14_sfb_rows(%a: tensor<7x144xf8E4M3FN>, %sfa: tensor<7x2xf32>, %b: tensor<136x144xf8E4M3FN>,
    %sfb: tensor<2x138xf32>, %d: tensor<7x136xbf16>) {
  // expected-error @below {{expected 'sfb' rows to be a multiple of 4 scales (mn_major), got 138; pad them to 140}}
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, mn_major> into %d
    : tensor<7x144xf8E4M3FN>, tensor<7x2xf32>, tensor<136x144xf8E4M3FN>, tensor<2x138xf32>, tensor<7x136xbf16>
   -> tensor<7x136xbf16>
  return
}

// -----

func.func @gemm_c16_element(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %c: memref<?x136xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'c' to have the shape and element type of 'd', 'memref<?x136xbf16>', got 'memref<?x136xf32>'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xf32>,
      memref<?x136xbf16>
  return
}

// -----

func.func @gemm_c16_shape(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %c: memref<?x128xbf16>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'c' to have the shape and element type of 'd', 'memref<?x136xbf16>', got 'memref<?x128xbf16>'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x128xbf16>,
      memref<?x136xbf16>
  return
}

// -----

func.func @gemm_types(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>,
    %sfb: memref<2x2xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
  // expected-error @below {{expected the types of 5 or 6 operands, got 2 types}}
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>
  return
}
