// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: ptxas

// Loops that make a new destination in each iteration, and carry it or not: on the CPU and on a GPU that is faked.
// DEFINE: %{runner} = mlir-runner -e main -entry-point-result=f32
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | %{runner} | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-host >%t.mlir
// RUN: env FP8GEMM_LIBCUDA=%tools/../lib/libRuntimeFakeGpu.so %{runner} --shared-libs=%tools/../lib/libfp8gemm_program.so %t.mlir | FileCheck %s

// Four products of 128 * 0.5.
// CHECK: 2.560000e+02
!a = tensor<5x128xf8E4M3FN>
!b = tensor<8x128xf8E4M3FN>
!d = tensor<5x8xbf16>

func.func @main() -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %f8 = arith.truncf %one : f32 to f8E4M3FN
  %a0 = tensor.empty() : !a
  %a = linalg.fill ins(%f8 : f8E4M3FN) outs(%a0 : !a) -> !a
  %b0 = tensor.empty() : !b
  %b = linalg.fill ins(%f8 : f8E4M3FN) outs(%b0 : !b) -> !b
  %sfa0 = tensor.empty() : tensor<1x8xf32>
  %sfa = linalg.fill ins(%half : f32) outs(%sfa0 : tensor<1x8xf32>) -> tensor<1x8xf32>
  %sfb0 = tensor.empty() : tensor<1x1xf32>
  %sfb = linalg.fill ins(%one : f32) outs(%sfb0 : tensor<1x1xf32>) -> tensor<1x1xf32>

  // Only a number leaves an iteration.
  %sum = scf.for %i = %c0 to %c3 step %c1 iter_args(%sum = %zero) -> f32 {
    %fresh = tensor.empty() : !d
    %d = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %fresh
      : !a, tensor<1x8xf32>, !b, tensor<1x1xf32>, !d -> !d
    %element = tensor.extract %d[%i, %i] : !d
    %wide = arith.extf %element : bf16 to f32
    %next = arith.addf %sum, %wide : f32
    scf.yield %next : f32
  }

  // The destination does, and the next iteration has a new one.
  %before = tensor.empty() : !d
  %last = scf.for %i = %c0 to %c3 step %c1 iter_args(%carried = %before) -> !d {
    %fresh = tensor.empty() : !d
    %d = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %fresh
      : !a, tensor<1x8xf32>, !b, tensor<1x1xf32>, !d -> !d
    scf.yield %d : !d
  }
  %element = tensor.extract %last[%c3, %c1] : !d
  %wide = arith.extf %element : bf16 to f32
  %all = arith.addf %sum, %wide : f32
  return %all : f32
}
