// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -fp8gemm-select-config -convert-fp8gemm-to-hopper | FileCheck %s

// A module that somebody gave a terminator: kernels are put before it.
// CHECK: gpu.module @fp8gemm_1d2d
// CHECK: llvm.return
func.func @product(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>, %sfb: memref<1x1xf32>,
                   %d: memref<?x96xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}
llvm.return
