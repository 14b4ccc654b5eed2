// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: ptxas

// What is embedded is a pack that has the module's products; what else the file may hold is an error now, not when the program runs.
// RUN: split-file %s %t && cd %t
// RUN: fp8gemm-compile --pack=wide.mlir --max-m=1 -o wide.pack --quiet
// RUN: fp8gemm-compile --pack=wide.mlir --max-m=1 --batch-invariant -o invariant.pack --quiet
// RUN: fp8gemm-opt wide.mlir --convert-fp8gemm-to-runtime="pack=wide.pack embed-pack" -o /dev/null
// RUN: fp8gemm-opt wide.mlir --convert-fp8gemm-to-runtime="pack=invariant.pack embed-pack batch-invariant" -o /dev/null

// RUN: not fp8gemm-opt narrow.mlir --convert-fp8gemm-to-runtime="pack=wide.pack embed-pack" 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: narrow.mlir:3:3: error: 'fp8gemm.gemm' op expected a product of the 1 in pack 'wide.pack' (fp8gemm-inspect lists them), got one that is not there
// RUN: not fp8gemm-opt wide.mlir --convert-fp8gemm-to-runtime="pack=wide.pack embed-pack batch-invariant" 2>&1 | FileCheck %s --check-prefix=INVARIANT
// INVARIANT: error: 'fp8gemm.gemm' op expected a product of the 1 in pack 'wide.pack' (fp8gemm-inspect lists them), got one that is not there with batch_invariant
// RUN: not fp8gemm-opt wide.mlir --convert-fp8gemm-to-runtime="pack=list.json embed-pack" 2>&1 | FileCheck %s --check-prefix=JSON
// JSON: error: list.json: expected a pack (made by fp8gemm-compile --pack), got something else
// RUN: head -c 5000 wide.pack >cut.pack
// RUN: not fp8gemm-opt wide.mlir --convert-fp8gemm-to-runtime="pack=cut.pack embed-pack" 2>&1 | FileCheck %s --check-prefix=CUT
// CUT: error: cut.pack: expected a pack of {{[0-9]+}} bytes, got 5000: it is truncated

//--- wide.mlir
func.func @wide(%a: memref<?x64xf8E4M3FN>, %s: memref<?x1xf32>, %b: memref<64x64xf8E4M3FN>, %t: memref<1x1xf32>, %d: memref<?x64xbf16>) {
  fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %t <128x128, k_major> into %d
    : memref<?x64xf8E4M3FN>, memref<?x1xf32>, memref<64x64xf8E4M3FN>, memref<1x1xf32>, memref<?x64xbf16>
  return
}

//--- narrow.mlir
// The same in f32.
func.func @narrow(%a: memref<?x64xf8E4M3FN>, %s: memref<?x1xf32>, %b: memref<64x64xf8E4M3FN>, %t: memref<1x1xf32>, %d: memref<?x64xf32>) {
  fp8gemm.gemm %a scaled_by %s <1x128, k_major>, %b scaled_by %t <128x128, k_major> into %d
    : memref<?x64xf8E4M3FN>, memref<?x1xf32>, memref<64x64xf8E4M3FN>, memref<1x1xf32>, memref<?x64xf32>
  return
}

//--- list.json
{"gpu": "h200-sxm", "problems": []}
