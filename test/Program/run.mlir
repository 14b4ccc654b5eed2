// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: ptxas

// A module of linalg and a product, run by mlir-runner: through linalg on the CPU, and through the runtime on a GPU that
// is faked (test/Unit/RuntimeFakeGpu.cpp), with its kernel embedded, from a pack, and from an embedded pack.
// DEFINE: %{runner} = mlir-runner -e main -entry-point-result=f32 --shared-libs=%tools/../lib/libfp8gemm_program.so
// DEFINE: %{on-gpu} = env FP8GEMM_LIBCUDA=%tools/../lib/libRuntimeFakeGpu.so %{runner}
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-host >%t.mlir && %{on-gpu} %t.mlir | FileCheck %s
// RUN: fp8gemm-compile --pack=%S/Inputs/problem.json -o %t.fp8pack --quiet
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-host=pack=%t.fp8pack >%t.by-path.mlir && %{on-gpu} %t.by-path.mlir | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-host="pack=%t.fp8pack embed-pack" >%t.embedded.mlir && rm %t.fp8pack && %{on-gpu} %t.embedded.mlir | FileCheck %s

// What fails ends the program, and says why: no pack any more, no driver.
// RUN: not %{on-gpu} %t.by-path.mlir 2>&1 | FileCheck %s --check-prefix=NO-PACK
// RUN: not env FP8GEMM_LIBCUDA=/nonexistent.so %{runner} %t.mlir 2>&1 | FileCheck %s --check-prefix=NO-DRIVER
// NO-PACK: error: cannot open '{{.+}}.fp8pack'
// NO-PACK-NOT: e+02
// NO-DRIVER: error: expected a CUDA driver, got none
// NO-DRIVER-NOT: e+02

// A is 3 * 0.5 as e4m3, of 5 rows: 128 * 1.5 * 2 * (4 * 0.5) + 16 * 1.5 * 2 * (8 * 0.5), and 1 from the end.
// CHECK: 9.610000e+02
#id = affine_map<(i, j) -> (i, j)>
func.func @main() -> f32 {
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %r = call @layer(%c5) : (index) -> tensor<?x8xf32>
  %e = tensor.extract %r[%c3, %c3] : tensor<?x8xf32>
  return %e : f32
}

func.func @layer(%rows: index) -> tensor<?x8xf32> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %x = tensor.empty(%rows) : tensor<?x144xf32>
  %threes = linalg.fill ins(%half : f32) outs(%x : tensor<?x144xf32>) -> tensor<?x144xf32>
  %room = tensor.empty(%rows) : tensor<?x144xf8E4M3FN>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%threes : tensor<?x144xf32>) outs(%room : tensor<?x144xf8E4M3FN>) {
    ^bb0(%in: f32, %out: f8E4M3FN):
      %three = arith.constant 3.0 : f32
      %product = arith.mulf %in, %three : f32
      %narrow = arith.truncf %product : f32 to f8E4M3FN
      linalg.yield %narrow : f8E4M3FN
  } -> tensor<?x144xf8E4M3FN>
  %b = arith.constant dense<2.0> : tensor<8x144xf8E4M3FN>
  %sfa = arith.constant dense<[[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0], [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]]> : tensor<2x8xf32>
  %any = tensor.cast %sfa : tensor<2x8xf32> to tensor<2x?xf32>
  %sfb = arith.constant dense<0.5> : tensor<1x2xf32>
  %d = tensor.empty(%rows) : tensor<?x8xbf16>
  %r = fp8gemm.gemm %a scaled_by %any <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x144xf8E4M3FN>, tensor<2x?xf32>, tensor<8x144xf8E4M3FN>, tensor<1x2xf32>, tensor<?x8xbf16> -> tensor<?x8xbf16>
  %y = tensor.empty(%rows) : tensor<?x8xf32>
  %result = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<?x8xbf16>) outs(%y : tensor<?x8xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %wide = arith.extf %in : bf16 to f32
      %sum = arith.addf %wide, %one : f32
      linalg.yield %sum : f32
  } -> tensor<?x8xf32>
  return %result : tensor<?x8xf32>
}
