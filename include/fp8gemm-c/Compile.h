/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm: the compiler as a library. It makes packs in memory, which the runtime opens
 * (fp8gemm_pack_open_memory), answers what it would choose and why, and what is in a file. Plain C11. Mlir.h is for
 * programs that hold MLIR.
 *
 * Every function may be called from any thread, by many at once: calls share nothing but caches of what never
 * changes. None of them prints, ends the process, or installs signal handlers. What a function answers, and why it
 * failed, is a result of the caller's own.
 *
 * Compiling needs ptxas, which runs as a child process (unless this library was built with NVIDIA's PTX compiler in
 * it, FP8GEMM_NVPTXCOMPILER). Environment: CUDA_PATH, PATH and FP8GEMM_VENV say where it is looked for. */

#ifndef FP8GEMM_C_COMPILE_H
#define FP8GEMM_C_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FP8GEMM_C_API __attribute__((visibility("default")))
#else
#define FP8GEMM_C_API
#endif

typedef enum Fp8GemmStatus {
  Fp8GemmSuccess = 0,
  Fp8GemmInvalidArgument = 1, /* null where something is needed, or options of another version */
  Fp8GemmInvalidProblem = 2,  /* not written as it should be, against a rule, or without a schedule */
  Fp8GemmNoPtxas = 3,         /* ptxas is not found, or does not run */
  Fp8GemmCompileError = 4,    /* a kernel could not be compiled */
  Fp8GemmSystemError = 5,     /* the cache is no folder, or there is too little memory */
  Fp8GemmInvalidFile = 6      /* no kernel file or pack: foreign, truncated, damaged, of another version */
} Fp8GemmStatus;

/* An answer, or the reason why there is none. */
typedef struct Fp8GemmResult Fp8GemmResult;

FP8GEMM_C_API Fp8GemmStatus fp8gemmResultGetStatus(const Fp8GemmResult *result);

/* What was expected and what was found, a line for each error. Of a success "", or a warning: what is wrong with the
 * files of the cache, which costs time only. */
FP8GEMM_C_API const char *fp8gemmResultGetMessage(const Fp8GemmResult *result);

/* The bytes of a pack or a kernel file, from a multiple of 64 on, or a text, which a null byte follows that the size
 * doesn't count. Null of a failure. They live as long as the result. */
FP8GEMM_C_API const void *fp8gemmResultGetData(const Fp8GemmResult *result);
FP8GEMM_C_API size_t fp8gemmResultGetSize(const Fp8GemmResult *result);

/* How many files there are, and each of them: the kernels of fp8gemmCompileModule; else 1, the data, and none of a
 * failure. Null behind the last. `size` may be null. */
FP8GEMM_C_API size_t fp8gemmResultGetFileCount(const Fp8GemmResult *result);
FP8GEMM_C_API const void *fp8gemmResultGetFile(const Fp8GemmResult *result, size_t index, size_t *size);

/* Null is ignored. */
FP8GEMM_C_API void fp8gemmResultDestroy(Fp8GemmResult *result);

/* How to compile. All zero but the size: the usual way. */
typedef struct Fp8GemmCompileOptions {
  size_t size;       /* sizeof(Fp8GemmCompileOptions) */
  const char *gpu;   /* that times are modelled for; null: the list's, and h100-sxm of a single problem */
  const char *cache; /* folder to keep kernels in, which many processes may use at once; null: none */
  const char *ptxas; /* path; null: looked for */
  unsigned jobs;     /* threads; 0: one a processor, 1: the caller's alone */
  bool allowSpills;  /* accept kernels that spill, use local memory or draw C75xx */
} Fp8GemmCompileOptions;

/* Compiles a list of problems, {"gpu": ..., "problems": [...]}, or one of them, {"op": "gemm", ...}: JSON of `length`
 * bytes, as fp8gemm-compile --pack reads it (docs/Runtime.md). The data is a pack: the same bytes for the same
 * problems, compiler and ptxas. Null options are the usual ones. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmCompile(const char *problems, size_t length, const Fp8GemmCompileOptions *options);

/* How answers are written. */
typedef enum Fp8GemmForm { Fp8GemmText = 0, Fp8GemmJson = 1 } Fp8GemmForm;

/* Which kernel serves which M of one problem, for any M up to its max_m and beyond: the text of
 * fp8gemm-compile --plan. A null gpu is that of the list, or h100-sxm. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmPlan(const char *problem, size_t length, const char *gpu, Fp8GemmForm form);

/* The schedules that one problem can be computed with for `m` rows (of each group), the best `candidates` of them,
 * with their modelled times: the text of fp8gemm-compile --explain. 0 candidates: all. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmExplain(const char *problem, size_t length, const char *gpu, int64_t m,
                                            unsigned candidates, Fp8GemmForm form);

/* What is in `size` bytes of a kernel file or a pack: problems, plans, and each kernel's name, schedule, registers,
 * spills, shared memory and sizes: what fp8gemm-inspect prints, for any program that doesn't link the runtime. Other
 * bytes are Fp8GemmInvalidFile. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmInspect(const void *bytes, size_t size, Fp8GemmForm form);

/* "fp8gemm 0.1.0, LLVM 22.1.8". */
FP8GEMM_C_API const char *fp8gemmVersion(void);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_C_COMPILE_H */
