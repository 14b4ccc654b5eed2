// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics

func.func @quantize_q1_kinds(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: tensor<1x8xf32>) {
  // expected-error@+1 {{expected operands to be all tensors or all memrefs, got 'x' 'memref<8x128xbf16>' and 'scales' 'tensor<1x8xf32>'}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, tensor<1x8xf32>
  return
}

// -----

func.func @quantize_q1_ranks(%x: memref<2x8x128xbf16>, %q: memref<2x8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'x' to have rank 2, got 3}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<2x8x128xbf16>, memref<2x8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q2(%x: memref<8x128xf64>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'x' elements to be 'bf16' or 'f16' or 'f32', got 'f64'}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xf64>, memref<8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q3_q(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'q' elements to be 'f8E4M3FN' or 'f8E5M2', got 'f8E4M3'}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q3_scales(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf8E8M0FNU>) {
  // expected-error@+1 {{expected 'scales' elements to be 'f32', got 'f8E8M0FNU'}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf8E8M0FNU>
  return
}

// -----

func.func @quantize_q4(%x: memref<8x?xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected K ('x' dimension 1) to be static, got ?}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x?xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q5_rows(%x: memref<8x128xbf16>, %q: memref<16x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'q' to have the shape of 'x', [8, 128], got [16, 128]}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<16x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q5_columns(%x: memref<8x128xbf16>, %q: memref<8x256xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'q' to have the shape of 'x', [8, 128], got [8, 256]}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x256xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q6(%x: memref<128x128xbf16>, %q: memref<128x128xf8E4M3FN>, %s: memref<1x1xf32>) {
  // expected-error@+1 {{expected 'scale' to have 1x128 or 128x128 blocks, got 64x128 (other blocks are not built yet)}}
  fp8gemm.quantize %x into %q scaled_by %s <64x128, k_major>
    : memref<128x128xbf16>, memref<128x128xf8E4M3FN>, memref<1x1xf32>
  return
}

// -----

func.func @quantize_q7_blocks(%x: memref<8x144xbf16>, %q: memref<8x144xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'scales' dimension 0 to be 2 (K blocks, mn_major), got 1}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x144xbf16>, memref<8x144xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q7_rows(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<4x1xf32>) {
  // expected-error@+1 {{expected 'scales' dimension 0 to be 8 (M blocks, k_major), got 4}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<4x1xf32>
  return
}

// -----

func.func @quantize_q8_count(%x: tensor<8x128xbf16>, %q: tensor<8x128xf8E4M3FN>, %s: tensor<1x8xf32>) {
  // expected-error@+1 {{expected 2 results on tensors, got 0}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<8x128xbf16>, tensor<8x128xf8E4M3FN>, tensor<1x8xf32>
  return
}

// -----

func.func @quantize_q8_types(%x: tensor<8x128xbf16>, %q: tensor<8x128xf8E4M3FN>, %s: tensor<1x8xf32>) {
  // expected-error@+1 {{expected the results to have the types of 'q' and 'scales', got 'tensor<1x16xf32>' for 'scales', 'tensor<1x8xf32>'}}
  %a:2 = fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<8x128xbf16>, tensor<8x128xf8E4M3FN>, tensor<1x8xf32> -> tensor<8x128xf8E4M3FN>, tensor<1x16xf32>
  return
}

// -----

func.func @quantize_c8(%x: memref<8x136xbf16>, %q: memref<8x136xf8E4M3FN>, %s: memref<2x8xf32>) {
  // expected-error@+1 {{expected K to be a positive multiple of 16, got 136}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x136xbf16>, memref<8x136xf8E4M3FN>, memref<2x8xf32>
  return
}

// -----

func.func @quantize_c12(%x: memref<8x128xbf16, strided<[1, 8]>>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'x' rows to be contiguous (innermost stride 1), got stride 8}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16, strided<[1, 8]>>, memref<8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_c13_x(%x: memref<8x128xbf16, strided<[132, 1]>>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'x' row stride to be a multiple of 16 bytes, got 264 bytes}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16, strided<[132, 1]>>, memref<8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_c13_scales(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x10xf32>) {
  // expected-error@+1 {{expected 'scales' row stride to be a multiple of 16 bytes, got 40 bytes}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x10xf32>
  return
}

// -----

func.func @quantize_c14(%x: tensor<8x128xbf16>, %q: tensor<8x128xf8E4M3FN>, %s: tensor<1x9xf32>) {
  // expected-error@+1 {{expected 'scales' rows to be a multiple of 4 scales (mn_major), got 9; pad them to 12}}
  %a:2 = fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : tensor<8x128xbf16>, tensor<8x128xf8E4M3FN>, tensor<1x9xf32> -> tensor<8x128xf8E4M3FN>, tensor<1x9xf32>
  return
}

// -----

func.func @attribute(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected the attribute 'kernel', and those of other dialects, got "config"}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major> {config = 1}
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32>
  return
}

// -----

func.func @quantize_q5_gated(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected 'q' to have the shape of 'x', but half of its columns (gated), [8, 128], got [8, 128]}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> gated
  return
}

// -----

func.func @quantize_q9_no_prologue(%x: memref<8x256xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected a gated quantisation to have a prologue, got none}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x256xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> gated
  return
}

// -----

func.func @quantize_q9_arguments(%x: memref<8x256xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected the prologue to take both elements of a gated 'x', 2 f32, got ('f32')}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x256xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> gated prologue {
  ^bb0(%gate: f32):
    fp8gemm.yield %gate : f32
  }
  return
}

// -----

func.func @quantize_q9_argument_types(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  // expected-error@+1 {{expected the prologue to take an element of 'x', 1 f32, got ('bf16')}}
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> prologue {
  ^bb0(%x0: bf16):
    %wide = arith.extf %x0 : bf16 to f32
    fp8gemm.yield %wide : f32
  }
  return
}

// -----

func.func @quantize_q9_result(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> prologue {
  ^bb0(%x0: f32):
    %narrow = arith.truncf %x0 : f32 to bf16
    // expected-error@+1 {{expected an f32, which is quantised, got 'bf16'}}
    fp8gemm.yield %narrow : bf16
  }
  return
}

// -----

func.func @quantize_q9_operations(%x: memref<8x128xbf16>, %q: memref<8x128xf8E4M3FN>, %s: memref<1x8xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<8x128xbf16>, memref<8x128xf8E4M3FN>, memref<1x8xf32> prologue {
  ^bb0(%x0: f32):
    // expected-error@+1 {{expected a prologue of constants and elementwise operations of arith and math on f32 and integers (of arith also on bf16 and f16), got another operation}}
    %wide = arith.extf %x0 : f32 to f64
    fp8gemm.yield %x0 : f32
  }
  return
}

// -----

func.func @quantize_q7_rows_of_blocks(%x: memref<200x128xbf16>, %q: memref<200x128xf8E4M3FN>, %s: memref<200x1xf32>) {
  // expected-error@+1 {{expected 'scales' dimension 0 to be 2 (M blocks, k_major), got 200}}
  fp8gemm.quantize %x into %q scaled_by %s <128x128, k_major>
    : memref<200x128xbf16>, memref<200x128xf8E4M3FN>, memref<200x1xf32>
  return
}
