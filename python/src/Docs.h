// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `help()` prints of the products. The first line is the signature, as inspect reads it.

#ifndef FP8GEMM_PYTHON_SRC_DOCS_H
#define FP8GEMM_PYTHON_SRC_DOCS_H

namespace fp8gemm::python::docs {

#define FP8GEMM_OPTIONS_DOC                                                                                            \
  "  d_type      \"bf16\" (the default) or \"f32\", of a d that is made here\n"                                        \
  "  stream      handle, or stream object; None: the array library's current one\n"                                    \
  "  num_sms     SMs that the launch may use, 0: all. The result is the same; refused where a kernel that splits K\n"  \
  "              needs more\n"                                                                                         \
  "  dependent   programmatic dependent launch: the kernel may start before the one before it in the stream is\n"      \
  "              complete, and waits for it by itself. Kernels that can't are launched as usual\n"                     \
  "  batch_invariant  only kernels with which a row of d has the same bits for every M\n"

#define FP8GEMM_GROUPED_OPTIONS_DOC                                                                                    \
  FP8GEMM_OPTIONS_DOC                                                                                                  \
  "  check_groups  look at the description of groups first: waits for the stream; for debugging\n"                     \
  "  workspace   uint8, of the launch until it is complete; None: from the array library, where the kernel needs\n"    \
  "              any. Has to be given if stream is\n"

#define FP8GEMM_ERRORS_DOC                                                                                             \
  "\n"                                                                                                                 \
  "Raises TypeError and ValueError for arguments before anything is launched, NotInPackError for a problem that the\n" \
  "pack has no kernels for, Error for what the CUDA driver refuses. Does not wait for the result.\n"

constexpr char kGemm[] =
    "gemm($self, a, sfa, b, sfb, d=None, c=None, *, d_type=None, stream=None, num_sms=0, dependent=False, "
    "batch_invariant=False)\n--\n\n"
    "d = c + a @ b.T with block scales; enqueued on a stream. Returns d.\n\n"
    "  a     [M, K]            float8_e4m3fn or float8_e5m2; uint8 is taken as the bits of e4m3\n"
    "  sfa   [M, ceil(K/128)]  float32, for 128 elements of a row of a\n"
    "  b     [N, K]            as a\n"
    "  sfb   [ceil(N/128), ceil(K/128)] or [N, ceil(K/128)]  float32, for 128x128 or 1x128 elements of b\n"
    "  d     [M, N]            bfloat16 or float32; None: made by a's library\n"
    "  c     [M, N]            of d's type; added. d itself: in place\n\n"
    "a, b, c, d have stride 1 along their rows. Scales are k_major or mn_major by their strides: stride 1 along\n"
    "ceil(K/128), or along the rows of a (b), and then the other, and the address, a multiple of 16 bytes where they are\n"
    "of single rows. Pointers and strides of a, b, c, d are multiples of 16 bytes.\n\n" FP8GEMM_OPTIONS_DOC FP8GEMM_ERRORS_DOC;

constexpr char kContiguous[] =
    "grouped_gemm_contiguous($self, a, sfa, b, sfb, groups, d=None, *, by='index', align=128, expected_m=0, "
    "d_type=None, stream=None, num_sms=0, dependent=False, batch_invariant=False, check_groups=False, "
    "workspace=None)\n--\n\n"
    "Each group's rows of a times its matrix of b: d[i] = a[i] @ b[g].T for each row i of group g. Returns d.\n\n"
    "  a, sfa, d   [M, ...] as in gemm: the rows of all groups, one group after the other\n"
    "  b           [G, N, K], sfb [G, ceil(N/128), ceil(K/128)]\n"
    "  groups      int32 on the device. by=\"index\": [M], the group of each row, -1 for a row of none, whose d is "
    "not\n"
    "              written. by=\"end\": [G], where each group's rows end; they start at the end of the one before,\n"
    "              rounded up to a multiple of align\n"
    "  align       each group's rows start at a multiple of it; as the pack was compiled for\n"
    "  expected_m  rows of a group, for the choice of a kernel; 0: M / G\n" FP8GEMM_GROUPED_OPTIONS_DOC
        FP8GEMM_ERRORS_DOC;

constexpr char kMasked[] =
    "grouped_gemm_masked($self, a, sfa, b, sfb, counts, d=None, *, expected_m=0, d_type=None, stream=None, num_sms=0, "
    "dependent=False, batch_invariant=False, check_groups=False, workspace=None)\n--\n\n"
    "d[g, :counts[g]] = a[g, :counts[g]] @ b[g].T for each group; other rows of d are not written. Returns d.\n\n"
    "  a           [G, M, K], sfa [G, M, ceil(K/128)]\n"
    "  b           [G, N, K], sfb [G, ceil(N/128), ceil(K/128)]\n"
    "  counts      int32 [G] on the device: rows used of each group; None: all (another problem, \"batched\")\n"
    "  d           [G, M, N]\n"
    "  expected_m  rows of a group, for the choice of a kernel; 0: M\n" FP8GEMM_GROUPED_OPTIONS_DOC FP8GEMM_ERRORS_DOC;

constexpr char kK[] =
    "grouped_gemm_k($self, a, sfa, b, sfb, lengths, d=None, c=None, *, d_type=None, stream=None, num_sms=0, "
    "dependent=False, batch_invariant=False, check_groups=False, workspace=None)\n--\n\n"
    "d[g] = c[g] + a[:, K of g] @ b[:, K of g].T for each group: weight gradients of experts. Returns d.\n\n"
    "  a           [M, K], the columns of all groups; or [M * K], flat: each group's [M, lengths[g]] packed\n"
    "  b           [N, K], or flat as a is\n"
    "  sfa         [M, blocks], sfb [N, blocks]: ceil(lengths[g]/128) blocks for each group in turn\n"
    "  lengths     int32 [G] on the device, multiples of 16; 0 is fine\n"
    "  d           [G, M, N], c as it is: d itself to add in place\n" FP8GEMM_GROUPED_OPTIONS_DOC FP8GEMM_ERRORS_DOC;

constexpr char kClose[] = "close($self)\n--\n\nUnloads its kernels and unmaps the file. Launches, and captured graphs "
                          "that hold them, must be over. A pack that\nwas used and isn't closed stays loaded.";

constexpr char kSetPack[] =
    "set_pack(pack)\n--\n\nThe pack that the functions of this module use, of the whole process; None: none.";
constexpr char kGetPack[] = "get_pack()\n--\n\nThe pack of set_pack, or None.";

#undef FP8GEMM_OPTIONS_DOC
#undef FP8GEMM_GROUPED_OPTIONS_DOC
#undef FP8GEMM_ERRORS_DOC

} // namespace fp8gemm::python::docs

#endif // FP8GEMM_PYTHON_SRC_DOCS_H
