// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products with a quantised D. @op_cN_* breaks constraint (CN) of the operation.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

func.func @gemm_c4_no_scales(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                             %d: memref<?x256xf8E4M3FN>) {
  // expected-error @below {{expected 'sfd', the scales of a 'd' of f8E4M3FN, got none}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xf8E4M3FN>
  return
}

// -----

func.func @gemm_c4_element(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                           %d: memref<?x256xbf16>, %sfd: memref<2x?xf32>) {
  // expected-error @below {{expected 'd' elements to be 'f8E4M3FN', got 'bf16'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xbf16> scaled_by memref<2x?xf32>
  return
}

// -----

func.func @gemm_c21_columns(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<192x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                            %d: memref<?x192xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  // expected-error @below {{expected a quantised 'd' to have a multiple of 128 columns, got 192}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<192x144xf8E4M3FN>, memref<2x2xf32>, memref<?x192xf8E4M3FN> scaled_by memref<2x?xf32>
  return
}

// -----

func.func @gemm_c21_storage(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                            %d: memref<?x256xf8E4M3FN>, %sfd: memref<?x2xf32>) {
  // expected-error @below {{expected 'sfd' dimension 0 to be 2 (K blocks, mn_major), got ?}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xf8E4M3FN> scaled_by memref<?x2xf32>
  return
}

// -----

func.func @gemm_c21_blocks(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                           %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  // expected-error @below {{expected 'd_scale' to have 1x128 blocks, got 128x128}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <128x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
  return
}

// -----

func.func @gemm_c15_results(%a: tensor<16x144xf8E4M3FN>, %sfa: tensor<2x16xf32>, %b: tensor<256x144xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                            %d: tensor<16x256xf8E4M3FN>, %sfd: tensor<2x16xf32>) {
  // expected-error @below {{expected 2 results on tensors, got 1}}
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : tensor<16x144xf8E4M3FN>, tensor<2x16xf32>, tensor<256x144xf8E4M3FN>, tensor<2x2xf32>, tensor<16x256xf8E4M3FN> scaled_by tensor<2x16xf32>
   -> tensor<16x256xf8E4M3FN>
  return
}

// -----

func.func @grouped_gemm_g1_sfd(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<4x256x144xf8E4M3FN>, %sfb: memref<4x2x2xf32>,
                               %ends: memref<4xi32>, %d: memref<?x256xf8E4M3FN>, %sfd: memref<4x2x?xf32>) {
  // expected-error @below {{expected 'sfd' to have rank 2, got 3}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<4x256x144xf8E4M3FN>, memref<4x2x2xf32>, memref<4xi32>, memref<?x256xf8E4M3FN> scaled_by memref<4x2x?xf32>
  return
}

// -----

func.func @gemm_c21_c(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<256x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                      %c: memref<?x256xf8E4M3FN>, %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  // expected-error @below {{expected a quantised product without 'c', got one; make it an operand of the epilogue}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<256x144xf8E4M3FN>, memref<2x2xf32>, memref<?x256xf8E4M3FN>, memref<?x256xf8E4M3FN>
      scaled_by memref<2x?xf32>
  return
}
