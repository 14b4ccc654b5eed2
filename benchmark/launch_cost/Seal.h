/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Evidence that nothing opens a file or starts a process any more: the kernel forbids it. Plain C, so that
 * other languages call it (libfp8gemm_seal.so). */

#ifndef FP8GEMM_BENCHMARK_LAUNCH_COST_SEAL_H
#define FP8GEMM_BENCHMARK_LAUNCH_COST_SEAL_H

#ifdef __cplusplus
extern "C" {
#endif

/* The exit status of a process that broke the seal. */
#define FP8GEMM_SEAL_BROKEN 3

/* From now on, a system call of any thread of this process that would open a file or start a process ends it,
 * with a message that names the call and its file (by SIGSYS and without one, where that is blocked, as it is
 * by posix_spawn). Threads may still be started. 0, or an errno where the
 * system has no such filters (seccomp); there is no way back. */
__attribute__((visibility("default"))) int fp8gemm_seal(void);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_BENCHMARK_LAUNCH_COST_SEAL_H */
