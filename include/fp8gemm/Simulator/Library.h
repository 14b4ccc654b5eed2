/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm_sim: simulates a kernel written in the hopper dialect, on random operands. Plain C, no MLIR
 * types: fp8gemm-run opens it for --device=sim.
 */
#ifndef FP8GEMM_SIMULATOR_LIBRARY_H
#define FP8GEMM_SIMULATOR_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *path; /* of a module with one kernel at the hopper level, MLIR text or bytecode; "-": standard input */
  int64_t m;        /* rows of A, of each group where each has its own; -1: the kernel's only one */
  int64_t pad;      /* bytes between rows, a multiple of 16 */
  uint64_t seed;    /* of operands, groups and interleaving */
  double watchdog;  /* seconds after which the simulation ends; 0: none */
} fp8gemm_sim_args;

typedef struct {
  char kernel[512];  /* its name, cut off where it is longer */
  int64_t m, n, k;   /* as simulated; k of all groups */
  int64_t clusters;  /* launched */
  int64_t elements;  /* of D that were compared with float64 */
  int64_t untouched; /* padding elements of D's memory, which kept their bits */
  double worst_error_over_bound;
} fp8gemm_sim_result;

/* Returns 0 if the schedule is sound and D within the oracle's bound (docs/Numerics.md), 1 if the simulator objects,
 * 2 if there is nothing to simulate: no such file, not one kernel, another level; 3 if the watchdog ended it. `message`
 * gets what is wrong, at most `message_size` bytes with the terminator. */
int fp8gemm_simulate(const fp8gemm_sim_args *args, fp8gemm_sim_result *result, char *message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_SIMULATOR_LIBRARY_H */
