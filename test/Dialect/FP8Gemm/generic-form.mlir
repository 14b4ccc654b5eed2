// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
//
// The generic form says how many operands each name has; an epilogue may have no operations.

func.func @gemm(%a: tensor<8x16xf8E4M3FN>, %sfa: tensor<8x1xf32>, %d: tensor<8x8xf32>) {
  // expected-error @+1 {{expected one operand 'd', got 0}}
  %0 = "fp8gemm.gemm"(%a, %sfa, %a, %sfa, %d) <{a_scale = #fp8gemm.scale<1x128, k_major>,
       b_scale = #fp8gemm.scale<1x128, k_major>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0>}> ({})
       : (tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @grouped_gemm(%a: tensor<2x8x16xf8E4M3FN>, %sfa: tensor<2x8x1xf32>, %d: tensor<2x8x8xf32>) {
  // expected-error @+1 {{expected one operand 'd', got 0}}
  %0 = "fp8gemm.grouped_gemm"(%a, %sfa, %a, %sfa, %d) <{a_scale = #fp8gemm.scale<1x128, k_major>,
       b_scale = #fp8gemm.scale<1x128, k_major>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 1, 0, 0>}> ({})
       : (tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x8x1xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  return
}

// -----

func.func @empty_epilogue(%a: memref<8x256xf8E4M3FN>, %sfa: memref<2x8xf32>, %b: memref<128x256xf8E4M3FN>, %sfb: memref<1x2xf32>,
                          %d: memref<8x128xbf16>) {
  // expected-error @+1 {{expected the epilogue to end with fp8gemm.yield, got no operation}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x256xf8E4M3FN>, memref<2x8xf32>, memref<128x256xf8E4M3FN>, memref<1x2xf32>, memref<8x128xbf16>
    epilogue {
  ^bb0(%sum: f32):
  }
  return
}

// -----

func.func @yield_without_value(%a: memref<8x256xf8E4M3FN>, %sfa: memref<2x8xf32>, %b: memref<128x256xf8E4M3FN>,
                               %sfb: memref<1x2xf32>, %d: memref<8x128xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<8x256xf8E4M3FN>, memref<2x8xf32>, memref<128x256xf8E4M3FN>, memref<1x2xf32>, memref<8x128xbf16>
    epilogue {
  ^bb0(%sum: f32):
    // expected-error @+1 {{expected one f32, which is rounded to the type of 'd', got 0 values}}
    "fp8gemm.yield"() : () -> ()
  }
  return
}

// -----

func.func @scale_without_scales(%a: tensor<8x16xf8E4M3FN>, %sfa: tensor<8x1xf32>, %d: tensor<8x8xf32>) {
  // expected-error @+1 {{expected 'd_scale' with 'sfd' only, got no 'sfd'}}
  %0 = "fp8gemm.gemm"(%a, %sfa, %a, %sfa, %d) <{a_scale = #fp8gemm.scale<1x128, k_major>,
       b_scale = #fp8gemm.scale<1x128, k_major>, d_scale = #fp8gemm.scale<1x128, k_major>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 1, 0>}> ({})
       : (tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}
