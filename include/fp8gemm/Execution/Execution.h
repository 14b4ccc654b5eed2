/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm_cpu: runs a product on the CPU, by compiling fp8gemm.gemm, grouped_gemm or
 * k_grouped_gemm through linalg. It is the oracle of the numeric tests (docs/Numerics.md). Plain C, no MLIR
 * types: link it, dlopen it, or call it through ctypes.
 */
#ifndef FP8GEMM_EXECUTION_EXECUTION_H
#define FP8GEMM_EXECUTION_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FP8GEMM_CPU_API __attribute__((visibility("default")))
#else
#define FP8GEMM_CPU_API
#endif

/* How scales are stored: see #fp8gemm.scale. */
enum { FP8GEMM_CPU_K_MAJOR = 0, FP8GEMM_CPU_MN_MAJOR = 1 };

/* Element types. */
enum { FP8GEMM_CPU_E4M3 = 0, FP8GEMM_CPU_E5M2 = 1, FP8GEMM_CPU_BF16 = 2, FP8GEMM_CPU_F32 = 3 };

/* What is grouped, and how the groups are described: see #fp8gemm.grouping. Batched is a grouped_gemm
 * without a description. */
enum {
  FP8GEMM_CPU_NOT_GROUPED = 0,
  FP8GEMM_CPU_ROW_INDEX = 1,
  FP8GEMM_CPU_ROW_END = 2,
  FP8GEMM_CPU_ROW_COUNT = 3,
  FP8GEMM_CPU_BATCHED = 4,
  FP8GEMM_CPU_K_COUNT = 5
};

/* Host memory, the elements from the start of a row to that of the next, and from a group to
 * the next where each group has its own matrix. */
typedef struct {
  void *data;
  int64_t leading_dimension;
  int64_t group_stride;
} fp8gemm_cpu_matrix;

/* D[m, n] = C[m, n] + sum of scaled products. a: [m, k] e4m3 or e5m2; sfa: f32, [m,
 * ceil(k/128)] or mn_major [ceil(k/128), m]; b: [n, k] e4m3 or e5m2; sfb: f32,
 * [ceil(n/sfb_block_rows), ceil(k/128)] or mn_major transposed; c: [m, n] like d, or no C
 * where its data is null; d: [m, n] bf16 or f32, overwritten. In place: c is d, with one
 * leading dimension; else the two don't overlap.
 *
 * Grouped, the operands are those of fp8gemm.grouped_gemm or k_grouped_gemm. There m is the rows of a
 * group for row_count and batched, and k the sum of all groups for k_count. */
typedef struct {
  int64_t m, n, k;
  int32_t a_type, b_type, d_type;
  int32_t sfb_block_rows; /* 128 (recipe 1d2d) or 1 (recipe 1d1d) */
  int32_t sfa_layout, sfb_layout;
  fp8gemm_cpu_matrix a, sfa, b, sfb, c, d;
  /* Zero where nothing is grouped: */
  int32_t grouping;
  int32_t flattened; /* k_count: a and b consist of the packed matrices of the groups, one after the other */
  int64_t groups;
  int64_t group_align;        /* rows that groups start at multiples of, else 1 */
  int64_t k_blocks;           /* k_count: blocks of K that there are scales for */
  const int32_t *description; /* an entry for each row (row_index) or group; null if batched */
  int64_t weights;            /* matrices of b and sfb, if groups share them; 0: one for each group */
} fp8gemm_cpu_problem;

/* Computes the product on `threads` threads (0: one per core). Returns 0, or 1 with a
 * message of at most `message_size` bytes, its terminator included. The operands'
 * limits are those of the operation. The bits of D do not depend on `threads`. */
FP8GEMM_CPU_API int fp8gemm_cpu_gemm(const fp8gemm_cpu_problem *problem, int32_t threads, char *message,
                                     size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_EXECUTION_EXECUTION_H */
