// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogues that no kernel is built for.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -fp8gemm-select-config -o /dev/null

func.func @no_sum(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                  %d: memref<?x136xbf16>) {
  // expected-error @below {{expected an epilogue that adds each of its arguments once, got another one, for which no kernels are built yet; compute it after the product}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue {
  ^bb0(%sum: f32):
    %e = math.exp %sum : f32
    fp8gemm.yield %e : f32
  }
  return
}

// -----

func.func @two_rows(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
                    %row: memref<136xf32>, %d: memref<?x136xbf16>) {
  // expected-error @below {{expected at most one row and one matrix (C included) in the epilogue of a kernel, got 2 and 0}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32>, %row : memref<136xf32>) {
  ^bb0(%sum: f32, %x: f32, %y: f32):
    %1 = arith.addf %sum, %x : f32
    %2 = arith.addf %1, %y : f32
    fp8gemm.yield %2 : f32
  }
  return
}
