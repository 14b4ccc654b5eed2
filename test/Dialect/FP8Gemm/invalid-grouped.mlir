// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
//
// @grouped_gemm_gN_* breaks constraint (GN) of fp8gemm.grouped_gemm and nothing else, @grouped_gemm_cN one that it shares with
// fp8gemm.gemm.

func.func @grouped_gemm_c2(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xbf16>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' elements to be 'f8E4M3FN' or 'f8E5M2', got 'bf16'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xbf16>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c3(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xbf16>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' elements to be 'f32', got 'bf16'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xbf16>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c4(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xf16>) {
  // expected-error @below {{expected 'd' elements to be 'bf16' or 'f32', got 'f16' (other types of D are not built yet)}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xf16>
  return
}

// -----

func.func @grouped_gemm_c5_n(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x?x?xbf16>) {
  // expected-error @below {{expected N ('d' dimension 2) to be static, got ?}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<8x?x?xbf16>
  return
}

// -----

func.func @grouped_gemm_c5_k(%a: memref<?x?xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K ('a' dimension 1) to be static, got ?}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x?xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c7(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x132x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x132xbf16>) {
  // expected-error @below {{expected N to be a positive multiple of 8, got 132}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x132x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x132xbf16>
  return
}

// -----

func.func @grouped_gemm_c8(%a: memref<?x136xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x136xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected K to be a positive multiple of 16, got 136}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x136xf8E4M3FN>, memref<2x?xf32>, memref<8x136x136xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c9(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b_scale' to have 128x128 or 1x128 blocks, got 64x128 (other blocks are not built yet)}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <64x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c10(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x4xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16>) {
  // expected-error @below {{expected 'sfa' dimension 2 to be at least 7 (M blocks, mn_major), got 4}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x4xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c11(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 1 to be 136 (N blocks, k_major), got 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c12(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16, strided<[1904, 272, 2]>>) {
  // expected-error @below {{expected 'd' rows to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16, strided<[1904, 272, 2]>>
  return
}

// -----

func.func @grouped_gemm_c13_stride(%a: memref<8x7x144xf8E4M3FN, strided<[1216, 152, 1]>>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16>) {
  // expected-error @below {{expected 'a' row stride to be a multiple of 16 bytes, got 152 bytes}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN, strided<[1216, 152, 1]>>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c13_rows_overlap(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16, strided<[952, 128, 1]>>) {
  // expected-error @below {{expected 'd' rows not to overlap (row stride of at least 136 elements), got a stride of 128}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16, strided<[952, 128, 1]>>
  return
}

// -----

func.func @grouped_gemm_c14(%a: tensor<7x144xf8E4M3FN>, %sfa: tensor<2x7xf32>, %b: tensor<8x136x144xf8E4M3FN>, 
    %sfb: tensor<8x2x2xf32>, %groups: tensor<8xi32>, %d: tensor<7x136xbf16>) {
  // expected-error @below {{expected 'sfa' rows to be a multiple of 4 scales (mn_major), got 7; pad them to 8}}
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : tensor<7x144xf8E4M3FN>, tensor<2x7xf32>, tensor<8x136x144xf8E4M3FN>, tensor<8x2x2xf32>, tensor<8xi32>, tensor<7x136xbf16> -> tensor<7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_c15(%a: tensor<?x144xf8E4M3FN>, %sfa: tensor<2x?xf32>, %b: tensor<8x136x144xf8E4M3FN>, 
    %sfb: tensor<8x2x2xf32>, %groups: tensor<8xi32>, %d: tensor<?x136xbf16>) {
  // expected-error @below {{expected 1 result on tensors, got 0}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : tensor<?x144xf8E4M3FN>, tensor<2x?xf32>, tensor<8x136x144xf8E4M3FN>, tensor<8x2x2xf32>, tensor<8xi32>, tensor<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_kinds(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: tensor<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected operands to be all tensors or all memrefs, got 'a' 'memref<?x144xf8E4M3FN>' and 'groups' 'tensor<8xi32>'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, tensor<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_rank_of_b(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' to have rank 3, got 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_contiguous(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x?x136xbf16>) {
  // expected-error @below {{expected 'd' to have rank 2, got 3}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<8x?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_masked(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x?x136xbf16>) {
  // expected-error @below {{expected 'sfa' to have rank 3, got 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<8x?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_batched(%a: memref<7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16>) {
  // expected-error @below {{expected 'a' to have rank 3, got 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g1_groups(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8x1xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'groups' to have rank 1, got 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x1xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g2_no_grouping(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>,
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x7x136xbf16>) {
  // expected-error @below {{expected 'groups' and 'grouping' both or neither, got only 'groups'}}
  "fp8gemm.grouped_gemm"(%a, %sfa, %b, %sfb, %groups, %d)
    <{a_scale = #fp8gemm.scale<1x128, mn_major>, b_scale = #fp8gemm.scale<128x128, k_major>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 1, 0>}> ({})
    : (memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<8x7x136xbf16>) -> ()
  return
}

// -----

func.func @grouped_gemm_g2_no_groups(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>,
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16>) {
  // expected-error @below {{expected 'groups' and 'grouping' both or neither, got only 'grouping'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {grouping = #fp8gemm.grouping<row_count>}
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g2_kind(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected the grouping to be row_index, row_end or row_count, got k_count}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <k_count> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g3_element(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi64>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'groups' elements to be 'i32', got 'i64'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi64>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g3_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32, strided<[2]>>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'groups' to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32, strided<[2]>>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g3_row_end(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<7xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' to have a matrix for each of 7 groups, or a number of matrices that divides them, got 8}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<7xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g3_row_index(%a: memref<7x144xf8E4M3FN>, %sfa: memref<2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<7x136xbf16>) {
  // expected-error @below {{expected 'groups' to have an entry for each of 7 rows, got 8}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_index, align = 8> into %d
    : memref<7x144xf8E4M3FN>, memref<2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<7x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_dynamic(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<?x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected G ('b' dimension 0) to be static, got ?}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<?x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_zero(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<0x136x144xf8E4M3FN>, 
    %sfb: memref<0x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected G to be positive, got 0}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<0x136x144xf8E4M3FN>, memref<0x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_sfb(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<7x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be W = 8, as in 'b', got 7}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<7x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_d(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x?x136xbf16>) {
  // expected-error @below {{expected G ('d' dimension 0) to be static, got ?}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g5_k(%a: memref<?x128xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'a' and 'b' to agree on K, got 128 and 144}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x128xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g5_d(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x8x136xbf16>) {
  // expected-error @below {{expected 'd' to be [rows of 'a', rows of 'b'] = [7, 136], got [8, 136]}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x8x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g6_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN, strided<[19592, 144, 1]>>, 
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected 'b' group stride to be a multiple of 16 bytes, got 19592 bytes}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN, strided<[19592, 144, 1]>>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g6_overlap(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16, strided<[944, 136, 1]>>) {
  // expected-error @below {{expected 'd' groups not to overlap (group stride of at least 952 elements), got a stride of 944}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16, strided<[944, 136, 1]>>
  return
}

// -----

func.func @grouped_gemm_g6_side_by_side(%a: memref<8x7x144xf8E4M3FN>, %sfa: memref<8x2x8xf32>, %b: memref<8x136x144xf8E4M3FN>, 
    %sfb: memref<8x2x2xf32>, %d: memref<8x7x136xbf16, strided<[136, 1080, 1]>>) {
  // expected-error @below {{expected 'd' rows not to overlap (row stride of at least 1088 elements), got a stride of 1080}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x7x144xf8E4M3FN>, memref<8x2x8xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x7x136xbf16, strided<[136, 1080, 1]>>
  return
}

// -----

// The attribute itself.

// expected-error @below {{expected 'align' of row_index to be a power of two from 8 to 256, got 1}}
func.func private @row_index_without_align() attributes {fp8gemm.grouping = #fp8gemm.grouping<row_index>}

// -----

// expected-error @below {{expected 'align' of row_end to be a power of two from 1 to 256, got 24}}
func.func private @align_is_a_power_of_two() attributes {fp8gemm.grouping = #fp8gemm.grouping<row_end, align = 24>}

// -----

// expected-error @below {{expected 'align' of row_end to be a power of two from 1 to 256, got 0}}
func.func private @align_is_positive() attributes {fp8gemm.grouping = #fp8gemm.grouping<row_end, align = 0>}

// -----

// expected-error @below {{expected 'align' of row_index to be a power of two from 8 to 256, got 512}}
func.func private @align_of_a_large_tile() attributes {fp8gemm.grouping = #fp8gemm.grouping<row_index, align = 512>}

// -----

// expected-error @below {{expected row_count to have no 'align', got 8}}
func.func private @row_count_has_no_align() attributes {fp8gemm.grouping = #fp8gemm.grouping<row_count, align = 8>}

// -----

// expected-error @below {{expected k_count to have no 'align', got 16}}
func.func private @k_count_has_no_align() attributes {fp8gemm.grouping = #fp8gemm.grouping<k_count, align = 16>}

// -----

func.func @grouped_gemm_types(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>,
    %sfb: memref<8x2x2xf32>, %groups: memref<8xi32>, %d: memref<?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
  // expected-error @below {{expected the types of 6 operands, got 7 types}}
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>, memref<?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_weights(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<3x136x144xf8E4M3FN>,
    %sfb: memref<3x2x2xf32>, %groups: memref<8xi32>, %d: memref<8x?x136xbf16>) {
  // expected-error @below {{expected 'b' to have a matrix for each of 8 groups, or a number of matrices that divides them, got 3}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<3x136x144xf8E4M3FN>, memref<3x2x2xf32>, memref<8xi32>, memref<8x?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_weights_of_sfb(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<4x136x144xf8E4M3FN>,
    %sfb: memref<8x2x2xf32>, %d: memref<8x?x136xbf16>) {
  // expected-error @below {{expected 'sfb' dimension 0 to be W = 4, as in 'b', got 8}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<4x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8x?x136xbf16>
  return
}

// -----

func.func @grouped_gemm_g4_groups_of_d(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<4x136x144xf8E4M3FN>,
    %sfb: memref<4x2x2xf32>, %d: memref<4x?x136xbf16>) {
  // expected-error @below {{expected 'd' dimension 0 to be G = 8, as in 'a', got 4}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<4x136x144xf8E4M3FN>, memref<4x2x2xf32>, memref<4x?x136xbf16>
  return
}

// -----

func.func @c16_c_has_the_shape_of_d(%a: memref<4x8x16xf8E4M3FN>, %sfa: memref<4x8x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                                    %groups: memref<4xi32>, %c: memref<3x8x8xbf16>, %d: memref<4x8x8xbf16>) {
  // expected-error @below {{expected 'c' to have the shape and element type of 'd', 'memref<4x8x8xbf16>', got 'memref<3x8x8xbf16>'}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> plus %c into %d
    : memref<4x8x16xf8E4M3FN>, memref<4x8x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<4xi32>, memref<3x8x8xbf16>, memref<4x8x8xbf16>
  return
}

// -----

func.func @g1_rank_of_c(%a: memref<8x16xf8E4M3FN>, %sfa: memref<8x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                        %groups: memref<4xi32>, %c: memref<4x8x8xbf16>, %d: memref<8x8xbf16>) {
  // expected-error @below {{expected 'c' to have rank 2, got 3}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> plus %c into %d
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<4xi32>, memref<4x8x8xbf16>, memref<8x8xbf16>
  return
}

// -----

func.func @types_of_groups_and_c(%a: memref<8x16xf8E4M3FN>, %sfa: memref<8x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                                 %groups: memref<4xi32>, %c: memref<8x8xbf16>, %d: memref<8x8xbf16>) {
  // expected-error @+2 {{expected the types of 7 operands, got 6 types}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> plus %c into %d
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<8x8xbf16>, memref<8x8xbf16>
  return
}
