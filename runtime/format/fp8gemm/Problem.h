// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A problem, and the table of its fields. All code that reads, writes, compares or prints a problem walks it, so a new
// field is a member and a row here, beside its places in the structs of runtime.h (CApi.h). Plain C++, for compiler,
// runtime and Python package. The oracle and the simulator have views of their own: what checks shares nothing with
// what it checks.

#ifndef FP8GEMM_PROBLEM_H
#define FP8GEMM_PROBLEM_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

namespace fp8gemm::format {

/// Elements of a row that share a scale.
constexpr uint32_t kScaleBlock = 128;

// Numbers are those of runtime.h and of manifests.
enum class Type : uint32_t { E4M3, E5M2, BF16, F32 };
constexpr int bytesOf(Type type) { return type == Type::F32 ? 4 : type == Type::BF16 ? 2 : 1; }
enum class ScaleLayout : uint32_t { KMajor, MnMajor };
/// Whether C is added: not, from where it is, or from where D is written.
enum class CUse : uint32_t { None, Apart, InPlace };
/// Whether a row [N] is added to every row of D, and its type.
enum class Bias : uint32_t { None, BF16, F32 };
constexpr int bytesOf(Bias bias) { return bias == Bias::F32 ? 4 : bias == Bias::BF16 ? 2 : 0; }

/// Whether each row of the product is multiplied by a factor of its own, before a bias is added; and its type.
enum class RowScale : uint32_t { None, F32 };

/// How the groups of a grouped product are described, in device memory: a group for each row of A (-1: not computed),
/// the end of each group's rows, rows used of each group, elements of K of each group; not at all where all groups are
/// equal (Batched).
enum class Grouping : uint32_t { None, RowIndex, RowEnd, RowCount, Batched, KCount };

/// The type of X of a quantisation; None: a product.
enum class XType : uint32_t { None, BF16, F16, F32 };
constexpr int bytesOf(XType x) { return x == XType::F32 ? 4 : 2; }

/// How the scales of a quantised D are stored; D of bf16 or f32 has none. Values are those of ScaleLayout where it has them.
enum class ScaleOfD : uint32_t { None, MnMajor, KMajor };
static_assert(uint32_t(ScaleOfD::MnMajor) == uint32_t(ScaleLayout::MnMajor));

/// The function of the sum that D is: x, max(x, 0), x / (1 + exp(-x)), x * (1 + erf(x / sqrt(2))) / 2, or that with tanh
/// in the place of erf. Of a gated product it is the gate's, by which the other sum is multiplied. Of a quantisation it is
/// that of X, which is quantised then.
enum class Activation : uint32_t { None, Relu, Silu, Gelu, GeluTanh };

/// D[M, N] = C[M, N] + A[M, K] * B[N, K]^T + bias[N] with block scales; of grouped products one such product a group.
/// With `x`, A[M, K] and its scales from activation(X[M, K]) instead. Members lie as in fp8gemm_problem of runtime.h, which grows
/// at its end only.
struct Problem {
  int64_t size = sizeof(Problem); ///< a multiple of 8, for the C API
  int64_t m = -1;                 ///< -1: any M. RowIndex, RowEnd: rows of all groups; RowCount, Batched: rows of each
  int64_t n = 0;
  int64_t k = -1; ///< KCount: of all groups, or -1: any
  Type a = Type::E4M3, b = Type::E4M3;
  Type d = Type::BF16; ///< of C, too; E4M3: quantised, with scales of 1x128 blocks
  CUse c = CUse::None;
  /// Rows of B, or of what a quantisation makes, that share a scale: 128 (recipe 1d2d) or 1 (1d1d).
  uint32_t sfbRows = 128;
  ScaleLayout sfa = ScaleLayout::MnMajor, sfb = ScaleLayout::KMajor;
  Grouping grouping = Grouping::None;
  uint32_t groups = 1;
  uint32_t align = 1;          ///< RowIndex, RowEnd: a group's rows start at multiples of this
  uint32_t flat = 0;           ///< KCount: A and B are each group's matrix packed, one after the other
  uint32_t batchInvariant = 0; ///< of a plan: a row of D has the same bits for every M
  XType x = XType::None;       ///< a quantisation; A and its scales are the result
  uint32_t powerOfTwo = 0;     ///< of a quantisation or a quantised D: scales are rounded up to powers of two
  Bias bias = Bias::None;
  /// D[M, N/2] is of the products with B's rows n and N/2 + n; A[M, K] of X's columns k and K + k
  uint32_t gated = 0;
  RowScale rowScale = RowScale::None;
  Activation activation = Activation::None;
  ScaleOfD sfd = ScaleOfD::None;
  uint32_t weights = 0; ///< matrices of B, if they are fewer than the groups: group g has B's g % weights. 0: one each
};

constexpr bool isQuantisation(const Problem &problem) { return problem.x != XType::None; }
/// Matrices of B in a product whose groups have any; they divide the groups.
constexpr uint32_t weightsOf(const Problem &problem) { return problem.weights ? problem.weights : problem.groups; }
/// Columns of C and D, and elements of a bias.
constexpr int64_t columnsOfD(const Problem &problem) { return problem.gated ? problem.n / 2 : problem.n; }
/// Rows of A that share a scale: 1, unless a quantisation makes a B.
constexpr uint32_t scaledRowsOfA(const Problem &problem) { return isQuantisation(problem) ? problem.sfbRows : 1; }
/// Of what is quantised.
constexpr int64_t columnsOfX(const Problem &problem) { return problem.gated ? 2 * problem.k : problem.k; }

//===----------------------------------------------------------------------===//
// Groupings
//===----------------------------------------------------------------------===//

/// What follows from the grouping.
struct GroupingFacts {
  const char *op;
  bool isDescribed; ///< by an array in device memory
  bool isAligned;   ///< groups start at multiples of `align` rows
  bool keepsRows;   ///< rows of D that no group has are not written
  // Which operands are a matrix of each group: their outermost extent is the groups.
  bool ofA; ///< A and its scales
  bool ofB; ///< B and its scales
  bool ofD; ///< C and D
};

/// By Grouping.
constexpr GroupingFacts kGroupings[] = {
    {"gemm", false, false, false, false, false, false},        // None
    {"grouped_gemm", true, true, true, false, true, false},    // RowIndex
    {"grouped_gemm", true, true, true, false, true, false},    // RowEnd
    {"grouped_gemm", true, false, true, true, true, true},     // RowCount
    {"grouped_gemm", false, false, false, true, true, true},   // Batched
    {"k_grouped_gemm", true, false, false, false, false, true} // KCount
};

constexpr GroupingFacts kQuantisation = {"quantize", false, false, false, false, false, false};

/// Of an unknown grouping those of None.
constexpr const GroupingFacts &factsOf(Grouping grouping) {
  return kGroupings[uint32_t(grouping) < std::size(kGroupings) ? uint32_t(grouping) : 0];
}
constexpr const GroupingFacts &factsOf(const Problem &problem) {
  return isQuantisation(problem) ? kQuantisation : factsOf(problem.grouping);
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

/// A set of groupings of products, and of quantisation.
using GroupingSet = uint32_t;
constexpr GroupingSet setOf(Grouping grouping) { return uint32_t(grouping) < 32 ? 1u << uint32_t(grouping) : 0; }
constexpr GroupingSet kNotGrouped = setOf(Grouping::None), kAlongK = setOf(Grouping::KCount);
constexpr GroupingSet kAligned = setOf(Grouping::RowIndex) | setOf(Grouping::RowEnd);
constexpr GroupingSet kOfRows = kAligned | setOf(Grouping::RowCount) | setOf(Grouping::Batched);
/// Groups that may share matrices of B. An index of a row is one of B's matrices, which any rows may have.
constexpr GroupingSet kSharing = kOfRows & ~setOf(Grouping::RowIndex);
constexpr GroupingSet kAll = kNotGrouped | kOfRows | kAlongK; ///< products
constexpr GroupingSet kQuantize = 1u << 31;
constexpr GroupingSet setOf(const Problem &problem) {
  return isQuantisation(problem) ? kQuantize : setOf(problem.grouping);
}

/// A value that has a name.
struct Word {
  int64_t value;
  const char *name;       ///< in lists of problems, options and Python
  const char *inManifest; ///< in manifests as JSON; null: the number
  const char *doc;        ///< for --help
};

constexpr Word kGroupingWords[] = {
    {int64_t(Grouping::None), "none", "None", "one product"},
    {int64_t(Grouping::RowIndex), "row_index", "RowIndex", "the group of each row"},
    {int64_t(Grouping::RowEnd), "row_end", "RowEnd", "the end of each group's rows"},
    {int64_t(Grouping::RowCount), "row_count", "RowCount", "the rows used of each group's M"},
    {int64_t(Grouping::Batched), "batched", "Batched", "not described: each has M rows"},
    {int64_t(Grouping::KCount), "k_count", "KCount", "each group's part of K"}};
constexpr Word kF8Words[] = {{int64_t(Type::E4M3), "e4m3", "F8E4M3FN", "f8E4M3FN"},
                             {int64_t(Type::E5M2), "e5m2", "F8E5M2", "f8E5M2"}};
constexpr Word kResultWords[] = {{int64_t(Type::BF16), "bf16", "BF16", "rounded once, at the end"},
                                 {int64_t(Type::F32), "f32", "F32", "as accumulated"},
                                 {int64_t(Type::E4M3), "e4m3", "F8E4M3FN", "quantised, with scales sfd of 1x128 blocks"}};
constexpr Word kCWords[] = {{int64_t(CUse::None), "none", "None", "D = A * B^T"},
                            {int64_t(CUse::Apart), "apart", "Apart", "D = C + A * B^T"},
                            {int64_t(CUse::InPlace), "in_place", "InPlace", "D += A * B^T"}};
constexpr Word kXWords[] = {{int64_t(XType::BF16), "bf16", "BF16", "bf16"},
                            {int64_t(XType::F16), "f16", "F16", "f16"},
                            {int64_t(XType::F32), "f32", "F32", "f32"}};
constexpr Word kBiasWords[] = {{int64_t(Bias::None), "none", "None", "no bias"},
                               {int64_t(Bias::BF16), "bf16", "BF16", "extended to f32"},
                               {int64_t(Bias::F32), "f32", "F32", "as it is"}};
constexpr Word kRowScaleWords[] = {{int64_t(RowScale::None), "none", "None", "no factors"},
                                   {int64_t(RowScale::F32), "f32", "F32", "one for each row of A"}};
constexpr Word kActivationWords[] = {{int64_t(Activation::None), "none", "None", "x"},
                                     {int64_t(Activation::Relu), "relu", "ReLU", "max(x, 0)"},
                                     {int64_t(Activation::Silu), "silu", "SiLU", "x / (1 + exp(-x)); with --gated: SwiGLU"},
                                     {int64_t(Activation::Gelu), "gelu", "GELU", "x * (1 + erf(x / sqrt(2))) / 2"},
                                     {int64_t(Activation::GeluTanh), "gelu_tanh", "GELUTanh",
                                      "x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2"}};
constexpr Word kRecipeWords[] = {{128, "1d2d", nullptr, "128x128"}, {1, "1d1d", nullptr, "1x128, as of A"}};
constexpr Word kLayoutWords[] = {
    {int64_t(ScaleLayout::MnMajor), "mn_major", "MnMajor", "[ceil(K/128), M or blocks of N]"},
    {int64_t(ScaleLayout::KMajor), "k_major", "KMajor", "[M or blocks of N, ceil(K/128)]"}};

constexpr Word kScaleOfDWords[] = {
    {int64_t(ScaleOfD::None), "none", "None", "D is not quantised"},
    {int64_t(ScaleOfD::MnMajor), "mn_major", "MnMajor", "[columns of D / 128, M]"},
    {int64_t(ScaleOfD::KMajor), "k_major", "KMajor", "[M, columns of D / 128]"}};

/// A field's words; none of a number.
struct Words {
  const Word *first = nullptr;
  size_t count = 0;

  constexpr Words() = default;
  template <size_t N> constexpr Words(const Word (&words)[N]) : first(words), count(N) {}
  constexpr const Word *begin() const { return first; }
  constexpr const Word *end() const { return first + count; }
};

/// The value of a word that is one of them, as others write it, too: dialects have the same words.
template <typename Value> Value valueOf(Words words, std::string_view name) {
  const Word *found = words.begin();
  while (found + 1 != words.end() && found->name != name)
    ++found;
  return Value(found->value);
}

enum class Kind { Number, Word, Flag };

struct Field {
  const char *name;       ///< in lists of problems, options (with - for _) and Python
  const char *inManifest; ///< in manifests as JSON; null: not there
  size_t offset, bytes;   ///< of the member
  Kind kind;
  Words words;
  GroupingSet mayHave;  ///< the groupings of which a list's problem may have it; of others it has its usual value
  GroupingSet mustHave; ///< and must name it
  bool isIgnored;       ///< what a caller of the C API has in it is ignored where no problem may have it
  const char *doc;      ///< for --help
};

#define FP8GEMM_MEMBER(name) offsetof(Problem, name), sizeof(Problem::name)
// clang-format off
/// In the order in which manifests store them, and by which a pack's problems are sorted: new ones go to the end.
constexpr Field kFields[] = {
    {"n", "n", FP8GEMM_MEMBER(n), Kind::Number, {}, kAll, kAll, false, "rows of B, columns of D"},
    {"k", "k", FP8GEMM_MEMBER(k), Kind::Number, {}, kAll | kQuantize, (kAll & ~kAlongK) | kQuantize, false,
     "columns of A and B; for k_grouped_gemm of all groups together, or any (its default)"},
    {"m", "m", FP8GEMM_MEMBER(m), Kind::Number, {}, kAlongK, kAlongK, true, "rows of A and D, or any (default: any)"},
    {"grouping", "grouping", FP8GEMM_MEMBER(grouping), Kind::Word, kGroupingWords, kOfRows, kOfRows, false,
     "how groups of rows are described on the device"},
    {"groups", "groups", FP8GEMM_MEMBER(groups), Kind::Number, {}, kAll & ~kNotGrouped, kAll & ~kNotGrouped, true,
     "groups, each with its own B or D"},
    {"align", "group_align", FP8GEMM_MEMBER(align), Kind::Number, {}, kAligned, setOf(Grouping::RowIndex), true,
     "multiple of rows at which groups start, for row_index and row_end (default: 1)"},
    {"flattened", "flat", FP8GEMM_MEMBER(flat), Kind::Flag, {}, kAlongK, 0, false,
     "A and B are the packed matrices of the groups, for k_grouped_gemm"},
    {"a_type", "a", FP8GEMM_MEMBER(a), Kind::Word, kF8Words, kAll | kQuantize, 0, false,
     "elements of A (default: e4m3)"},
    {"b_type", "b", FP8GEMM_MEMBER(b), Kind::Word, kF8Words, kAll, 0, false, "elements of B (default: e4m3)"},
    {"d_type", "d", FP8GEMM_MEMBER(d), Kind::Word, kResultWords, kAll, 0, false, "elements of C and D; e4m3: D is quantised, with --sfd (default: bf16)"},
    {"c", "c", FP8GEMM_MEMBER(c), Kind::Word, kCWords, kAll, 0, false, "C to add (default: none)"},
    {"bias", "bias", FP8GEMM_MEMBER(bias), Kind::Word, kBiasWords, kNotGrouped | kOfRows, 0, false,
     "a row [N] to add to every row of D (default: none)"},
    {"gated", "gated", FP8GEMM_MEMBER(gated), Kind::Flag, {}, kNotGrouped | kOfRows | kQuantize, 0, false,
     "D[M, N/2] = activation(gate) * up, the products with B's rows n and N/2 + n; of quantize X's columns k and K + k"},
    {"recipe", "sfb_block_rows", FP8GEMM_MEMBER(sfbRows), Kind::Word, kRecipeWords, kNotGrouped | kOfRows | kQuantize, 0, false,
     "blocks of B that share a scale (default: 1d2d; k_grouped_gemm has 1d1d); of quantize 1d2d makes the B of such products (default: 1d1d)"},
    {"sfa", "sfa_layout", FP8GEMM_MEMBER(sfa), Kind::Word, kLayoutWords, kAll | kQuantize, 0, false,
     "storage of A's scales (default: mn_major)"},
    {"sfb", "sfb_layout", FP8GEMM_MEMBER(sfb), Kind::Word, kLayoutWords, kAll, 0, false,
     "storage of B's scales (default: k_major)"},
    {"x_type", "x", FP8GEMM_MEMBER(x), Kind::Word, kXWords, kQuantize, 0, false,
     "elements that A is quantised from, for quantize (default: bf16)"},
    {"power_of_two", "power_of_two", FP8GEMM_MEMBER(powerOfTwo), Kind::Flag, {}, kQuantize | kNotGrouped | kOfRows, 0,
     false, "the scales that are computed, of quantize or of a quantised D, are rounded up to powers of two"},
    {"batch_invariant", nullptr, FP8GEMM_MEMBER(batchInvariant), Kind::Flag, {}, kAll, 0, false,
     "only schedules with which a row of D has the same bits for every M"},
    {"row_scale", "row_scale", FP8GEMM_MEMBER(rowScale), Kind::Word, kRowScaleWords, kNotGrouped | kOfRows, 0, false,
     "a column [M] by which rows of the product are multiplied, such as a router's weights (default: none)"},
    {"activation", "activation", FP8GEMM_MEMBER(activation), Kind::Word, kActivationWords, kNotGrouped | kOfRows | kQuantize, 0, false,
     "the function of the sum, C and the bias included, that D is, or of X before it is quantised; with --gated of the gate (default: none)"},
    {"sfd", "sfd_layout", FP8GEMM_MEMBER(sfd), Kind::Word, kScaleOfDWords, kNotGrouped | kOfRows, 0, false,
     "storage of the scales of a quantised D, with --d-type=e4m3: it is the A of a next product (default: none)"},
    {"weights", "weights", FP8GEMM_MEMBER(weights), Kind::Number, {}, kSharing, 0, false,
     "matrices of B, if groups share them: group g has number g mod weights (default: one for each group)"},
};
// clang-format on
#undef FP8GEMM_MEMBER

inline int64_t get(const Problem &problem, const Field &field) {
  const char *member = reinterpret_cast<const char *>(&problem) + field.offset;
  int64_t wide = 0;
  uint32_t narrow = 0;
  std::memcpy(field.bytes == 8 ? static_cast<void *>(&wide) : &narrow, member, field.bytes);
  return field.bytes == 8 ? wide : narrow;
}

inline void set(Problem &problem, const Field &field, int64_t value) {
  char *member = reinterpret_cast<char *>(&problem) + field.offset;
  auto narrow = uint32_t(value);
  std::memcpy(member, field.bytes == 8 ? static_cast<const void *>(&value) : &narrow, field.bytes);
}

/// Null of a name that no field has.
inline const Field *findField(std::string_view name) {
  for (const Field &field : kFields)
    if (field.name == name)
      return &field;
  return nullptr;
}

/// Null of a value that has none.
inline const Word *wordOf(const Field &field, int64_t value) {
  for (const Word &word : field.words)
    if (word.value == value)
      return &word;
  return nullptr;
}

/// The word of an enumerator.
template <typename Value> const char *nameOf(Words words, Value value) {
  for (const Word &word : words)
    if (word.value == int64_t(value))
      return word.name;
  return "";
}

/// What a problem is where nothing is said of it.
inline Problem usualProblem(Grouping grouping) {
  Problem problem;
  problem.grouping = grouping;
  if (grouping == Grouping::KCount)
    problem.sfbRows = 1;
  return problem;
}
inline Problem usualQuantisation() {
  Problem problem;
  problem.x = XType::BF16;
  problem.sfbRows = 1;
  return problem;
}
/// Of the op and the grouping of `problem`.
inline Problem usualProblem(const Problem &problem) {
  return isQuantisation(problem) ? usualQuantisation() : usualProblem(problem.grouping);
}

/// Of each op and grouping, what is usual.
inline std::array<Problem, std::size(kGroupings) + 1> usualProblems() {
  std::array<Problem, std::size(kGroupings) + 1> problems;
  for (size_t grouping = 0; grouping < std::size(kGroupings); ++grouping)
    problems[grouping] = usualProblem(Grouping(grouping));
  problems.back() = usualQuantisation();
  return problems;
}

/// fp8gemm_problem of runtime.h as a problem, and the other way round.
template <typename CProblem> Problem fromC(const CProblem &given) {
  static_assert(sizeof(CProblem) == sizeof(Problem));
  Problem problem;
  std::memcpy(static_cast<void *>(&problem), &given, sizeof(problem));
  return problem;
}
template <typename CProblem> CProblem toC(const Problem &problem) {
  static_assert(sizeof(CProblem) == sizeof(Problem));
  CProblem result;
  std::memcpy(&result, &problem, sizeof(result));
  return result;
}

/// A problem of a caller of the C API, without what doesn't count in it: of a quantisation, all that products have
/// only. Its scales are for single rows where nothing is said of them.
inline Problem relevant(Problem problem) {
  if (isQuantisation(problem) && problem.sfbRows == 0)
    problem.sfbRows = 1;
  const Problem usual = usualProblem(problem);
  const GroupingSet own = setOf(problem);
  for (const Field &field : kFields)
    if ((field.isIgnored || own == kQuantize) && !(field.mayHave & own))
      set(problem, field, get(usual, field));
  return problem;
}

/// The fields, for comparing and sorting.
using ProblemKey = std::array<int64_t, std::size(kFields)>;
inline ProblemKey keyOf(const Problem &problem) {
  ProblemKey key;
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = get(problem, kFields[i]);
  return key;
}
inline bool operator==(const Problem &lhs, const Problem &rhs) { return keyOf(lhs) == keyOf(rhs); }
inline bool operator!=(const Problem &lhs, const Problem &rhs) { return !(lhs == rhs); }
inline bool operator<(const Problem &lhs, const Problem &rhs) { return keyOf(lhs) < keyOf(rhs); }

/// A value as lists of problems and options have it.
inline std::string print(const Field &field, int64_t value) {
  if (field.kind == Kind::Flag && (value == 0 || value == 1))
    return value ? "true" : "false";
  const Word *word = wordOf(field, value);
  return word ? word->name : std::to_string(value);
}

/// The problem as an entry of the list that fp8gemm-compile --pack takes: {"op": "gemm", "n": 4096, "k": 7168}. What is
/// usual is left out.
inline std::string print(const Problem &problem) {
  const Problem usual = usualProblem(problem);
  std::string text = std::string("{\"op\": \"") + factsOf(problem).op + '"';
  for (const Field &field : kFields) {
    int64_t value = get(problem, field);
    bool isKnown = wordOf(kFields[3], int64_t(problem.grouping)), isNamed = field.mustHave & setOf(problem);
    if (!isNamed && value == get(usual, field) && isKnown)
      continue;
    bool quoted = wordOf(field, value);
    text +=
        std::string(", \"") + field.name + "\": " + (quoted ? "\"" : "") + print(field, value) + (quoted ? "\"" : "");
  }
  return text + '}';
}

} // namespace fp8gemm::format

#endif // FP8GEMM_PROBLEM_H
