// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime -split-input-file -verify-diagnostics
// RUN: not fp8gemm-opt --convert-fp8gemm-to-runtime=memory=disk %S/pack.mlir 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: not fp8gemm-opt --convert-fp8gemm-to-runtime=embed-pack %S/pack.mlir 2>&1 | FileCheck %s --check-prefix=EMBED
// RUN: not fp8gemm-opt --convert-fp8gemm-to-runtime="pack=%t.none embed-pack" %S/pack.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// MEMORY: error: expected memory=host or memory=device, got 'disk'
// EMBED: error: expected 'pack' with embed-pack, got none
// NONE: error: cannot read '{{.+}}.none': No such file or directory

func.func @no_kernel(%a: memref<8x16xf8E4M3FN>, %s: memref<8x1xf32>, %b: memref<8x16xf8E4M3FN>, %d: memref<8x8xf32>) {
  // expected-error @below {{expected a kernel, got none: run the pipeline fp8gemm-to-cubin before, or name a 'pack'}}
  fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %s <1x128, k_major> into %d
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x8xf32>
  return
}

// -----

gpu.module @kernel {}
func.func @not_compiled(%a: memref<8x16xf8E4M3FN>, %s: memref<8x1xf32>, %b: memref<8x16xf8E4M3FN>, %d: memref<8x8xf32>) {
  // expected-error @below {{expected kernel "kernel" to be a gpu.binary with one object, as fp8gemm-serialize-kernels makes, got gpu.module}}
  fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %s <1x128, k_major> into %d {kernel = @kernel::@kernel}
    : memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x8xf32>
  return
}

// -----

func.func @tensors(%a: tensor<8x16xf8E4M3FN>, %s: tensor<8x1xf32>, %b: tensor<8x16xf8E4M3FN>, %d: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error @below {{expected memrefs, got 'a' of type 'tensor<8x16xf8E4M3FN>': run one-shot-bufferize before}}
  %0 = fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %s <1x128, k_major> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// -----

func.func @memory_space(%a: memref<8x16xf8E4M3FN, 3>, %s: memref<8x1xf32>, %b: memref<8x16xf8E4M3FN>, %d: memref<8x8xf32>) {
  // expected-error @below {{expected 'a' in the default memory space or in 1 (device memory), got 3 : i64}}
  fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %s <1x128, k_major> into %d
    : memref<8x16xf8E4M3FN, 3>, memref<8x1xf32>, memref<8x16xf8E4M3FN>, memref<8x1xf32>, memref<8x8xf32>
  return
}
