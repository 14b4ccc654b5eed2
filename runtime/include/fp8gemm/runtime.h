/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The fp8gemm runtime: opens kernel files made by fp8gemm-compile and launches
 * them. Plain C11; the library needs only the CUDA driver (libcuda.so.1), which it
 * opens at the first call that needs a GPU.
 *
 * Every function that can fail returns a status; fp8gemm_last_error() then says
 * what failed and what to do. Functions may be called from any thread; a kernel
 * may be used by many threads at once, but not after fp8gemm_kernel_close.
 *
 * Environment: FP8GEMM_LIBCUDA names another file to open as the CUDA driver
 * (default: libcuda.so.1). */

#ifndef FP8GEMM_RUNTIME_H
#define FP8GEMM_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FP8GEMM_API __attribute__((visibility("default")))
#else
#define FP8GEMM_API
#endif

/* CUstream and cudaStream_t are pointers to this. */
struct CUstream_st;

typedef enum fp8gemm_status {
  FP8GEMM_OK = 0,
  FP8GEMM_INVALID_ARGUMENT = 1,   /* a null pointer, a bad size, alignment or leading dimension */
  FP8GEMM_IO_ERROR = 2,           /* the kernel file cannot be read */
  FP8GEMM_INVALID_FILE = 3,       /* not a kernel file: foreign, truncated, damaged, of another version */
  FP8GEMM_NO_DRIVER = 4,          /* no CUDA driver, one too old, or no GPU */
  FP8GEMM_NO_CONTEXT = 5,         /* no CUDA context is current on this thread */
  FP8GEMM_WRONG_CONTEXT = 6,      /* the stream belongs to another context than the current one */
  FP8GEMM_UNSUPPORTED_DEVICE = 7, /* the kernel is for another GPU */
  FP8GEMM_DRIVER_ERROR = 8,       /* a call of the CUDA driver failed */
  FP8GEMM_OUT_OF_MEMORY = 9       /* host memory, or another resource of the host */
} fp8gemm_status;

/* The message of the last call on this thread that failed; never null. Valid
 * until the next call of a function of this library on this thread. */
FP8GEMM_API const char *fp8gemm_last_error(void);

/* A kernel: one compiled problem. */
typedef struct fp8gemm_kernel fp8gemm_kernel;

/* Reads and checks a kernel file: hash, manifest, agreement of manifest and cubin.
 * Needs no GPU. `*kernel` is written only on success. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open(const char *path, fp8gemm_kernel **kernel);

/* The same from `size` bytes in memory, which are copied. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open_memory(const void *bytes, size_t size, fp8gemm_kernel **kernel);

/* Frees the kernel and unloads it from all devices; its launches must be complete.
 * A null kernel is ignored. */
FP8GEMM_API void fp8gemm_kernel_close(fp8gemm_kernel *kernel);

/* Order in which scales are stored; see fp8gemm_gemm. */
typedef enum fp8gemm_scale_layout { FP8GEMM_K_MAJOR = 0, FP8GEMM_MN_MAJOR = 1 } fp8gemm_scale_layout;

/* Element types. */
typedef enum fp8gemm_type { FP8GEMM_E4M3 = 0, FP8GEMM_E5M2 = 1, FP8GEMM_BF16 = 2, FP8GEMM_F32 = 3 } fp8gemm_type;

/* Whether a kernel adds C, and where it is; see fp8gemm_gemm. */
typedef enum fp8gemm_c_use { FP8GEMM_NO_C = 0, FP8GEMM_C_APART = 1, FP8GEMM_C_IN_PLACE = 2 } fp8gemm_c_use;

/* What a kernel is. Strings live as long as the kernel. */
typedef struct fp8gemm_kernel_info {
  size_t size;      /* in: sizeof(fp8gemm_kernel_info) */
  const char *name; /* symbol of the kernel */
  const char *chip; /* "sm_90a" */
  int64_t m;        /* -1: any M */
  int64_t n;
  int64_t k;
  fp8gemm_type a_type; /* of an element: e4m3 or e5m2 */
  fp8gemm_type b_type;
  fp8gemm_type d_type; /* of C, too: bf16 or f32 */
  fp8gemm_c_use c_use;
  uint32_t sfb_block_rows; /* rows of B that share a scale: 128 (recipe 1d2d) or 1 (1d1d) */
  fp8gemm_scale_layout sfa_layout;
  fp8gemm_scale_layout sfb_layout;
  uint32_t tile_m; /* tile of D that a CTA computes at a time */
  uint32_t tile_n;
  uint32_t threads;     /* of a CTA */
  uint32_t smem_bytes;  /* dynamic shared memory of a CTA */
  uint32_t registers;   /* of a thread, at launch */
  uint32_t spill_bytes; /* of a thread */
  const char *config;   /* the schedule, for people; "" if not recorded, as the versions */
  const char *ptxas_version;
  const char *llvm_version;
} fp8gemm_kernel_info;

FP8GEMM_API fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info);

/* Checks the kernel against the device of the current context (compute capability
 * 9.0 exactly, shared memory) and loads it there, so that the first fp8gemm_gemm
 * need not: call it before capturing a graph or measuring. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_load(fp8gemm_kernel *kernel);

/* A row-major matrix in device memory; rows start `leading_dimension` elements
 * apart. */
typedef struct fp8gemm_matrix {
  void *data;
  int64_t leading_dimension;
} fp8gemm_matrix;

/* Rows x columns as stored:
 *   a    M x K            a_type
 *   sfa  M x ceil(K/128)  f32 (k_major), or ceil(K/128) x M (mn_major)
 *   b    N x K            b_type
 *   sfb  ceil(N/sfb_block_rows) x ceil(K/128)  f32 (k_major), or transposed (mn_major)
 *   c    M x N            d_type; read where the kernel has a c_use, else null
 *   d    M x N            d_type, overwritten; overlaps no other operand
 * In place (FP8GEMM_C_IN_PLACE) c is d: the same pointer and leading dimension. Leading
 * dimensions are at least the columns. a, b, c, d and scales of single rows that are mn_major:
 * pointers and rows (in bytes) are multiples of 16. */
typedef struct fp8gemm_gemm_args {
  size_t size; /* sizeof(fp8gemm_gemm_args) */
  int64_t m;   /* rows of A and D; the kernel's M where that is fixed; 0 does nothing */
  fp8gemm_matrix a;
  fp8gemm_matrix sfa;
  fp8gemm_matrix b;
  fp8gemm_matrix sfb;
  fp8gemm_matrix c;
  fp8gemm_matrix d;
} fp8gemm_gemm_args;

/* Enqueues D = C + A * B^T with block scales on `stream` of the current context, and
 * returns without waiting. A null stream is the legacy default stream. That `data`
 * is memory of this device, and large enough, is not checked. */
FP8GEMM_API fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *args,
                                        struct CUstream_st *stream);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_RUNTIME_H */
