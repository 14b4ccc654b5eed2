// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parameters of products and quantisation, once: what a call may give, `help()`, the stubs and the schemas of
// PyTorch's operators are made of this table.

#ifndef FP8GEMM_PYTHON_SRC_PARAMETERS_H
#define FP8GEMM_PYTHON_SRC_PARAMETERS_H

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>

namespace fp8gemm::python {

/// The extents that shapes are made of; Weights: matrices of b, which groups may share; Columns: N, or of a gated product N/2;
/// Blocks and ColumnBlocks: of K and of Columns, that share a scale; Other: the function looks at it by itself.
enum class Extent { Other, G, Weights, M, N, Columns, K, Blocks, ColumnBlocks };

/// Of an array.
struct Shape {
  int rank = 0; ///< 0: any, or no array
  Extent extents[3] = {};
  const char *text = nullptr; ///< null where an extent is another one
};
constexpr Shape kMK = {2, {Extent::M, Extent::K}, "[M, K]"}, kNK = {2, {Extent::N, Extent::K}, "[N, K]"},
                kMN = {2, {Extent::M, Extent::Columns}, "[M, N]"}, kGroups = {1, {Extent::G}, "[G]"},
                kM = {1, {Extent::M}, "[M]"}, kGM = {2, {Extent::G, Extent::M}, "[G, M]"},
                kN = {1, {Extent::Columns}, "[N]"}, kMBlocks = {2, {Extent::M, Extent::Blocks}, "[M, ceil(K/128)]"},
                kGMK = {3, {Extent::G, Extent::M, Extent::K}, "[G, M, K]"},
                kWNK = {3, {Extent::Weights, Extent::N, Extent::K}, "[W, N, K]"},
                kGMN = {3, {Extent::G, Extent::M, Extent::Columns}, "[G, M, N]"},
                kGMBlocks = {3, {Extent::G, Extent::M, Extent::Blocks}, "[G, M, ceil(K/128)]"},
                kMColumnBlocks = {2, {Extent::M, Extent::ColumnBlocks}, "[M, N/128]"},
                kGMColumnBlocks = {3, {Extent::G, Extent::M, Extent::ColumnBlocks}, "[G, M, N/128]"};
constexpr Shape kVector = {1}, kMatrix = {2}, kMatrices = {3}, kAny = {};

struct Parameter {
  const char *name;
  const char *type;  ///< in stubs
  const char *usual; ///< as Python writes it; null: it has to be given
  Shape shape;
  const char *doc; ///< lines for help(), which starts with the shape
};

/// The parameters of a function are these, those of a launch, and of grouped products those of a grouped launch.
template <size_t... N> constexpr auto join(const std::array<Parameter, N> &...parts) {
  std::array<Parameter, (N + ...)> all{};
  size_t at = 0;
  auto append = [&](const auto &part) {
    for (const Parameter &parameter : part)
      all[at++] = parameter;
  };
  (append(parts), ...);
  return all;
}

/// Where a parameter is; no constant of a name that none has.
template <size_t N> constexpr size_t indexOf(const std::array<Parameter, N> &parameters, std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (parameters[i].name == name)
      return i;
  throw std::logic_error("no parameter of that name");
}

/// Those that every product starts with.
enum Operands : size_t { A, Sfa, B, Sfb };

constexpr std::array kLaunch = {
    Parameter{"d_type", "DType", "None", kAny, "\"bf16\" (the default) or \"f32\", for a d without sfd that is allocated here"},
    Parameter{"stream", "Stream", "None", kAny, "handle, or stream object; None: the array library's current one"},
    Parameter{"num_sms", "int", "0", kAny,
              "SMs that the launch may use, 0: all. The result is the same; an error if a kernel that splits K\n"
              "needs more"},
    Parameter{"dependent", "bool", "False", kAny,
              "programmatic dependent launch: the kernel may start before the previous one in the stream is\n"
              "complete, and waits for it itself. Kernels that cannot do this are launched as usual"},
    Parameter{"batch_invariant", "bool", "False", kAny,
              "use only kernels with which a row of d has the same bits for every M"},
};

constexpr std::array kGroupedLaunch = {
    Parameter{"check_groups", "bool", "False", kAny,
              "check the description of groups first, which waits for the stream; for debugging"},
    Parameter{"workspace", "A | None", "None", kVector,
              "uint8, used until the launch is complete; None: allocated by the array library if the kernel\n"
              "needs one. Required if stream is given"},
};

constexpr Parameter kExpectedM = {
    "expected_m", "int", "0", kAny,
    "expected rows per group, for the choice of a kernel; 0: M, or M / G where all groups share M"};

/// What a product's epilogue may have: fields of the problem (fp8gemm/Problem.h) and vectors (fp8gemm/Operands.h).
constexpr auto epilogueOf(const Shape &rows, const Shape &scalesOfD) {
  return std::array{
      Parameter{"gated", "bool", "False", kAny,
                "d is [M, N/2], of the products with rows n and N/2 + n of b: gate and up projections"},
      Parameter{"activation", "str", "'none'", kAny,
                "of the sum, with bias: \"none\", \"relu\", \"silu\", \"gelu\" or \"gelu_tanh\"; gated: of the gate, times the other"},
      Parameter{"bias", "A | None", "None", kN, "bfloat16 or float32; added to each row of d"},
      Parameter{"row_scale", "A | None", "None", rows,
                "float32; the factor of each row of the product, before the bias is added: a router's weights"},
      Parameter{"sfd", "A | None", "None", scalesOfD,
                "float32, overwritten: d is quantised to float8_e4m3fn, and these are its scales, of 128 elements of a\n"
                "row, mn_major or k_major according to their strides: the a and sfa of a next product, with the bits of\n"
                "quantize"},
      Parameter{"power_of_two", "bool", "False", kAny, "with sfd: its scales are rounded up to powers of two"},
  };
}
constexpr auto kEpilogue = epilogueOf(kM, kMColumnBlocks);

constexpr auto kGemmParameters = join(
    std::array{
        Parameter{"a", "A", nullptr, kMK, "float8_e4m3fn or float8_e5m2; uint8 is treated as e4m3"},
        Parameter{"sfa", "A", nullptr, kMBlocks, "float32, for 128 elements of a row of a"},
        Parameter{"b", "A", nullptr, kNK, "like a"},
        Parameter{"sfb", "A", nullptr, kMatrix,
                  "[ceil(N/128), ceil(K/128)] or [N, ceil(K/128)]  float32, for 128x128 or 1x128 elements of b"},
        Parameter{"d", "A | None", "None", kMN, "bfloat16 or float32, with sfd float8_e4m3fn; None: made by a's library"},
        Parameter{"c", "A | None", "None", kMN, "of d's type; added. d itself: in place"},
    },
    kEpilogue, kLaunch);

constexpr auto kContiguousParameters = join(
    std::array{
        Parameter{"a", "A", nullptr, kMK, "the rows of all groups, one group after the other"},
        Parameter{"sfa", "A", nullptr, kMBlocks, "as in gemm"},
        Parameter{"b", "A", nullptr, kWNK,
                  "a matrix of each group: W = G. With by=\"end\", W may be a divisor of G: group g has number g % W"},
        Parameter{"sfb", "A", nullptr, kMatrices, "[W, ceil(N/128), ceil(K/128)] or [W, N, ceil(K/128)]"},
        Parameter{
            "groups", "A", nullptr, kVector,
            "int32 on the device. by=\"index\": [M], the group of each row, -1 for padding, whose d is not\n"
            "written. by=\"end\": [G], the end of each group's rows; they start at the end of the previous group,\n"
            "rounded up to a multiple of align"},
        Parameter{"d", "A | None", "None", kMN, "as in gemm"},
        Parameter{"c", "A | None", "None", kMN, "as in gemm; rows of no group are not added, and d keeps its own there"},
        Parameter{"by", "Literal[\"index\", \"end\"]", "'index'", kAny, "how groups are described"},
        Parameter{"align", "int", "128", kAny,
                  "the rows of each group start at a multiple of it; the value that the pack was compiled for"},
        kExpectedM,
    },
    kEpilogue, kLaunch, kGroupedLaunch);

constexpr auto kMaskedParameters = join(
    std::array{
        Parameter{"a", "A", nullptr, kGMK, "room for M rows of each group"},
        Parameter{"sfa", "A", nullptr, kGMBlocks, "as in gemm, of each group"},
        Parameter{"b", "A", nullptr, kWNK, "a matrix of each group: W = G, or a divisor of G: group g has number g % W"},
        Parameter{"sfb", "A", nullptr, kMatrices, "[W, ceil(N/128), ceil(K/128)] or [W, N, ceil(K/128)]"},
        Parameter{"counts", "A | None", nullptr, kGroups,
                  "int32 on the device: rows used per group; None: all (another problem, \"batched\")"},
        Parameter{"d", "A | None", "None", kGMN, "as in gemm, of each group"},
        Parameter{"c", "A | None", "None", kGMN, "as in gemm, of each group; rows that are not used are not added"},
        kExpectedM,
    },
    epilogueOf(kGM, kGMColumnBlocks), kLaunch, kGroupedLaunch);

constexpr auto kKParameters = join(
    std::array{
        Parameter{"a", "A", nullptr, kAny,
                  "[M, K], the columns of all groups; or [M * K], flat: the packed [M, lengths[g]] of each group"},
        Parameter{"sfa", "A", nullptr, kMatrix, "[M, blocks]: ceil(lengths[g]/128) blocks for each group in turn"},
        Parameter{"b", "A", nullptr, kAny, "[N, K], or flat like a"},
        Parameter{"sfb", "A", nullptr, kMatrix, "[N, blocks]"},
        Parameter{"lengths", "A", nullptr, kGroups, "int32 on the device, multiples of 16, possibly 0"},
        Parameter{"d", "A | None", "None", kGMN, "as in gemm, of each group"},
        Parameter{"c", "A | None", "None", kGMN, "of d's type; added. d itself: in place"},
    },
    kLaunch, kGroupedLaunch);

constexpr std::array kQuantizeParameters = {
    Parameter{"x", "A", nullptr, kMatrix, "[M, K], gated [M, 2K]  bfloat16, float16 or float32"},
    Parameter{"q", "A", nullptr, kMK, "float8_e4m3fn, float8_e5m2, or uint8 (the bits of e4m3), overwritten"},
    Parameter{"scales", "A", nullptr, kMatrix,
              "[M, ceil(K/128)] or [ceil(M/128), ceil(K/128)]  float32, for 128 elements of a row or for 128x128 of q,\n"
              "overwritten: q and scales are a and sfa of a product, or b and sfb"},
    Parameter{"power_of_two", "bool", "False", kAny, "scales are rounded up to powers of two"},
    Parameter{"gated", "bool", "False", kAny,
              "what is quantised is activation(gate) * up, of the first K columns of x and the last: what a product gives\n"
              "whose b stacks gate and up projections"},
    Parameter{"activation", "str", "'none'", kAny,
              "of x, before it is quantised: \"none\", \"relu\", \"silu\", \"gelu\" or \"gelu_tanh\"; gated: of the gate"},
    kLaunch[indexOf(kLaunch, "stream")],
    kLaunch[indexOf(kLaunch, "num_sms")],
    kLaunch[indexOf(kLaunch, "dependent")],
};

/// Parameters of a function that there is room for.
constexpr size_t kMostParameters = 32;

/// A product or a quantisation of the module, and a method of its packs.
struct Function {
  const char *name;
  const Parameter *parameters;
  int count, positional; ///< parameters; those that can be given by position
  const char *summary;
  const char *notes; ///< after the parameters' docs

  template <size_t N>
  constexpr Function(const char *name, const std::array<Parameter, N> &parameters, int positional, const char *summary,
                     const char *notes = "")
      : name(name), parameters(parameters.data()), count(int(N)), positional(positional), summary(summary),
        notes(notes) {
    static_assert(N <= kMostParameters);
  }

  const Parameter *begin() const { return parameters; }
  const Parameter *end() const { return parameters + count; }
};

constexpr Function kGemm(
    "gemm", kGemmParameters, 6,
    "d = c + row_scale[:, None] * (a @ b.T) + bias with block scales; enqueued on a stream. Returns d.",
    "a, b, c, d have stride 1 along their rows. Scales are k_major or mn_major, according to their strides: stride 1\n"
    "along ceil(K/128), or along the rows of a (b). For mn_major scales of single rows, the other stride and the "
    "address\n"
    "are multiples of 16 bytes. Pointers and strides of a, b, c, d are multiples of 16 bytes.\n\n");
constexpr Function kContiguous("grouped_gemm_contiguous", kContiguousParameters, 7,
                               "Each group's rows of a times its matrix of b: d[i] = c[i] + a[i] @ b[g].T for each row "
                               "i of group g. Returns d.");
constexpr Function kMasked("grouped_gemm_masked", kMaskedParameters, 7,
                           "d[g, :counts[g]] = c[g, :counts[g]] + a[g, :counts[g]] @ b[g].T for each group; other rows of d are not "
                           "written. Returns d.");
constexpr Function kK("grouped_gemm_k", kKParameters, 7,
                      "d[g] = c[g] + a[:, K of g] @ b[:, K of g].T for each group: weight gradients of experts. "
                      "Returns d.");
constexpr Function kQuantize(
    "quantize", kQuantizeParameters, 3,
    "q and scales as the a and sfa of gemm, or its b and sfb, from x; enqueued on a stream. Returns q.",
    "scale = max(amax, 1e-4) / 448 (57344 for e5m2) of the elements that share it, q = x * (1 / scale), of x or of its\n"
    "activation: docs/Numerics.md defines the bits. x and q have stride 1 along their rows, scales are mn_major or k_major according to their strides;\n"
    "alignment is that of gemm.\n\n");
constexpr const Function *kFunctions[] = {&kGemm, &kContiguous, &kMasked, &kK, &kQuantize};

/// For help(); the first line is the signature, as inspect reads it. Kept for ever.
const char *docOf(const Function &function);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_PARAMETERS_H
