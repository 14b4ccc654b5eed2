/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm: the compiler as a library. It makes packs in memory, which the runtime opens
 * (fp8gemm_pack_open_memory), plans and explains schedules, and describes files. Plain C11. Mlir.h is for
 * programs that use MLIR.
 *
 * Every function may be called from any thread, and from several at once: calls share only caches of immutable
 * data. None of them prints, ends the process, or installs signal handlers. Each returns a result that the caller
 * owns: the answer, or the reason for the failure.
 *
 * Compiling needs ptxas, which runs as a child process (unless this library was built with NVIDIA's PTX compiler,
 * FP8GEMM_NVPTXCOMPILER). Environment: it is searched for in CUDA_PATH, PATH and FP8GEMM_VENV. */

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
  Fp8GemmInvalidArgument = 1, /* a null pointer, or options of another version */
  Fp8GemmInvalidProblem = 2,  /* malformed, against a rule, or without a schedule */
  Fp8GemmNoPtxas = 3,         /* ptxas was not found, or does not run */
  Fp8GemmCompileError = 4,    /* a kernel could not be compiled */
  Fp8GemmSystemError = 5,     /* the cache is not a folder, or memory ran out */
  Fp8GemmInvalidFile = 6      /* not a kernel file or pack, or one that is truncated, damaged or of another version */
} Fp8GemmStatus;

/* An answer, or the reason why there is none. */
typedef struct Fp8GemmResult Fp8GemmResult;

FP8GEMM_C_API Fp8GemmStatus fp8gemmResultGetStatus(const Fp8GemmResult *result);

/* What was expected and what was found, one line for each error. For a success "", or a warning about
 * files of the cache, which cost only time. */
FP8GEMM_C_API const char *fp8gemmResultGetMessage(const Fp8GemmResult *result);

/* The bytes of a pack or a kernel file, aligned to 64, or a text, followed by a null byte that the size
 * does not count. Null for a failure. They live as long as the result. */
FP8GEMM_C_API const void *fp8gemmResultGetData(const Fp8GemmResult *result);
FP8GEMM_C_API size_t fp8gemmResultGetSize(const Fp8GemmResult *result);

/* The number of files, and each of them: the kernels of fp8gemmCompileModule; otherwise 1, the data, or none for a
 * failure. Null for an index beyond the last. `size` may be null. */
FP8GEMM_C_API size_t fp8gemmResultGetFileCount(const Fp8GemmResult *result);
FP8GEMM_C_API const void *fp8gemmResultGetFile(const Fp8GemmResult *result, size_t index, size_t *size);

/* Null is ignored. */
FP8GEMM_C_API void fp8gemmResultDestroy(Fp8GemmResult *result);

/* How to compile. All fields except the size may be zero, which selects the defaults. */
typedef struct Fp8GemmCompileOptions {
  size_t size;       /* sizeof(Fp8GemmCompileOptions) */
  const char *gpu;   /* for which times are modelled; null: that of the list, or h100-sxm for a single problem */
  const char *cache; /* folder for compiled kernels, which many processes may use at once; null: none */
  const char *ptxas; /* path; null: searched for */
  unsigned jobs;     /* threads; 0: one per processor, 1: only the caller's */
  bool allowSpills;  /* accept kernels that spill, use local memory or cause C75xx warnings */
} Fp8GemmCompileOptions;

/* Compiles a list of problems, {"gpu": ..., "problems": [...]}, or one of them, {"op": "gemm", ...}: JSON of `length`
 * bytes, as for fp8gemm-compile --pack (docs/Runtime.md). The data is a pack: the same bytes for the same
 * problems, compiler and ptxas. Null options are the defaults. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmCompile(const char *problems, size_t length, const Fp8GemmCompileOptions *options);

/* The format of answers. */
typedef enum Fp8GemmForm { Fp8GemmText = 0, Fp8GemmJson = 1 } Fp8GemmForm;

/* Which kernel serves which M of one problem, for any M up to its max_m and beyond: the text of
 * fp8gemm-compile --plan. A null gpu is that of the list, or h100-sxm. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmPlan(const char *problem, size_t length, const char *gpu, Fp8GemmForm form);

/* The best `candidates` schedules for one problem with `m` rows (of each group), with their modelled times: the text
 * of fp8gemm-compile --explain. 0 candidates: all. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmExplain(const char *problem, size_t length, const char *gpu, int64_t m,
                                            unsigned candidates, Fp8GemmForm form);

/* The contents of `size` bytes of a kernel file or a pack: problems, plans, and each kernel's name, schedule,
 * registers, spills, shared memory and sizes, as fp8gemm-inspect prints them; for programs that do not link the
 * runtime. Other bytes give Fp8GemmInvalidFile. Needs no ptxas. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmInspect(const void *bytes, size_t size, Fp8GemmForm form);

/* "fp8gemm 0.1.0, LLVM 22.1.8". */
FP8GEMM_C_API const char *fp8gemmVersion(void);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_C_COMPILE_H */
