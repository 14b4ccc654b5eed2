// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The smallest program: D = A * B^T for any number of rows M, as in the attention
// and expert layers of a large language model.
//
//   fp8gemm-compile examples/gemm.mlir -o gemm.cubin     one kernel, for every M
//   fp8gemm-run gemm.cubin --m=4096 --check              against the CPU oracle
//
// A: [M, 2048] and B: [7168, 2048] are f8E4M3FN. One f32 scale stands for 128
// elements of a row of A, and one for a block of 128 x 128 elements of B:
//
//   sfa: 16 = 2048 / 128 rows, one column a row of A (mn_major: the K block comes
//        first), padded so that the columns are a multiple of 4
//   sfb: 56 x 16 = 7168 / 128 x 2048 / 128 (k_major: the K block comes last)
//
// D: [M, 7168] is bf16 and is overwritten.
func.func @gemm(%a: memref<?x2048xf8E4M3FN>, %sfa: memref<16x?xf32>, %b: memref<7168x2048xf8E4M3FN>,
                %sfb: memref<56x16xf32>, %d: memref<?x7168xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>, memref<?x7168xbf16>
  return
}
