/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The functions that compiled programs call: convert-fp8gemm-to-runtime turns each product of fp8gemm into a call of
 * fp8gemm_program_run_operands. Only the two functions at the end are meant for hand-written code. Part of
 * libfp8gemm_program, on top of the runtime (runtime.h); plain C11.
 *
 * A thread that runs a product uses its current CUDA context. If it has none, device 0's primary context
 * becomes current, since a compiled program has no other place to do this. */

#ifndef FP8GEMM_PROGRAM_H
#define FP8GEMM_PROGRAM_H

#include "fp8gemm/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The location of a program's kernels. The first call opens the file, on any thread, and it stays open until
 * the process ends. */
typedef struct fp8gemm_program_file {
  const void *bytes; /* of the file, aligned to 16; null: it is at `path` */
  uint64_t size;     /* of `bytes` */
  const char *path;  /* null-terminated; null if there are `bytes` */
  uint64_t is_pack;  /* 1: a pack, 0: a kernel file */
  void *opened;      /* null until the file is open; owned by the library */
} fp8gemm_program_file;

/* Bits for the operands of a call that are in device memory; the others are in host memory. The operand of bit 1 << i
 * is number i of an array of operands. */
enum {
  FP8GEMM_PROGRAM_A = 1,
  FP8GEMM_PROGRAM_SFA = 2,
  FP8GEMM_PROGRAM_B = 4,
  FP8GEMM_PROGRAM_SFB = 8,
  FP8GEMM_PROGRAM_GROUPS = 16,
  FP8GEMM_PROGRAM_C = 32,
  FP8GEMM_PROGRAM_D = 64,
  FP8GEMM_PROGRAM_BIAS = 128,
  FP8GEMM_PROGRAM_ROW_SCALE = 1024,
  FP8GEMM_PROGRAM_SFD = 2048
};

/* Runs one product, or one for each group, with the file's kernel for `problem`. The array has `count` operands, which
 * are MLIR's descriptors of memrefs: {allocated, aligned, offset, sizes[rank], strides[rank]}, with the ranks that the
 * operation requires. Those that the operation does not have are null, or beyond the end; `c` is ignored if `problem`
 * adds in place. Sizes that are dynamic in the operation must agree, otherwise the call fails with
 * FP8GEMM_INVALID_ARGUMENT.
 *
 * Operands in host memory are copied to the device, in rows without gaps, and D and its scales are copied back; the call returns when
 * the copies are complete. Host operands need no alignment. If all operands are in device memory, the product is
 * enqueued on the thread's stream, and the call does not wait.
 *
 * Without rows (M = 0) it does nothing, on any machine. Returns a fp8gemm_status. */
FP8GEMM_API int32_t fp8gemm_program_run_operands(fp8gemm_program_file *file, const fp8gemm_problem *problem,
                                                 uint32_t device_operands, const void *const *operands,
                                                 uint32_t count);

/* The same, for programs that were compiled when these were all operands. */
FP8GEMM_API int32_t fp8gemm_program_run(fp8gemm_program_file *file, const fp8gemm_problem *problem,
                                        uint32_t device_operands, const void *a, const void *sfa, const void *b,
                                        const void *sfb, const void *groups, const void *c, const void *d,
                                        const void *bias);

/* Handles a status other than FP8GEMM_OK. Calls this thread's handler with it and the message;
 * without one, or if the handler returns, prints `error: <message>` on stderr and ends the process with exit status 1,
 * since D does not hold the result that the rest of the program relies on. */
FP8GEMM_API void fp8gemm_program_fail(int32_t status);

/* The message of the last failed run on this thread; never null. */
FP8GEMM_API const char *fp8gemm_program_last_error(void);

/* Products of this thread are enqueued on `stream` of its context from now on; initially, and for null, on the legacy
 * default stream. */
FP8GEMM_API void fp8gemm_program_set_stream(struct CUstream_st *stream);

/* Failures of this thread are passed to `handler` from now on, which must not return (it calls longjmp, or ends the
 * thread); null: the default. */
typedef void (*fp8gemm_program_handler)(int32_t status, const char *message, void *context);
FP8GEMM_API void fp8gemm_program_set_handler(fp8gemm_program_handler handler, void *context);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_PROGRAM_H */
