// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -fp8gemm-select-config -convert-fp8gemm-to-hopper > %t.mlir
// RUN: fp8gemm-opt %t.mlir -convert-fp8gemm-to-linalg | FileCheck %s --check-prefix=LINALG --implicit-check-not=hopper.kernel
// RUN: fp8gemm-opt %t.mlir -fp8gemm-to-llvm-cpu | FileCheck %s --check-prefix=CPU --implicit-check-not=gpu.module
//
// A program runs on the CPU after its kernels were built, too: nothing of them is lowered with the host's functions.

// LINALG: func.func @product
// LINALG: linalg.generic
// CPU: llvm.func @product
// CPU: llvm.func @quantize
func.func @product(%a: memref<?x256xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<128x256xf8E4M3FN>, %sfb: memref<1x2xf32>,
                   %d: memref<?x128xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<128x256xf8E4M3FN>, memref<1x2xf32>, memref<?x128xbf16>
  return
}

func.func @quantize(%x: memref<?x256xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major> : memref<?x256xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32>
  return
}
