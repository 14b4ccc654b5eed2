/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The fp8gemm runtime: opens kernel files and packs made by fp8gemm-compile and
 * launches their kernels. Plain C11; the library needs only the CUDA driver
 * (libcuda.so.1), which it opens at the first call that needs a GPU.
 *
 * Every function that can fail returns a status, or null if it returns a pointer;
 * fp8gemm_last_error() then says what failed and what to do. Functions may be called
 * from any thread; kernels and packs may be used by many threads at once, but not
 * after they are closed.
 *
 * Versions: a program works with every later library of the same SONAME (libfp8gemm_runtime.so.0). Functions
 * and enum values are only added. A struct that starts with `size` grows only at its end: the caller sets `size`
 * to the sizeof in the header it is compiled with, and
 *   - for an older program, the fields that its struct lacks count as 0, which selects the old behaviour;
 *   - for a newer program, fields that this library does not know must be 0, otherwise the call fails with
 *     FP8GEMM_INVALID_ARGUMENT; in structs that the library fills, it sets them to 0.
 * All elements of an array have the same `size`.
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

/* The version of this header. */
#define FP8GEMM_VERSION_MAJOR 0
#define FP8GEMM_VERSION_MINOR 1
#define FP8GEMM_VERSION_PATCH 0
/* A version as one ascending number: 10203 is 1.2.3. */
#define FP8GEMM_MAKE_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define FP8GEMM_VERSION FP8GEMM_MAKE_VERSION(FP8GEMM_VERSION_MAJOR, FP8GEMM_VERSION_MINOR, FP8GEMM_VERSION_PATCH)

/* The version of the loaded library. */
FP8GEMM_API uint32_t fp8gemm_version(void);

/* CUstream and cudaStream_t are pointers to this. */
struct CUstream_st;

typedef enum fp8gemm_status {
  FP8GEMM_OK = 0,
  FP8GEMM_INVALID_ARGUMENT = 1, /* a null pointer, a bad size, alignment or leading dimension */
  FP8GEMM_IO_ERROR = 2,         /* the file cannot be read */
  FP8GEMM_INVALID_FILE = 3,     /* not a kernel file or pack, or one that is truncated, damaged or of another version */
  FP8GEMM_NO_DRIVER = 4,        /* no CUDA driver, one too old, or no GPU */
  FP8GEMM_NO_CONTEXT = 5,       /* no CUDA context is current on this thread */
  FP8GEMM_WRONG_CONTEXT = 6,    /* the stream does not belong to the current context */
  FP8GEMM_UNSUPPORTED_DEVICE = 7, /* the kernel is for another GPU */
  FP8GEMM_DRIVER_ERROR = 8,       /* a call of the CUDA driver failed */
  FP8GEMM_OUT_OF_MEMORY = 9,      /* host memory, or another resource of the host */
  FP8GEMM_NOT_IN_PACK = 10        /* the pack has no kernel for this problem */
} fp8gemm_status;

/* The message of the last failed call on this thread; never null. Valid
 * until the next call of a function of this library on this thread. */
FP8GEMM_API const char *fp8gemm_last_error(void);

/* The status of that call, for functions that return a pointer; FP8GEMM_OK if none has failed. */
FP8GEMM_API fp8gemm_status fp8gemm_last_status(void);

/* A kernel: one compiled problem. */
typedef struct fp8gemm_kernel fp8gemm_kernel;

/* Reads and checks a kernel file: hash, manifest, agreement of manifest and cubin.
 * Needs no GPU. `*kernel` is written only on success. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open(const char *path, fp8gemm_kernel **kernel);

/* The same from `size` bytes in memory, which are copied. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_open_memory(const void *bytes, size_t size, fp8gemm_kernel **kernel);

/* Frees the kernel and unloads it from all devices; its launches must be complete.
 * A null kernel is ignored, and so is a kernel that belongs to a pack. */
FP8GEMM_API void fp8gemm_kernel_close(fp8gemm_kernel *kernel);

/* Order in which scales are stored; see fp8gemm_gemm. */
typedef enum fp8gemm_scale_layout { FP8GEMM_K_MAJOR = 0, FP8GEMM_MN_MAJOR = 1 } fp8gemm_scale_layout;

/* Element types. */
typedef enum fp8gemm_type { FP8GEMM_E4M3 = 0, FP8GEMM_E5M2 = 1, FP8GEMM_BF16 = 2, FP8GEMM_F32 = 3 } fp8gemm_type;

/* Whether a kernel adds C, and where it is; see fp8gemm_gemm. */
typedef enum fp8gemm_c_use { FP8GEMM_NO_C = 0, FP8GEMM_C_APART = 1, FP8GEMM_C_IN_PLACE = 2 } fp8gemm_c_use;

/* The element type of x, for kernels that are quantisations; see fp8gemm_quantize. */
typedef enum fp8gemm_x_type {
  FP8GEMM_NO_X = 0, /* a product */
  FP8GEMM_X_BF16 = 1,
  FP8GEMM_X_F16 = 2,
  FP8GEMM_X_F32 = 3
} fp8gemm_x_type;
/* Whether a kernel adds a bias, and its element type; see fp8gemm_gemm. */
typedef enum fp8gemm_bias { FP8GEMM_NO_BIAS = 0, FP8GEMM_BIAS_BF16 = 1, FP8GEMM_BIAS_F32 = 2 } fp8gemm_bias;

/* How the scales of a quantised D are stored; see fp8gemm_gemm. */
typedef enum fp8gemm_sfd_layout { FP8GEMM_NO_SFD = 0, FP8GEMM_SFD_MN_MAJOR = 1, FP8GEMM_SFD_K_MAJOR = 2 } fp8gemm_sfd_layout;

/* The function of the sum that D is; of a gated kernel D = activation(gate) * up. Of a quantisation, the function of x
 * that is quantised. */
typedef enum fp8gemm_activation {
  FP8GEMM_NO_ACTIVATION = 0,
  FP8GEMM_RELU = 1,
  FP8GEMM_SILU = 2,     /* x / (1 + exp(-x)) */
  FP8GEMM_GELU = 3,     /* x * (1 + erf(x / sqrt(2))) / 2 */
  FP8GEMM_GELU_TANH = 4 /* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2 */
} fp8gemm_activation;

/* Whether a kernel multiplies each row of the product by a factor of its own; see fp8gemm_gemm. */
typedef enum fp8gemm_row_scale { FP8GEMM_NO_ROW_SCALE = 0, FP8GEMM_ROW_SCALE_F32 = 1 } fp8gemm_row_scale;

/* The form of the description of groups; see fp8gemm_grouped_gemm. */
typedef enum fp8gemm_grouping {
  FP8GEMM_NO_GROUPS = 0, /* for fp8gemm_gemm */
  FP8GEMM_ROW_INDEX = 1,
  FP8GEMM_ROW_END = 2,
  FP8GEMM_ROW_COUNT = 3,
  FP8GEMM_BATCHED = 4,
  FP8GEMM_K_COUNT = 5
} fp8gemm_grouping;

/* The properties of a kernel. Strings live as long as the kernel. */
typedef struct fp8gemm_kernel_info {
  size_t size;      /* in: sizeof(fp8gemm_kernel_info) */
  const char *name; /* symbol of the kernel */
  const char *chip; /* "sm_90a" */
  int64_t m;        /* -1: any M */
  int64_t n;
  int64_t k;           /* -1: any, with FP8GEMM_K_COUNT */
  fp8gemm_type a_type; /* e4m3 or e5m2 */
  fp8gemm_type b_type;
  fp8gemm_type d_type; /* also of C: bf16 or f32; or e4m3, quantised */
  fp8gemm_c_use c_use;
  uint32_t sfb_block_rows; /* rows of B that share a scale: 128 (recipe 1d2d) or 1 (1d1d) */
  fp8gemm_scale_layout sfa_layout;
  fp8gemm_scale_layout sfb_layout;
  uint32_t tile_m; /* tile of D that a CTA computes at a time */
  uint32_t tile_n;
  uint32_t threads;     /* per CTA */
  uint32_t smem_bytes;  /* dynamic shared memory per CTA */
  uint32_t registers;   /* per thread, at launch */
  uint32_t spill_bytes; /* per thread */
  fp8gemm_grouping grouping;
  uint32_t groups;        /* 1 with FP8GEMM_NO_GROUPS */
  uint32_t group_align;   /* the rows of each group start at a multiple of this */
  uint32_t flat;          /* 1: a and b consist of the packed matrices of the groups, one after the other */
  size_t workspace_bytes; /* device memory that every launch needs; 0: none */
  const char *config;     /* the schedule, as text; "" if not recorded, like the versions */
  const char *ptxas_version;
  const char *llvm_version;
  uint32_t dependent_launch; /* 1: accepts FP8GEMM_DEPENDENT_LAUNCH */
  uint64_t wait_limit_ns;    /* in a debug build (fp8gemm-compile --debug-rings), the time limit of a wait on a ring;
                                otherwise 0 */
  fp8gemm_x_type x_type;         /* for fp8gemm_quantize: then m, k, a_type, sfa_layout, power_of_two, gated, activation and sfb_block_rows say all */
  uint32_t power_of_two;     /* of a quantisation or a quantised D: 1: scales are rounded up to powers of two */
  fp8gemm_bias bias;
  uint32_t gated; /* 1: D is [M, N/2], of the products with rows n and N/2 + n of B; of a quantisation x is [M, 2K] */
  fp8gemm_row_scale row_scale;
  fp8gemm_activation activation;
  fp8gemm_sfd_layout sfd_layout; /* not FP8GEMM_NO_SFD: D is quantised, d_type is e4m3 */
  uint32_t weights; /* matrices of b and sfb that groups share: group g has number g % weights; 0: one for each group */
} fp8gemm_kernel_info;

FP8GEMM_API fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info);

/* Checks the kernel against the device of the current context (compute capability
 * 9.0 exactly, shared memory) and loads it there, so that the first fp8gemm_gemm
 * does not have to: call it before capturing a graph or measuring. */
FP8GEMM_API fp8gemm_status fp8gemm_kernel_load(fp8gemm_kernel *kernel);

/* For a debug build (wait_limit_ns above): which of its warps exceeded the limit before they trapped, and what they
 * waited for. One line of text for each role and location; "" if none did. Null for a kernel that is not a debug build.
 * It does not call the driver, so it works while the GPU hangs and after a context is lost. The text is valid until
 * the next call of this function on this thread. */
FP8GEMM_API const char *fp8gemm_kernel_ring_report(fp8gemm_kernel *kernel);

/* A row-major matrix in device memory; rows start `leading_dimension` elements
 * apart. */
typedef struct fp8gemm_matrix {
  void *data;
  int64_t leading_dimension;
} fp8gemm_matrix;

/* Programmatic dependent launch, for kernels whose fp8gemm_kernel_info allows it: the kernel may start while the
 * previous kernel of the stream still runs, and itself waits until that kernel is complete and its memory is
 * visible. This hides the start-up time. Other kernels are refused. */
#define FP8GEMM_DEPENDENT_LAUNCH 2u

/* Rows x columns as stored:
 *   a    M x K            a_type
 *   sfa  M x ceil(K/128)  f32 (k_major), or ceil(K/128) x M (mn_major)
 *   b    N x K            b_type
 *   sfb  ceil(N/sfb_block_rows) x ceil(K/128)  f32 (k_major), or transposed (mn_major)
 *   c    M x N            d_type; for kernels with a c_use, otherwise null
 *   d    M x N            d_type, overwritten; overlaps no other operand. Of a gated kernel M x N/2
 *   bias N                contiguous, of the type of the kernel's bias, added to each row; otherwise null. Its address
 *                         is a multiple of two elements
 *   row_scale  M          f32, contiguous, the factor of each row of the product, before the bias is added; for kernels
 *                         with a row_scale, otherwise null
 *   sfd  M x N/128        f32 (k_major), or N/128 x M (mn_major), overwritten, of a quantised d: its scales, of 128
 *                         elements of a row (of a gated kernel M x N/256); otherwise null. Overlaps no other operand.
 *                         d and sfd have the bits that fp8gemm_quantize makes of the product in f32, and can be a and sfa
 *                         of a next product
 * In place (FP8GEMM_C_IN_PLACE) c is d: the same pointer and leading dimension. Leading
 * dimensions are at least the number of columns. For a, b, c, d and mn_major scales of single rows, pointers and the
 * distance of rows (in bytes) are multiples of 16, and rows are less than 2^40 bytes apart. The size of an operand has
 * no other limit. */
typedef struct fp8gemm_gemm_args {
  size_t size; /* sizeof(fp8gemm_gemm_args) */
  int64_t m;   /* rows of A and D; the kernel's M if that is fixed; 0 does nothing */
  fp8gemm_matrix a;
  fp8gemm_matrix sfa;
  fp8gemm_matrix b;
  fp8gemm_matrix sfb;
  fp8gemm_matrix c;
  fp8gemm_matrix d;
  uint32_t num_sms; /* the most CTAs to launch, that is, SMs to use; 0: all. See below */
  uint32_t flags;   /* FP8GEMM_DEPENDENT_LAUNCH, or 0 */
  const void *bias;
  const float *row_scale;
  fp8gemm_matrix sfd;
} fp8gemm_gemm_args;

/* num_sms leaves the other SMs to other kernels and gives the same result, since kernels loop over their tiles.
 * Kernels that split K start a cluster of CTAs for each tile instead: they are refused if they need more CTAs than
 * num_sms. Every kernel is refused if num_sms is less than a cluster. The number of SMs of the device, or more, is
 * the same as 0. */

/* Enqueues D = activation(C + row_scale * (A * B^T) + bias) with block scales on `stream` of the current context, and
 * returns without waiting. A null stream is the legacy default stream. It does not check
 * that `data` is memory of this device, or that it is large enough. */
FP8GEMM_API fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *args,
                                        struct CUstream_st *stream);

/* Rows x columns as stored:
 *   x       M x K            bf16, f16 or f32 (x_type); of a gated kernel M x 2K: the gate's K columns, then the others
 *   q       M x K            a_type, overwritten
 *   scales  M x ceil(K/128)  f32 (k_major), or ceil(K/128) x M (mn_major), overwritten; of a kernel with an sfb_block_rows of
 *                            128 ceil(M/128) x ceil(K/128), or transposed
 * q and scales can be a and sfa of a product, or with an sfb_block_rows of 128 its b and sfb, whose rules on pointers and leading dimensions hold here, too: pointers
 * and the distance of rows (in bytes) are multiples of 16, except for scales that are k_major or of 128 rows. q and scales overlap no other
 * operand. */
typedef struct fp8gemm_quantize_args {
  size_t size; /* sizeof(fp8gemm_quantize_args) */
  int64_t m;   /* rows of x and q; the kernel's M if that is fixed; 0 does nothing */
  fp8gemm_matrix x;
  fp8gemm_matrix q;
  fp8gemm_matrix scales;
  uint32_t num_sms; /* as in fp8gemm_gemm_args */
  uint32_t flags;   /* FP8GEMM_DEPENDENT_LAUNCH, or 0 */
} fp8gemm_quantize_args;

/* Enqueues the quantisation of x, or of its activation (of a gated kernel activation(x[m, k]) * x[m, K + k]), one scale
 * for 128 elements of a row, or for 128 x 128 (docs/Numerics.md defines the bits), like fp8gemm_gemm. */
FP8GEMM_API fp8gemm_status fp8gemm_quantize(fp8gemm_kernel *kernel, const fp8gemm_quantize_args *args,
                                            struct CUstream_st *stream);

/* A row-major matrix in device memory, or one for each group: each group starts
 * `group_stride` elements after the previous one. Strides that an operand does
 * not have are ignored. */
typedef struct fp8gemm_tensor {
  void *data;
  int64_t leading_dimension;
  int64_t group_stride;
} fp8gemm_tensor;

/* Copies `groups` to the host first and checks it, for debugging. The call then waits for the
 * stream and cannot be captured into a graph. */
#define FP8GEMM_CHECK_GROUPS 1u

/* G products, with groups[...] in device memory (i32) in the form of the kernel's grouping:
 *
 *   FP8GEMM_ROW_INDEX  groups[M]: row i of a, sfa and d belongs to group groups[i]; -1: not computed.
 *                      In each block of group_align rows, the first rows belong to one group and are
 *                      computed; the others are -1.
 *   FP8GEMM_ROW_END    groups[G]: the rows of group g end before groups[g], and start at groups[g - 1]
 *                      (0 for the first), rounded up to a multiple of group_align.
 *   FP8GEMM_ROW_COUNT  groups[G]: the number of rows used out of the M rows of each group.
 *   FP8GEMM_BATCHED    no `groups`: all M rows of each group are used.
 *   FP8GEMM_K_COUNT    groups[G]: the number of elements of K of each group, a multiple of 16, possibly 0.
 *
 * Rows x columns are those of fp8gemm_gemm_args; operands marked G have one such matrix per group:
 *
 *                  ROW_INDEX, ROW_END   ROW_COUNT, BATCHED   K_COUNT
 *   a, sfa         M of all groups      G                    k of all groups; sfa has ceil(k_g/128) for group g
 *   b, sfb         G, or weights        G, or weights        the same
 *   c, d, sfd      M of all groups      G                    G
 *
 * Padding rows, which belong to no group, keep the contents of d and sfd, and c is not added there. With FP8GEMM_K_COUNT,
 * the part of d of a group of length 0 also keeps its contents in place, and becomes 0 (or C) otherwise. For a `flat`
 * kernel, a and b hold the
 * M x k_g (N x k_g) elements of group g packed, after those of group g - 1; they have no leading dimension. The groups
 * of an operand do not overlap: they follow each other, or lie beside each other in each row. Group strides are
 * aligned like rows. Groups of a kernel with `weights` share that many matrices of b and sfb, which divide G: group g has
 * number g % weights. With FP8GEMM_ROW_INDEX an index is the number of a matrix, which any rows may have. An invalid
 * description of groups gives wrong results, but nothing is written outside of d and sfd. */
typedef struct fp8gemm_grouped_gemm_args {
  size_t size; /* sizeof(fp8gemm_grouped_gemm_args) */
  int64_t m;   /* rows of a and d: of all groups, or of each; the kernel's M if that is fixed */
  int64_t k;   /* FP8GEMM_K_COUNT: columns of all groups of a and b; otherwise ignored */
  fp8gemm_tensor a;
  fp8gemm_tensor sfa;
  fp8gemm_tensor b;
  fp8gemm_tensor sfb;
  fp8gemm_tensor c;
  fp8gemm_tensor d;
  const int32_t *groups;  /* in device memory, aligned to 4 bytes; null with FP8GEMM_BATCHED */
  void *workspace;        /* in device memory, aligned to 128 bytes, used until the launch is complete */
  size_t workspace_bytes; /* at least the number in fp8gemm_kernel_info */
  uint32_t num_sms;       /* as in fp8gemm_gemm_args */
  uint32_t flags;         /* FP8GEMM_CHECK_GROUPS | FP8GEMM_DEPENDENT_LAUNCH, or 0 */
  const void *bias;       /* as in fp8gemm_gemm_args, for the rows of all groups */
  const float *row_scale; /* as in fp8gemm_gemm_args: of all rows of a, group by group where a has groups */
  fp8gemm_tensor sfd;     /* as in fp8gemm_gemm_args; not with FP8GEMM_K_COUNT */
} fp8gemm_grouped_gemm_args;

/* fp8gemm_gemm for each group. Launches nothing if there is no work: m = 0, or k = 0 in place. */
FP8GEMM_API fp8gemm_status fp8gemm_grouped_gemm(fp8gemm_kernel *kernel, const fp8gemm_grouped_gemm_args *args,
                                                struct CUstream_st *stream);

/* A pack: kernels of many problems, and for each problem a plan of which kernel serves which M. */
typedef struct fp8gemm_pack fp8gemm_pack;

/* Maps a pack into memory and checks all of it: hashes, manifests, cubins, plans. Needs no GPU. The file may be
 * replaced (renamed over) while it is open, but not written to. `*pack` is written only on success. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_open(const char *path, fp8gemm_pack **pack);

/* The same for `size` bytes in memory, aligned to 16, which are not copied: they must not change until
 * the pack is closed. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_open_memory(const void *bytes, size_t size, fp8gemm_pack **pack);

/* Frees the pack with its kernels and unloads these from all devices; their launches must be complete. A
 * null pack is ignored. */
FP8GEMM_API void fp8gemm_pack_close(fp8gemm_pack *pack);

/* A problem, for any M. The fields are those of fp8gemm_kernel_info, except the last one. */
typedef struct fp8gemm_problem {
  size_t size; /* sizeof(fp8gemm_problem) */
  int64_t m;   /* for FP8GEMM_K_COUNT, otherwise ignored */
  int64_t n;
  int64_t k; /* for FP8GEMM_K_COUNT, too, the k of the kernel: -1 if it takes any */
  fp8gemm_type a_type;
  fp8gemm_type b_type;
  fp8gemm_type d_type;
  fp8gemm_c_use c_use;
  uint32_t sfb_block_rows;
  fp8gemm_scale_layout sfa_layout;
  fp8gemm_scale_layout sfb_layout;
  fp8gemm_grouping grouping;
  uint32_t groups;      /* ignored for FP8GEMM_NO_GROUPS */
  uint32_t group_align; /* for FP8GEMM_ROW_INDEX and FP8GEMM_ROW_END, otherwise ignored */
  uint32_t flat;
  uint32_t batch_invariant; /* 1: only a plan with which a row of D has the same bits for every M; 0: any plan */
  fp8gemm_x_type x_type;        /* not FP8GEMM_NO_X: a quantisation, of which only k, a_type, sfa_layout, power_of_two,
                                    gated, activation and sfb_block_rows (128, or 1 or 0) count */
  uint32_t power_of_two;
  fp8gemm_bias bias;        /* not for FP8GEMM_K_COUNT */
  uint32_t gated;           /* 1: D is [M, N/2], of the products with rows n and N/2 + n of B; not for FP8GEMM_K_COUNT */
  fp8gemm_row_scale row_scale; /* not with a c, nor for FP8GEMM_K_COUNT */
  fp8gemm_activation activation; /* not for FP8GEMM_K_COUNT */
  fp8gemm_sfd_layout sfd_layout; /* with a d_type of e4m3, and only then; not with a c, nor for FP8GEMM_K_COUNT */
  uint32_t weights; /* 0, or fewer than groups and a divisor of them; for FP8GEMM_ROW_END, _ROW_COUNT and _BATCHED */
} fp8gemm_problem;

/* The number of problems of a pack; 0 for a null pack. */
FP8GEMM_API size_t fp8gemm_pack_problem_count(const fp8gemm_pack *pack);

/* The problem with that index, counted from 0. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_get_problem(const fp8gemm_pack *pack, size_t index, fp8gemm_problem *problem);

/* Loads the kernels of `count` problems, or of all if `problems` is null, on the device of the current context, so
 * that no launch of them there has to. See fp8gemm_kernel_load. After an error, kernels already loaded stay loaded. */
FP8GEMM_API fp8gemm_status fp8gemm_pack_load(fp8gemm_pack *pack, const fp8gemm_problem *problems, size_t count);

/* The kernel that the plan of `problem` has for `m` rows of A. For grouped products, `m` is the expected number of rows
 * per group, which only guides the choice. For FP8GEMM_K_COUNT the problem's m is used, and `m` is ignored. Every m >=
 * 0 of a problem in the pack has a kernel. If the pack has both a batch-invariant and another plan for the problem,
 * batch_invariant = 0 selects the other one. The kernel belongs to the pack, and is launched by fp8gemm_gemm,
 * fp8gemm_grouped_gemm or fp8gemm_quantize. Takes no lock and allocates nothing. */
FP8GEMM_API fp8gemm_kernel *fp8gemm_pack_find(fp8gemm_pack *pack, const fp8gemm_problem *problem, int64_t m);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_RUNTIME_H */
