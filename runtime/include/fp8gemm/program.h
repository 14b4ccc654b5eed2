/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What compiled programs call: convert-fp8gemm-to-runtime turns each product of fp8gemm into a call of
 * fp8gemm_program_run. People call the two functions at the end, if any. In libfp8gemm_program, over the
 * runtime (runtime.h); plain C11.
 *
 * A thread that runs a product uses the CUDA context that is current there. If none is, device 0's primary context
 * becomes current: a compiled program has no other place that could do it. */

#ifndef FP8GEMM_PROGRAM_H
#define FP8GEMM_PROGRAM_H

#include "fp8gemm/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a program's kernels are. The first call opens the file, whichever thread it is on, and it stays open until
 * the process ends. */
typedef struct fp8gemm_program_file {
  const void *bytes; /* of the file, from a multiple of 16 on; null: it is at `path` */
  uint64_t size;     /* of `bytes` */
  const char *path;  /* ends with 0; null where there are `bytes` */
  uint64_t is_pack;  /* 1: a pack, 0: a kernel file */
  void *opened;      /* null until it is open; the library's */
} fp8gemm_program_file;

/* Which operands of a call are in device memory, by their places; the others are in host memory. */
enum {
  FP8GEMM_PROGRAM_A = 1,
  FP8GEMM_PROGRAM_SFA = 2,
  FP8GEMM_PROGRAM_B = 4,
  FP8GEMM_PROGRAM_SFB = 8,
  FP8GEMM_PROGRAM_GROUPS = 16,
  FP8GEMM_PROGRAM_C = 32,
  FP8GEMM_PROGRAM_D = 64
};

/* Runs one product, or one for each group, by the file's kernel for `problem`. Operands are MLIR's descriptors of
 * memrefs: {allocated, aligned, offset, sizes[rank], strides[rank]}, of the ranks that the operation asks for; `groups`
 * and `c` are null where there are none, and `c` is ignored where `problem` adds in place. Sizes that the operation
 * leaves open must agree, or it is FP8GEMM_INVALID_ARGUMENT.
 *
 * What is in host memory is copied to the device, in rows without gaps, and D back: the call then returns when D is
 * there. Host operands need no alignment. If all of them are in device memory the product is enqueued on the
 * thread's stream, and nothing is waited for.
 *
 * Without rows (M = 0) it does nothing, on any machine. Returns a fp8gemm_status. */
FP8GEMM_API int32_t fp8gemm_program_run(fp8gemm_program_file *file, const fp8gemm_problem *problem,
                                        uint32_t device_operands, const void *a, const void *sfa, const void *b,
                                        const void *sfb, const void *groups, const void *c, const void *d);

/* What a program does with a status other than FP8GEMM_OK. Calls this thread's handler with it and the message;
 * without one, or if the handler returns, prints `error: <message>` on stderr and ends the process with exit status 1:
 * D doesn't hold what the rest of the program would take it for. */
FP8GEMM_API void fp8gemm_program_fail(int32_t status);

/* The message of the last fp8gemm_program_run on this thread that failed; never null. */
FP8GEMM_API const char *fp8gemm_program_last_error(void);

/* From now on products of this thread are enqueued on `stream` of its context; at first, and for null, on the legacy
 * default stream. */
FP8GEMM_API void fp8gemm_program_set_stream(struct CUstream_st *stream);

/* From now on failures of this thread come to `handler`, which leaves the program (by longjmp, or by ending the
 * thread); null: the usual. */
typedef void (*fp8gemm_program_handler)(int32_t status, const char *message, void *context);
FP8GEMM_API void fp8gemm_program_set_handler(fp8gemm_program_handler handler, void *context);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_PROGRAM_H */
