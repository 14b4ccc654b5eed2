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

/* Host memory, and the elements from the start of a row to that of the next. */
typedef struct {
  void *data;
  int64_t leading_dimension;
} fp8gemm_cpu_matrix;

/* D[m, n] = bf16(sum of scaled products). a: [m, k] e4m3; sfa: f32, [m, ceil(k/128)]
 * or mn_major [ceil(k/128), m]; b: [n, k] e4m3; sfb: f32, [ceil(n/128), ceil(k/128)] or
 * mn_major transposed; d: [m, n] bf16, overwritten. */
typedef struct {
  int64_t m, n, k;
  int32_t sfa_layout, sfb_layout;
  fp8gemm_cpu_matrix a, sfa, b, sfb, d;
} fp8gemm_cpu_problem;

/* Computes the product on `threads` threads (0: one per core). Returns 0, or 1 with a
 * message of at most `message_size` bytes, its terminator included. The operands'
 * limits are those of fp8gemm.gemm. The bits of D do not depend on `threads`. */
int fp8gemm_cpu_gemm(const fp8gemm_cpu_problem *problem, int32_t threads, char *message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_EXECUTION_EXECUTION_H */
