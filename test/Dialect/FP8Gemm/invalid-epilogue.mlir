// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogues. @op_cN_* breaks constraint (CN) of the operation.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

func.func @gemm_c17_row_length(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<128xf32>) {
  // expected-error @below {{expected 'epilogue operand 0' to have a shape that broadcasts to [?, 136] of 'd', got [128]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<128xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c17_row_dynamic(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<?xf32>) {
  // expected-error @below {{expected 'epilogue operand 0' to have a shape that broadcasts to [?, 136] of 'd', got [?]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c17_row_element(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xi8>) {
  // expected-error @below {{expected 'epilogue operand 0' elements to be 'bf16' or 'f16' or 'f32', got 'i8'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xi8>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c17_column(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %c: memref<16x1xf32>) {
  // expected-error @below {{expected 'epilogue operand 0' to have a shape that broadcasts to [?, 136] of 'd', got [16, 1]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%c : memref<16x1xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c17_matrix_rank(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %c: memref<1x1x136xbf16>) {
  // expected-error @below {{expected 'epilogue operand 0' to have a shape that broadcasts to [?, 136] of 'd', got [1, 1, 136]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%c : memref<1x1x136xbf16>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c17_reads_d(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>) {
  // expected-error @below {{expected an epilogue that does not read 'd', got it as an operand; add it with 'plus'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%d : memref<?x136xbf16>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c1_epilogue(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: tensor<136xf32>) {
  // expected-error @below {{expected operands to be all tensors or all memrefs, got 'a' 'memref<?x144xf8E4M3FN>' and 'epilogue operand 0' 'tensor<136xf32>'}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : tensor<136xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c18_arguments(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xf32>) {
  // expected-error @below {{expected the epilogue to take the sum and an element of each of 1 operands, 2 f32, got ('f32')}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32>) {
  ^bb0(%x: f32):
    fp8gemm.yield %x : f32
  }
  return
}

// -----

func.func @gemm_c18_argument_type(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xbf16>) {
  // expected-error @below {{2 f32, got ('f32', 'bf16')}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xbf16>) {
  ^bb0(%x: f32, %y: bf16):
    fp8gemm.yield %x : f32
  }
  return
}

// -----

func.func @gemm_c18_yield_type(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue {
  ^bb0(%x: f32):
    %t = arith.constant 1.0 : bf16
    // expected-error @below {{expected an f32, which is rounded to the type of 'd', got 'bf16'}}
    fp8gemm.yield %t : bf16
  }
  return
}

// -----

func.func @gemm_c18_operation(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue {
  ^bb0(%x: f32):
    // expected-error @below {{expected an epilogue of constants and elementwise operations of arith and math on f32 and integers (of arith also on bf16 and f16), got another operation}}
    %i = arith.extf %x : f32 to f64
    fp8gemm.yield %x : f32
  }
  return
}

// -----

func.func @gemm_c19_row_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xf32, strided<[2]>>) {
  // expected-error @below {{expected 'epilogue operand 0' to be contiguous (innermost stride 1), got stride 2}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32, strided<[2]>>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c19_row_offset(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xf32, strided<[1], offset: 3>>) {
  // expected-error @below {{expected 'epilogue operand 0' to start at a multiple of 2 elements, got offset 3}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32, strided<[1], offset: 3>>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c19_matrix_stride(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %c: memref<?x136xbf16, strided<[141, 1]>>) {
  // expected-error @below {{expected 'epilogue operand 0' row stride to be a multiple of 16 bytes, got 282 bytes}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%c : memref<?x136xbf16, strided<[141, 1]>>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @grouped_gemm_g7_row(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<8x136x144xf8E4M3FN>,
    %sfb: memref<8x2x2xf32>, %ends: memref<8xi32>, %d: memref<?x136xbf16>, %row: memref<8x136xf32>) {
  // expected-error @below {{expected 'epilogue operand 0' to have a shape that broadcasts to [?, 136] of 'd', or [8, 1, 136] of groups, got [8, 136]}}
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<?x136xbf16>
    epilogue(%row : memref<8x136xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @no_region(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %row: memref<136xf32>) {
  // expected-error @below {{expected a region for the epilogue's operands, got none}}
  "fp8gemm.gemm"(%a, %sfa, %b, %sfb, %row, %d) <{a_scale = #fp8gemm.scale<1x128, mn_major>, b_scale = #fp8gemm.scale<128x128, k_major>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 1, 0>}> ({})
    : (memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<136xf32>, memref<?x136xbf16>) -> ()
  return
}

// -----

func.func @captures(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
    %d: memref<?x136xbf16>, %outside: f32) {
  // expected-note @below {{required by region isolation constraints}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue {
  ^bb0(%x: f32):
    // expected-error @below {{using value defined outside the region}}
    %s = arith.addf %x, %outside : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @yield_elsewhere(%x: f32) {
  // expected-error @below {{expects parent op to be one of 'fp8gemm.gemm, fp8gemm.grouped_gemm, fp8gemm.quantize'}}
  fp8gemm.yield %x : f32
}

// -----

func.func @gemm_c20_no_epilogue(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<256x128xf8E4M3FN>, %sfb: memref<2x1xf32>,
    %d: memref<?x128xbf16>) {
  // expected-error @below {{expected a gated product to have an epilogue, got none}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<256x128xf8E4M3FN>, memref<2x1xf32>, memref<?x128xbf16> gated
  return
}

// -----

func.func @gemm_c20_one_sum(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<256x128xf8E4M3FN>, %sfb: memref<2x1xf32>,
    %d: memref<?x128xbf16>) {
  // expected-error @below {{expected the epilogue to take both sums of a gated product and an element of each of 0 operands, 2 f32, got ('f32')}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<256x128xf8E4M3FN>, memref<2x1xf32>, memref<?x128xbf16>
    gated epilogue {
  ^bb0(%x: f32):
    fp8gemm.yield %x : f32
  }
  return
}

// -----

func.func @gemm_c20_n(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<384x128xf8E4M3FN>, %sfb: memref<3x1xf32>,
    %d: memref<?x192xbf16>) {
  // expected-error @below {{expected N of a gated product to be a multiple of 256, got 384}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<384x128xf8E4M3FN>, memref<3x1xf32>, memref<?x192xbf16>
    gated epilogue {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c20_whole_d(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<256x128xf8E4M3FN>, %sfb: memref<2x1xf32>,
    %d: memref<?x256xbf16>) {
  // expected-error @below {{expected 'd' to be [rows of 'a', half the rows of 'b'] = [?, 128], got [?, 256]}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<256x128xf8E4M3FN>, memref<2x1xf32>, memref<?x256xbf16>
    gated epilogue {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c20_scales_of_rows(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<256x128xf8E4M3FN>, %sfb: memref<1x256xf32>,
    %d: memref<?x128xbf16>) {
  // expected-error @below {{expected 'b_scale' of a gated product to have 128x128 blocks, got 1x128}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<256x128xf8E4M3FN>, memref<1x256xf32>, memref<?x128xbf16>
    gated epilogue {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}

// -----

func.func @gemm_c20_c(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<256x128xf8E4M3FN>, %sfb: memref<2x1xf32>,
    %c: memref<?x128xbf16>, %d: memref<?x128xbf16>) {
  // expected-error @below {{expected a gated product without 'c', got one; make it an operand of the epilogue}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<256x128xf8E4M3FN>, memref<2x1xf32>, memref<?x128xbf16>, memref<?x128xbf16>
    gated epilogue {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    fp8gemm.yield %s : f32
  }
  return
}
