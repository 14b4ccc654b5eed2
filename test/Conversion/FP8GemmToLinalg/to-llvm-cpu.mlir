// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | FileCheck %s

// Nothing but the LLVM dialect is left, from tensors and from memrefs.

// CHECK-NOT:   {{(fp8gemm|linalg|scf|arith|memref|tensor|bufferization|builtin\.unrealized)[._][a-z]}}
// CHECK:       llvm.func @tensors
// CHECK-NOT:   {{(fp8gemm|linalg|scf|arith|memref|tensor|bufferization|builtin\.unrealized)[._][a-z]}}
// CHECK:         llvm.intr.fma
// CHECK-NOT:   {{(fp8gemm|linalg|scf|arith|memref|tensor|bufferization|builtin\.unrealized)[._][a-z]}}
// CHECK:       llvm.func @memrefs
// CHECK-NOT:   {{(fp8gemm|linalg|scf|arith|memref|tensor|bufferization|builtin\.unrealized)[._][a-z]}}
// CHECK:         llvm.intr.fma
// CHECK-NOT:   {{(fp8gemm|linalg|scf|arith|memref|tensor|bufferization|builtin\.unrealized)[._][a-z]}}
func.func @tensors(%a: tensor<?x16xf8E4M3FN>, %sfa: tensor<1x?xf32>, %b: tensor<8x16xf8E4M3FN>,
                   %sfb: tensor<1x1xf32>, %d: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x16xf8E4M3FN>, tensor<1x?xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<?x8xbf16>
   -> tensor<?x8xbf16>
  return %r : tensor<?x8xbf16>
}

func.func @memrefs(%a: memref<?x16xf8E4M3FN>, %sfa: memref<?x1xf32>, %b: memref<8x16xf8E4M3FN>,
                   %sfb: memref<1x1xf32>, %d: memref<?x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x16xf8E4M3FN>, memref<?x1xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<?x8xbf16>
  return
}
