// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Debian's mlir-opt, which knows nothing of this project, with our plugin.
// DEFINE: %{mlir-opt} = mlir-opt --load-dialect-plugin=%tools/../lib/FP8GemmPlugin.so --load-pass-plugin=%tools/../lib/FP8GemmPlugin.so

// It reads the dialects, and its own passes know their operations: a product on tensors is bufferized in place.
// RUN: %{mlir-opt} %s --pass-pipeline="builtin.module(one-shot-bufferize{bufferize-function-boundaries})" | FileCheck %s --check-prefix=BUFFERIZED
// BUFFERIZED: fp8gemm.gemm {{.+}} : memref<64x128xf8E4M3FN

// All of the way to LLVM, by one pipeline and step by step; the same that our own tool does.
// RUN: %{mlir-opt} %s --pass-pipeline="builtin.module(fp8gemm-to-llvm)" >%t.pipeline
// RUN: FileCheck %s <%t.pipeline
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm >%t.own && cmp %t.pipeline %t.own
// RUN: %{mlir-opt} %s --pass-pipeline="builtin.module(fp8gemm-select-config{expected-m=4096},convert-fp8gemm-to-hopper,gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings,hopper-check-resources),convert-hopper-to-nvvm,convert-scf-to-cf,fp8gemm-convert-kernels-to-llvm,canonicalize,cse,reconcile-unrealized-casts))" >%t.steps
// RUN: cmp %t.steps %t.own
// CHECK-LABEL: func.func @product
// CHECK: fp8gemm.gemm {{.+}}kernel = @[[KERNEL:[a-z0-9_]+]]::@[[KERNEL]]
// CHECK: llvm.func @[[KERNEL]]
// CHECK: wgmma.mma_async
func.func @product(%a: tensor<64x128xf8E4M3FN>, %sfa: tensor<64x1xf32>, %b: tensor<64x128xf8E4M3FN>, %sfb: tensor<1x1xf32>,
                   %d: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<64x128xf8E4M3FN>, tensor<64x1xf32>, tensor<64x128xf8E4M3FN>, tensor<1x1xf32>, tensor<64x64xbf16> -> tensor<64x64xbf16>
  return %r : tensor<64x64xbf16>
}

// Errors are those of our verifiers.
// RUN: sed s/64x64xbf16/64x63xbf16/g %s >%t.mlir
// RUN: not %{mlir-opt} %t.mlir 2>&1 | FileCheck %s --check-prefix=ERROR
// ERROR: error: 'fp8gemm.gemm' op expected 'd' to be [rows of 'a', rows of 'b'] = [64, 64], got [64, 63]
