// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The output of `help()` for the products. The first line is the signature, as inspect reads it.

#ifndef FP8GEMM_PYTHON_SRC_DOCS_H
#define FP8GEMM_PYTHON_SRC_DOCS_H

namespace fp8gemm::python::docs {

#define FP8GEMM_OPTIONS_DOC                                                                                            \
  "  d_type      \"bf16\" (the default) or \"f32\", for a d that is allocated here\n"                                  \
  "  stream      handle, or stream object; None: the array library's current one\n"                                    \
  "  num_sms     SMs that the launch may use, 0: all. The result is the same; an error if a kernel that splits K\n"    \
  "              needs more\n"                                                                                         \
  "  dependent   programmatic dependent launch: the kernel may start before the previous one in the stream is\n"       \
  "              complete, and waits for it itself. Kernels that cannot do this are launched as usual\n"               \
  "  batch_invariant  use only kernels with which a row of d has the same bits for every M\n"

#define FP8GEMM_GROUPED_OPTIONS_DOC                                                                                    \
  FP8GEMM_OPTIONS_DOC                                                                                                  \
  "  check_groups  check the description of groups first, which waits for the stream; for debugging\n"                 \
  "  workspace   uint8, used until the launch is complete; None: allocated by the array library if the kernel\n"       \
  "              needs one. Required if stream is given\n"

#define FP8GEMM_ERRORS_DOC                                                                                             \
  "\n"                                                                                                                 \
  "Raises TypeError and ValueError for arguments before anything is launched, NotInPackError for a problem for\n"      \
  "which the pack has no kernels, Error for failures of the CUDA driver. Does not wait for the result.\n"

constexpr char kGemm[] =
    "gemm($self, a, sfa, b, sfb, d=None, c=None, *, d_type=None, stream=None, num_sms=0, dependent=False, "
    "batch_invariant=False)\n--\n\n"
    "d = c + a @ b.T with block scales; enqueued on a stream. Returns d.\n\n"
    "  a     [M, K]            float8_e4m3fn or float8_e5m2; uint8 is treated as e4m3\n"
    "  sfa   [M, ceil(K/128)]  float32, for 128 elements of a row of a\n"
    "  b     [N, K]            like a\n"
    "  sfb   [ceil(N/128), ceil(K/128)] or [N, ceil(K/128)]  float32, for 128x128 or 1x128 elements of b\n"
    "  d     [M, N]            bfloat16 or float32; None: made by a's library\n"
    "  c     [M, N]            of d's type, is added. d itself: in place\n\n"
    "a, b, c, d have stride 1 along their rows. Scales are k_major or mn_major, according to their strides: stride 1\n"
    "along ceil(K/128), or along the rows of a (b). For mn_major scales of single rows, the other stride and the "
    "address\n"
    "are multiples of 16 bytes. Pointers and strides of a, b, c, d are multiples of 16 bytes.\n\n" FP8GEMM_OPTIONS_DOC
        FP8GEMM_ERRORS_DOC;

constexpr char kContiguous[] =
    "grouped_gemm_contiguous($self, a, sfa, b, sfb, groups, d=None, *, by='index', align=128, expected_m=0, "
    "d_type=None, stream=None, num_sms=0, dependent=False, batch_invariant=False, check_groups=False, "
    "workspace=None)\n--\n\n"
    "Each group's rows of a times its matrix of b: d[i] = a[i] @ b[g].T for each row i of group g. Returns d.\n\n"
    "  a, sfa, d   [M, ...] as in gemm: the rows of all groups, one group after the other\n"
    "  b           [G, N, K], sfb [G, ceil(N/128), ceil(K/128)]\n"
    "  groups      int32 on the device. by=\"index\": [M], the group of each row, -1 for padding, whose d is not\n"
    "              written. by=\"end\": [G], the end of each group's rows; they start at the end of the previous "
    "group,\n"
    "              rounded up to a multiple of align\n"
    "  align       the rows of each group start at a multiple of it; the value that the pack was compiled for\n"
    "  expected_m  expected rows per group, for the choice of a kernel; 0: M / G\n" FP8GEMM_GROUPED_OPTIONS_DOC
        FP8GEMM_ERRORS_DOC;

constexpr char kMasked[] =
    "grouped_gemm_masked($self, a, sfa, b, sfb, counts, d=None, *, expected_m=0, d_type=None, stream=None, num_sms=0, "
    "dependent=False, batch_invariant=False, check_groups=False, workspace=None)\n--\n\n"
    "d[g, :counts[g]] = a[g, :counts[g]] @ b[g].T for each group; other rows of d are not written. Returns d.\n\n"
    "  a           [G, M, K], sfa [G, M, ceil(K/128)]\n"
    "  b           [G, N, K], sfb [G, ceil(N/128), ceil(K/128)]\n"
    "  counts      int32 [G] on the device: rows used per group; None: all (another problem, \"batched\")\n"
    "  d           [G, M, N]\n"
    "  expected_m  expected rows per group, for the choice of a kernel; 0: M\n" FP8GEMM_GROUPED_OPTIONS_DOC
        FP8GEMM_ERRORS_DOC;

constexpr char kK[] =
    "grouped_gemm_k($self, a, sfa, b, sfb, lengths, d=None, c=None, *, d_type=None, stream=None, num_sms=0, "
    "dependent=False, batch_invariant=False, check_groups=False, workspace=None)\n--\n\n"
    "d[g] = c[g] + a[:, K of g] @ b[:, K of g].T for each group: weight gradients of experts. Returns d.\n\n"
    "  a           [M, K], the columns of all groups; or [M * K], flat: the packed [M, lengths[g]] of each group\n"
    "  b           [N, K], or flat like a\n"
    "  sfa         [M, blocks], sfb [N, blocks]: ceil(lengths[g]/128) blocks for each group in turn\n"
    "  lengths     int32 [G] on the device, multiples of 16, possibly 0\n"
    "  d           [G, M, N], c likewise: d itself to add in place\n" FP8GEMM_GROUPED_OPTIONS_DOC FP8GEMM_ERRORS_DOC;

constexpr char kClose[] =
    "close($self)\n--\n\nUnloads its kernels and unmaps the file. Launches must be complete, and "
    "captured graphs that\ncontain them destroyed. A pack that was used and never closed stays loaded.";

constexpr char kSetPack[] =
    "set_pack(pack)\n--\n\nSets the pack that the functions of this module use in the whole process; None: none.";
constexpr char kGetPack[] = "get_pack()\n--\n\nThe pack set by set_pack, or None.";

#undef FP8GEMM_OPTIONS_DOC
#undef FP8GEMM_GROUPED_OPTIONS_DOC
#undef FP8GEMM_ERRORS_DOC

} // namespace fp8gemm::python::docs

#endif // FP8GEMM_PYTHON_SRC_DOCS_H
