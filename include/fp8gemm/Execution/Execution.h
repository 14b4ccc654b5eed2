/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm_cpu: runs a product on the CPU, by compiling fp8gemm.gemm through
 * linalg. It is the oracle of the numeric tests (docs/Numerics.md). Plain C, no MLIR
 * types: link it, dlopen it, or call it through ctypes.
 */
#ifndef FP8GEMM_EXECUTION_EXECUTION_H
#define FP8GEMM_EXECUTION_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How scales are stored: see #fp8gemm.scale. */
enum { FP8GEMM_CPU_K_MAJOR = 0, FP8GEMM_CPU_MN_MAJOR = 1 };

/* Element types. */
enum { FP8GEMM_CPU_E4M3 = 0, FP8GEMM_CPU_E5M2 = 1, FP8GEMM_CPU_BF16 = 2, FP8GEMM_CPU_F32 = 3 };

/* Host memory, and the elements from the start of a row to that of the next. */
typedef struct {
  void *data;
  int64_t leading_dimension;
} fp8gemm_cpu_matrix;

/* D[m, n] = C[m, n] + sum of scaled products. a: [m, k] e4m3 or e5m2; sfa: f32, [m,
 * ceil(k/128)] or mn_major [ceil(k/128), m]; b: [n, k] e4m3 or e5m2; sfb: f32,
 * [ceil(n/sfb_block_rows), ceil(k/128)] or mn_major transposed; c: [m, n] like d, or no C
 * where its data is null; d: [m, n] bf16 or f32, overwritten. In place: c is d, with one
 * leading dimension; else the two don't overlap. */
typedef struct {
  int64_t m, n, k;
  int32_t a_type, b_type, d_type;
  int32_t sfb_block_rows; /* 128 (recipe 1d2d) or 1 (recipe 1d1d) */
  int32_t sfa_layout, sfb_layout;
  fp8gemm_cpu_matrix a, sfa, b, sfb, c, d;
} fp8gemm_cpu_problem;

/* Computes the product on `threads` threads (0: one per core). Returns 0, or 1 with a
 * message of at most `message_size` bytes, its terminator included. The operands'
 * limits are those of fp8gemm.gemm. The bits of D do not depend on `threads`. */
int fp8gemm_cpu_gemm(const fp8gemm_cpu_problem *problem, int32_t threads, char *message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_EXECUTION_EXECUTION_H */
