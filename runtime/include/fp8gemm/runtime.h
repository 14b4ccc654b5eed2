/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The fp8gemm runtime: opens kernel files and packs made by fp8gemm-compile and
 * launches what they hold. Plain C11; the library needs only the CUDA driver
 * (libcuda.so.1), which it opens at the first call that needs a GPU.
 *
 * Every function that can fail returns a status, or null where it returns a pointer;
 * fp8gemm_last_error() then says what failed and what to do. Functions may be called
 * from any thread; kernels and packs may be used by many threads at once, but not
 * after they are closed.
 *
 * Versions: a program keeps working with every later library of the same SONAME (libfp8gemm_runtime.so.0). Functions
 * and values of enums are only added. A struct that starts with `size` grows only at its end: the caller sets `size`
 * to the sizeof of the header it is compiled with, and
 *   - of an older program, the fields that its struct lacks count as 0, which asks for what was before them;
 *   - of a newer program, fields that this library does not know must be 0, else FP8GEMM_INVALID_ARGUMENT; where the
 *     library fills the struct, it sets them to 0.
 * In an array all have the same `size`.
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

/* Of this header. */
#define FP8GEMM_VERSION_MAJOR 0
#define FP8GEMM_VERSION_MINOR 1
#define FP8GEMM_VERSION_PATCH 0
/* Versions as one number, which ascends: 10203 is 1.2.3. */
#define FP8GEMM_MAKE_VERSION(major, minor, patch) ((major) * 10000 + (minor) * 100 + (patch))
#define FP8GEMM_VERSION FP8GEMM_MAKE_VERSION(FP8GEMM_VERSION_MAJOR, FP8GEMM_VERSION_MINOR, FP8GEMM_VERSION_PATCH)

/* Of the library that is loaded. */
FP8GEMM_API uint32_t fp8gemm_version(void);

/* CUstream and cudaStream_t are pointers to this. */
struct CUstream_st;

typedef enum fp8gemm_status {
  FP8GEMM_OK = 0,
  FP8GEMM_INVALID_ARGUMENT = 1,   /* a null pointer, a bad size, alignment or leading dimension */
  FP8GEMM_IO_ERROR = 2,           /* the file cannot be read */
  FP8GEMM_INVALID_FILE = 3,       /* not a kernel file or pack: foreign, truncated, damaged, of another version */
  FP8GEMM_NO_DRIVER = 4,          /* no CUDA driver, one too old, or no GPU */
  FP8GEMM_NO_CONTEXT = 5,         /* no CUDA context is current on this thread */
  FP8GEMM_WRONG_CONTEXT = 6,      /* the stream belongs to another context than the current one */
  FP8GEMM_UNSUPPORTED_DEVICE = 7, /* the kernel is for another GPU */
  FP8GEMM_DRIVER_ERROR = 8,       /* a call of the CUDA driver failed */
  FP8GEMM_OUT_OF_MEMORY = 9,      /* host memory, or another resource of the host */
  FP8GEMM_NOT_IN_PACK = 10        /* the pack has no kernel for this problem */
} fp8gemm_status;

/* The message of the last call on this thread that failed; never null. Valid
 * until the next call of a function of this library on this thread. */
FP8GEMM_API const char *fp8gemm_last_error(void);

/* The status of that call, for those that return a pointer; FP8GEMM_OK if none has failed. */
FP8GEMM_API fp8gemm_status fp8gemm_last_status(void);

/* A kernel: one compiled problem. */
typedef struct fp8gemm_kernel fp8gemm_kernel;

/* Reads and checks a kernel file: hash, manifest, agreement of manifest and cubin.
 * Needs no GPU. `*kernel` is written only on success. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open(const char *path, fp8gemm_kernel **kernel);

/* The same from `size` bytes in memory, which are copied. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open_memory(const void *bytes, size_t size, fp8gemm_kernel **kernel);

/* Frees the kernel and unloads it from all devices; its launches must be complete.
 * A null kernel is ignored, and so is a kernel of a pack, which closes it. */
FP8GEMM_API void fp8gemm_kernel_close(fp8gemm_kernel *kernel);

/* Order in which scales are stored; see fp8gemm_gemm. */
typedef enum fp8gemm_scale_layout { FP8GEMM_K_MAJOR = 0, FP8GEMM_MN_MAJOR = 1 } fp8gemm_scale_layout;

/* Element types. */
typedef enum fp8gemm_type { FP8GEMM_E4M3 = 0, FP8GEMM_E5M2 = 1, FP8GEMM_BF16 = 2, FP8GEMM_F32 = 3 } fp8gemm_type;

/* Whether a kernel adds C, and where it is; see fp8gemm_gemm. */
typedef enum fp8gemm_c_use { FP8GEMM_NO_C = 0, FP8GEMM_C_APART = 1, FP8GEMM_C_IN_PLACE = 2 } fp8gemm_c_use;

/* How a kernel is told of its groups; see fp8gemm_grouped_gemm. */
typedef enum fp8gemm_grouping {
  FP8GEMM_NO_GROUPS = 0, /* for fp8gemm_gemm */
  FP8GEMM_ROW_INDEX = 1,
  FP8GEMM_ROW_END = 2,
  FP8GEMM_ROW_COUNT = 3,
  FP8GEMM_BATCHED = 4,
  FP8GEMM_K_COUNT = 5
} fp8gemm_grouping;

/* What a kernel is. Strings live as long as the kernel. */
typedef struct fp8gemm_kernel_info {
  size_t size;      /* in: sizeof(fp8gemm_kernel_info) */
  const char *name; /* symbol of the kernel */
  const char *chip; /* "sm_90a" */
  int64_t m;        /* -1: any M */
  int64_t n;
  int64_t k;           /* -1: any, of FP8GEMM_K_COUNT */
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
  fp8gemm_grouping grouping;
  uint32_t groups;        /* 1 of FP8GEMM_NO_GROUPS */
  uint32_t group_align;   /* a group's rows start at multiples of this */
  uint32_t flat;          /* 1: a and b are each group's matrix packed, behind each other */
  size_t workspace_bytes; /* device memory that every launch is given; 0: none */
  const char *config;     /* the schedule, for people; "" if not recorded, as the versions */
  const char *ptxas_version;
  const char *llvm_version;
  uint32_t dependent_launch; /* 1: takes FP8GEMM_DEPENDENT_LAUNCH */
  uint64_t wait_limit_ns;    /* of a debug build (fp8gemm-compile --debug-rings): how long a wait at a ring may last; else 0 */
} fp8gemm_kernel_info;

FP8GEMM_API fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info);

/* Checks the kernel against the device of the current context (compute capability
 * 9.0 exactly, shared memory) and loads it there, so that the first fp8gemm_gemm
 * need not: call it before capturing a graph or measuring. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_load(fp8gemm_kernel *kernel);

/* Of a debug build (wait_limit_ns above): which of its warps waited for what for longer than that, before they
 * trapped. A line for each role and place, for people; "" where none did. Null of a kernel that is no debug build. It
 * calls no driver, so it answers while the GPU hangs, and when a context is lost. The text is valid until the next
 * call of this function on this thread. */
FP8GEMM_API const char *fp8gemm_kernel_ring_report(fp8gemm_kernel *kernel);

/* A row-major matrix in device memory; rows start `leading_dimension` elements
 * apart. */
typedef struct fp8gemm_matrix {
  void *data;
  int64_t leading_dimension;
} fp8gemm_matrix;

/* Programmatic dependent launch, for kernels whose fp8gemm_kernel_info says so: the kernel may start while the
 * one before it in the stream still runs, and waits by itself until that one is complete and its memory is
 * visible. So its start costs no time. Others are refused. */
#define FP8GEMM_DEPENDENT_LAUNCH 2u

/* Rows x columns as stored:
 *   a    M x K            a_type
 *   sfa  M x ceil(K/128)  f32 (k_major), or ceil(K/128) x M (mn_major)
 *   b    N x K            b_type
 *   sfb  ceil(N/sfb_block_rows) x ceil(K/128)  f32 (k_major), or transposed (mn_major)
 *   c    M x N            d_type; read where the kernel has a c_use, else null
 *   d    M x N            d_type, overwritten; overlaps no other operand
 * In place (FP8GEMM_C_IN_PLACE) c is d: the same pointer and leading dimension. Leading
 * dimensions are at least the columns. a, b, c, d and scales of single rows that are mn_major: pointers and rows
 * (in bytes) are multiples of 16, and rows less than 2^40 bytes apart. Nothing else limits how large an operand is. */
typedef struct fp8gemm_gemm_args {
  size_t size; /* sizeof(fp8gemm_gemm_args) */
  int64_t m;   /* rows of A and D; the kernel's M where that is fixed; 0 does nothing */
  fp8gemm_matrix a;
  fp8gemm_matrix sfa;
  fp8gemm_matrix b;
  fp8gemm_matrix sfb;
  fp8gemm_matrix c;
  fp8gemm_matrix d;
  uint32_t num_sms; /* CTAs at most: SMs that the launch may use; 0: all. See below */
  uint32_t flags;   /* FP8GEMM_DEPENDENT_LAUNCH, or 0 */
} fp8gemm_gemm_args;

/* num_sms leaves the other SMs to other kernels, and gives the same result: kernels loop over their tiles. Not so
 * those that split K, which start a cluster of CTAs for each tile: they are refused where those are more than
 * num_sms, as all kernels are for a num_sms below the CTAs of a cluster. Those of the device, or more: as 0. */

/* Enqueues D = C + A * B^T with block scales on `stream` of the current context, and
 * returns without waiting. A null stream is the legacy default stream. That `data`
 * is memory of this device, and large enough, is not checked. */
FP8GEMM_API fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *args,
                                        struct CUstream_st *stream);

/* A row-major matrix in device memory, or one of each group: a group's elements start
 * `group_stride` elements behind those of the group before it. Strides that an operand does
 * not have are ignored. */
typedef struct fp8gemm_tensor {
  void *data;
  int64_t leading_dimension;
  int64_t group_stride;
} fp8gemm_tensor;

/* Copy `groups` to the host first and check it: for debugging. The call then waits for the
 * stream, and can't be captured into a graph. */
#define FP8GEMM_CHECK_GROUPS 1u

/* G products, with groups[...] in device memory (i32) as the kernel's grouping says:
 *
 *   FP8GEMM_ROW_INDEX  groups[M]: row i of a, sfa and d belongs to group groups[i]; -1: not computed.
 *                      Of each group_align rows from a multiple of it, the first are of one group and
 *                      computed, the others -1.
 *   FP8GEMM_ROW_END    groups[G]: group g's rows end before groups[g], and start at groups[g - 1] (0 of
 *                      the first), rounded up to a multiple of group_align.
 *   FP8GEMM_ROW_COUNT  groups[G]: rows used of the M rows that each group has.
 *   FP8GEMM_BATCHED    no `groups`: all M rows of each group are used.
 *   FP8GEMM_K_COUNT    groups[G]: elements of K that belong to each group, multiples of 16; 0 is fine.
 *
 * Rows x columns are those of fp8gemm_gemm_args; of each group where it says G:
 *
 *                  ROW_INDEX, ROW_END   ROW_COUNT, BATCHED   K_COUNT
 *   a, sfa         M of all groups      G                    k of all groups; sfa has ceil(k_g/128) for group g
 *   b, sfb         G                    G                    the same
 *   c, d           M of all groups      G                    G
 *
 * Rows that no group has keep what d holds; so does group g of FP8GEMM_K_COUNT in place where its length is
 * 0, and is 0 (or C) where not in place. Of a `flat` kernel a and b hold group g's M x k_g (N x k_g) elements
 * packed, behind those of group g - 1; they have no leading dimension. Groups of an operand don't overlap:
 * they lie behind each other, or each row of all of them before the next row. Group strides are aligned as
 * rows are. A wrong description of groups gives wrong results, but nothing is written outside of d. */
typedef struct fp8gemm_grouped_gemm_args {
  size_t size; /* sizeof(fp8gemm_grouped_gemm_args) */
  int64_t m;   /* rows of a and d: of all groups, or of each; the kernel's M where that is fixed */
  int64_t k;   /* FP8GEMM_K_COUNT: columns of all groups of a and b; else ignored */
  fp8gemm_tensor a;
  fp8gemm_tensor sfa;
  fp8gemm_tensor b;
  fp8gemm_tensor sfb;
  fp8gemm_tensor c;
  fp8gemm_tensor d;
  const int32_t *groups;  /* in device memory, a multiple of 4 bytes; null of FP8GEMM_BATCHED */
  void *workspace;        /* in device memory, a multiple of 128 bytes, used until the launch is complete */
  size_t workspace_bytes; /* at least those of fp8gemm_kernel_info */
  uint32_t num_sms;       /* as of fp8gemm_gemm_args */
  uint32_t flags;         /* FP8GEMM_CHECK_GROUPS | FP8GEMM_DEPENDENT_LAUNCH, or 0 */
} fp8gemm_grouped_gemm_args;

/* fp8gemm_gemm of each group. Launches nothing where there is no work: m = 0, or k = 0 in place. */
FP8GEMM_API fp8gemm_status fp8gemm_grouped_gemm(fp8gemm_kernel *kernel, const fp8gemm_grouped_gemm_args *args,
                                                struct CUstream_st *stream);

/* A pack: kernels of many problems, and for each problem a plan of which kernel serves which M. */
typedef struct fp8gemm_pack fp8gemm_pack;

/* Maps a pack into memory and checks all of it: hashes, manifests, cubins, plans. Needs no GPU. The file may be
 * replaced (renamed over) while it is open, but not written to. `*pack` is written only on success. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_open(const char *path, fp8gemm_pack **pack);

/* The same of `size` bytes in memory, from a multiple of 16 on, which are not copied: they are left alone until
 * the pack is closed. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_open_memory(const void *bytes, size_t size, fp8gemm_pack **pack);

/* Frees the pack with its kernels and unloads these from all devices; their launches must be complete. A
 * null pack is ignored. */
FP8GEMM_API void fp8gemm_pack_close(fp8gemm_pack *pack);

/* A problem, for any M. The fields are those of fp8gemm_kernel_info, but for the last one. */
typedef struct fp8gemm_problem {
  size_t size; /* sizeof(fp8gemm_problem) */
  int64_t m;   /* of FP8GEMM_K_COUNT, else ignored */
  int64_t n;
  int64_t k; /* of FP8GEMM_K_COUNT, too, as the kernel has it: -1 where it takes any */
  fp8gemm_type a_type;
  fp8gemm_type b_type;
  fp8gemm_type d_type;
  fp8gemm_c_use c_use;
  uint32_t sfb_block_rows;
  fp8gemm_scale_layout sfa_layout;
  fp8gemm_scale_layout sfb_layout;
  fp8gemm_grouping grouping;
  uint32_t groups;      /* ignored of FP8GEMM_NO_GROUPS */
  uint32_t group_align; /* of FP8GEMM_ROW_INDEX and FP8GEMM_ROW_END, else ignored */
  uint32_t flat;
  uint32_t batch_invariant; /* 1: only a plan with which a row of D has the same bits for every M; 0: any plan */
} fp8gemm_problem;

/* How many problems a pack has; 0 of a null pack. */
FP8GEMM_API size_t fp8gemm_pack_problem_count(const fp8gemm_pack *pack);

/* The problem of that number, from 0 on. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_get_problem(const fp8gemm_pack *pack, size_t index, fp8gemm_problem *problem);

/* Loads the kernels of `count` problems, or of all for a null `problems`, on the device of the current context:
 * then no launch of them there loads anything. See fp8gemm_kernel_load. What was loaded before an error stays. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_load(fp8gemm_pack *pack, const fp8gemm_problem *problems, size_t count);

/* The kernel that the plan of `problem` has for `m` rows: of A, or of grouped products those expected of one group,
 * which steers the choice only. Of FP8GEMM_K_COUNT the problem's m counts, and `m` is ignored. Any m >= 0 of a
 * problem in the pack has a kernel. Where the pack has a batch-invariant plan of the problem and another one, this is
 * the one for batch_invariant = 0. It belongs to the pack, and is launched by fp8gemm_gemm or
 * fp8gemm_grouped_gemm. Takes no lock and allocates nothing. */
FP8GEMM_API fp8gemm_kernel *fp8gemm_pack_find(fp8gemm_pack *pack, const fp8gemm_problem *problem, int64_t m);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_RUNTIME_H */
