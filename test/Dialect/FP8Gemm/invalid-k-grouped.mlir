// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
//
// @k_grouped_gemm_kN_* breaks constraint (KN) of fp8gemm.k_grouped_gemm and nothing else, @k_grouped_gemm_cN one that it shares with
// fp8gemm.gemm.

func.func @k_grouped_gemm_c2(%a: memref<64x?xf16>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' elements to be 'f8E4M3FN' or 'f8E5M2', got 'f16'}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf16>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c3(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf8E8M0FNU>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'sfa' elements to be 'f32', got 'f8E8M0FNU' (power-of-two scales are not built yet)}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf8E8M0FNU>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c4(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xi32>) {
  // expected-error @below {{expected 'd' elements to be 'bf16' or 'f32', got 'i32'}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xi32>
  return
}

// -----

func.func @k_grouped_gemm_c7(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<132x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x132xf32>) {
  // expected-error @below {{expected N to be a positive multiple of 8, got 132}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<132x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x132xf32>
  return
}

// -----

func.func @k_grouped_gemm_c12(%a: memref<?xf8E4M3FN, strided<[2]>>, %sfa: memref<?x64xf32>, %b: memref<?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<?xf8E4M3FN, strided<[2]>>, memref<?x64xf32>, memref<?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c13(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN, strided<[1000, 1]>>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'b' row stride to be a multiple of 16 bytes, got 1000 bytes}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN, strided<[1000, 1]>>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c13_offset(%a: memref<?xf8E4M3FN, strided<[1], offset: 8>>, %sfa: memref<?x64xf32>, %b: memref<?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' offset to be a multiple of 16 bytes, got 8 bytes}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<?xf8E4M3FN, strided<[1], offset: 8>>, memref<?x64xf32>, memref<?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c14(%a: tensor<64x?xf8E4M3FN>, %sfa: tensor<?x66xf32>, %b: tensor<136x?xf8E4M3FN>, 
    %sfb: tensor<?x136xf32>, %k: tensor<4xi32>, %d: tensor<4x64x136xf32>) {
  // expected-error @below {{expected 'sfa' rows to be a multiple of 4 scales (mn_major), got 66; pad them to 68}}
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : tensor<64x?xf8E4M3FN>, tensor<?x66xf32>, tensor<136x?xf8E4M3FN>, tensor<?x136xf32>, tensor<4xi32>, tensor<4x64x136xf32> -> tensor<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c15(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected no result on memrefs, got 1}}
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32> -> tensor<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_c16(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %c: memref<4x64x136xbf16>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'c' to have the shape and element type of 'd', 'memref<4x64x136xf32>', got 'memref<4x64x136xbf16>'}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> plus %c into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xbf16>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_kinds(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: tensor<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected operands to be all tensors or all memrefs, got 'a' 'memref<64x?xf8E4M3FN>' and 'sfb' 'tensor<?x136xf32>'}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, tensor<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_one_flattened(%a: memref<?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' and 'b' to have rank 2, or rank 1 (flattened), got 1 and 2}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_rank_of_a(%a: memref<4x64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<4x136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' and 'b' to have rank 2, or rank 1 (flattened), got 3 and 3}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<4x64x?xf8E4M3FN>, memref<?x64xf32>, memref<4x136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_rank_of_d(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<64x136xf32>) {
  // expected-error @below {{expected 'd' to have rank 3, got 2}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_rank_of_sfa(%a: memref<64x?xf8E4M3FN>, %sfa: memref<4x?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'sfa' to have rank 2, got 3}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<4x?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k1_rank_of_groups(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<i32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'groups' to have rank 1, got 0}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<i32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k2(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected the grouping to be k_count, got row_end}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <row_end> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k3_entries(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<5xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'groups' to have an entry for each of 4 groups, got 5}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<5xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k3_element(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xindex>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'groups' elements to be 'i32', got 'index'}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xindex>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k3_stride(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32, strided<[4]>>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'groups' to be contiguous (innermost stride 1), got stride 4}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32, strided<[4]>>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k4_g(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<?x64x136xf32>) {
  // expected-error @below {{expected G ('d' dimension 0) to be static, got ?}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<?x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k4_c(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %c: memref<4x?x136xf32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected M ('c' dimension 1) to be static, got ?}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> plus %c into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x?x136xf32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k4_positive(%a: memref<0x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x0x136xf32>) {
  // expected-error @below {{expected M to be positive, got 0}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<0x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x0x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_m(%a: memref<72x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' dimension 0 to be M = 64, as in 'd', got 72}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<72x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_n(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<128x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'b' dimension 0 to be N = 136, as in 'd', got 128}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<128x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_dynamic(%a: memref<?x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected M ('a' dimension 0) to be static, got ?}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<?x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_flattened(%a: memref<?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<2304xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'b' to have a multiple of N = 136 elements (flattened), got 2304}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<?xf8E4M3FN>, memref<?x64xf32>, memref<2304xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_agree(%a: memref<64x256xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x272xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' and 'b' to agree on K, got 256 and 272}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x256xf8E4M3FN>, memref<?x64xf32>, memref<136x272xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_agree_flattened(%a: memref<2048xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<2176xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'a' and 'b' to agree on K, got 32 and 16}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<2048xf8E4M3FN>, memref<?x64xf32>, memref<2176xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k5_multiple_of_16(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x24xf8E4M3FN, strided<[32, 1]>>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected K to be a positive multiple of 16, got 24}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x24xf8E4M3FN, strided<[32, 1]>>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k6(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'b_scale' to have 1x128 blocks, got 128x128 (other blocks are not built yet)}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k7_rows(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x60xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'sfa' dimension 1 to be at least 64 (M blocks, mn_major), got 60}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x60xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k7_columns(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<144x?xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be 136 (N blocks, k_major), got 144}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<144x?xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k7_blocks(%a: memref<64x?xf8E4M3FN>, %sfa: memref<9x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<136x8xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'sfa' and 'sfb' to agree on K blocks, got 9 and 8}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<9x64xf32>, memref<136x?xf8E4M3FN>, memref<136x8xf32>, memref<4xi32>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_k8_stride(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32, strided<[8706, 136, 1]>>) {
  // expected-error @below {{expected 'd' group stride to be a multiple of 16 bytes, got 34824 bytes}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32, strided<[8706, 136, 1]>>
  return
}

// -----

func.func @k_grouped_gemm_k8_overlap(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>, 
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %c: memref<4x64x136xf32, strided<[8192, 136, 1]>>, %d: memref<4x64x136xf32>) {
  // expected-error @below {{expected 'c' groups not to overlap (group stride of at least 8704 elements), got a stride of 8192}}
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> plus %c into %d
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4xi32>, memref<4x64x136xf32, strided<[8192, 136, 1]>>, memref<4x64x136xf32>
  return
}

// -----

func.func @k_grouped_gemm_types(%a: memref<64x?xf8E4M3FN>, %sfa: memref<?x64xf32>, %b: memref<136x?xf8E4M3FN>,
    %sfb: memref<?x136xf32>, %k: memref<4xi32>, %d: memref<4x64x136xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %k <k_count> into %d
  // expected-error @below {{expected the types of 6 or 7 operands, got 5 types}}
    : memref<64x?xf8E4M3FN>, memref<?x64xf32>, memref<136x?xf8E4M3FN>, memref<?x136xf32>, memref<4x64x136xf32>
  return
}
