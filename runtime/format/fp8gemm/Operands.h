// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of products and of quantisation, and the table of them. Manifests, launches, checks, compiled programs,
// the compiler's modules and the Python package walk it, so a new operand is a row here, beside its field in Problem.h
// and its place in the structs of the C API (CApi.h). The oracle and the simulator have views of their own.

#ifndef FP8GEMM_OPERANDS_H
#define FP8GEMM_OPERANDS_H

#include "fp8gemm/Problem.h"

namespace fp8gemm::format {

/// Numbers are those of manifests, and of the operands that compiled programs pass: never changed, only added.
enum class Operand : uint8_t { A, ScaleA, B, ScaleB, Groups, C, D, Bias, X, Workspace, RowScale, ScaleD, None = 255 };

/// What extents of operands are: 1, those of the problem, columns of C and D, of X, those and K in blocks that share a scale, rows
/// of A's and of B's scales, entries of the description of groups, bytes of the workspace.
enum class Extent : uint8_t { One, M, N, ColumnsOfD, BlocksOfD, ColumnsOfX, K, KBlocks, ScaledRowsOfA, ScaledRows, Entries, Bytes };

/// A field by name: a constant, since there is no constant of a name that no field has.
constexpr const Field *fieldNamed(std::string_view name) {
  for (const Field &field : kFields)
    if (field.name == name)
      return &field;
  return findField(name); // which is not constexpr
}

struct OperandRow {
  Operand operand;
  const char *name;            ///< in C, Python, hopper IR and messages
  const char *ofQuantisation;  ///< its name there; null: products only
  const char *inManifest;      ///< in manifests as JSON
  const Field *elementField;   ///< whose word is the type of its elements; null: `element`
  const char *element;
  /// As stored, each row contiguous. With one row or one column it is a vector, which is contiguous and given by its
  /// pointer; otherwise a matrix, which has a leading dimension.
  Extent rows, columns;
  const Field *layout;               ///< with mn_major, rows and columns are exchanged; null: they are not
  bool GroupingFacts::*eachGroupHas; ///< whether it is one of each group; null: never
  const Field *presence;             ///< that is 0 in a problem without it; null: each has it
  GroupingSet of, writtenBy;         ///< the groupings that have it, and that write it
  int alignBytes, alignElements;     ///< what its address and strides are multiples of
  bool excludesC = false;            ///< whether a problem with it adds no C
};

constexpr GroupingSet kDescribed = (kOfRows | kAlongK) & ~setOf(Grouping::Batched);
// clang-format off
/// By number.
constexpr OperandRow kOperands[] = {
    {Operand::A, "a", "q", "A", fieldNamed("a_type"), nullptr, Extent::M, Extent::K, nullptr,
     &GroupingFacts::ofA, nullptr, kAll | kQuantize, kQuantize, 16, 1},
    {Operand::ScaleA, "sfa", "scales", "ScaleA", nullptr, "f32", Extent::ScaledRowsOfA, Extent::KBlocks, fieldNamed("sfa"),
     &GroupingFacts::ofA, nullptr, kAll | kQuantize, kQuantize, 4, 1},
    {Operand::B, "b", nullptr, "B", fieldNamed("b_type"), nullptr, Extent::N, Extent::K, nullptr,
     &GroupingFacts::ofB, nullptr, kAll, 0, 16, 1},
    {Operand::ScaleB, "sfb", nullptr, "ScaleB", nullptr, "f32", Extent::ScaledRows, Extent::KBlocks, fieldNamed("sfb"),
     &GroupingFacts::ofB, nullptr, kAll, 0, 4, 1},
    {Operand::Groups, "groups", nullptr, "Groups", nullptr, "i32", Extent::One, Extent::Entries, nullptr,
     nullptr, nullptr, kDescribed, 0, 4, 1},
    {Operand::C, "c", nullptr, "C", fieldNamed("d_type"), nullptr, Extent::M, Extent::ColumnsOfD, nullptr,
     &GroupingFacts::ofD, fieldNamed("c"), kAll, 0, 16, 1},
    {Operand::D, "d", nullptr, "D", fieldNamed("d_type"), nullptr, Extent::M, Extent::ColumnsOfD, nullptr,
     &GroupingFacts::ofD, nullptr, kAll, kAll, 16, 1},
    {Operand::Bias, "bias", nullptr, "Bias", fieldNamed("bias"), nullptr, Extent::One, Extent::ColumnsOfD, nullptr,
     nullptr, fieldNamed("bias"), kAll, 0, 1, 2},
    {Operand::X, "x", "x", "X", fieldNamed("x_type"), nullptr, Extent::M, Extent::ColumnsOfX, nullptr,
     nullptr, nullptr, kQuantize, 0, 16, 1},
    {Operand::Workspace, "workspace", nullptr, "Workspace", nullptr, "i8", Extent::One, Extent::Bytes, nullptr,
     nullptr, nullptr, kAll & ~kNotGrouped, 0, 128, 1},
    {Operand::RowScale, "row_scale", nullptr, "RowScale", fieldNamed("row_scale"), nullptr, Extent::M, Extent::One, nullptr,
     &GroupingFacts::ofA, fieldNamed("row_scale"), kAll, 0, 1, 1, /*excludesC=*/true},
    {Operand::ScaleD, "sfd", nullptr, "ScaleD", nullptr, "f32", Extent::M, Extent::BlocksOfD, fieldNamed("sfd"),
     &GroupingFacts::ofD, fieldNamed("sfd"), kNotGrouped | kOfRows, kNotGrouped | kOfRows, 4, 1},
};
// clang-format on
constexpr size_t kOperandCount = std::size(kOperands);

constexpr bool areInOrder() {
  for (size_t i = 0; i < kOperandCount; ++i)
    if (kOperands[i].operand != Operand(i))
      return false;
  return true;
}
static_assert(areInOrder());

/// Null of None, and of a number that stands for nothing.
constexpr const OperandRow *rowOf(Operand operand) {
  return size_t(operand) < kOperandCount ? &kOperands[size_t(operand)] : nullptr;
}

/// Null of a name that no operand of a product has.
inline const OperandRow *findOperand(std::string_view name) {
  for (const OperandRow &row : kOperands)
    if (row.name == name)
      return &row;
  return nullptr;
}

/// Whether callers give a leading dimension.
constexpr bool isMatrix(const OperandRow &row) { return row.rows != Extent::One && row.columns != Extent::One; }

/// Whether it has an element for each row of D.
constexpr bool isColumn(const OperandRow &row) { return row.columns == Extent::One; }

/// A vector that some problems have: what an epilogue reads beside the sums and C.
constexpr bool isOptionalVector(const OperandRow &row) { return !isMatrix(row) && row.presence; }

inline const char *nameOf(const OperandRow &row, const Problem &problem) {
  return isQuantisation(problem) && row.ofQuantisation ? row.ofQuantisation : row.name;
}

/// Whether a problem has the operand; a workspace is the kernel's.
inline bool has(const Problem &problem, const OperandRow &row) {
  return (row.of & setOf(problem)) && (!row.presence || get(problem, *row.presence) != 0);
}

/// Empty, or what is missing of a quantised D, or too much.
inline std::string conflictOfQuantised(const Problem &problem) {
  const bool isQuantised = problem.d == Type::E4M3;
  if (isQuantised != (problem.sfd != ScaleOfD::None))
    return isQuantised ? "expected sfd, how the scales of a d_type of e4m3 are stored, got none"
                       : std::string("expected a d_type of e4m3 with sfd = ") + nameOf(kScaleOfDWords, problem.sfd) +
                             ", got " + nameOf(kResultWords, problem.d);
  if (!isQuantised)
    return problem.powerOfTwo ? "expected power_of_two of quantize, or with a d_type of e4m3, got " +
                                    std::string(nameOf(kResultWords, problem.d))
                              : std::string();
  if (problem.grouping == Grouping::KCount)
    return "expected a d_type of bf16 or f32 with grouping k_count, got e4m3";
  if (problem.c != CUse::None)
    return std::string("expected no c with a d_type of e4m3, got ") + nameOf(kCWords, problem.c);
  if (columnsOfD(problem) % kScaleBlock != 0)
    return "expected a multiple of 128 for the columns of a d of e4m3, got " + std::to_string(columnsOfD(problem));
  return {};
}

/// Empty, or why groups cannot share that many matrices of B.
inline std::string conflictOfWeights(const Problem &problem) {
  if (problem.weights == 0)
    return {};
  const std::string got = ", got " + std::to_string(problem.weights);
  if (!(kSharing & setOf(problem)))
    return std::string("expected no weights with grouping ") + nameOf(kGroupingWords, problem.grouping) + got;
  if (problem.weights < problem.groups && problem.groups % problem.weights == 0)
    return {};
  return "expected weights, which groups share, to be fewer than the " + std::to_string(problem.groups) +
         " groups and to divide them" + got;
}

/// Empty, or why an operand of the problem may not be there.
inline std::string conflictOf(const Problem &problem) {
  for (const OperandRow &row : kOperands) {
    if (!isOptionalVector(row) || get(problem, *row.presence) == 0)
      continue;
    const std::string value = print(*row.presence, get(problem, *row.presence));
    if (!(row.presence->mayHave & setOf(problem)))
      return std::string("expected no ") + row.name + " with grouping " +
             nameOf(kGroupingWords, problem.grouping) + ", got " + value;
    if (row.excludesC && problem.c != CUse::None)
      return std::string("expected no c with ") + row.name + ", got " + nameOf(kCWords, problem.c);
    if (problem.gated)
      return std::string("expected no ") + row.name + " of a gated product, got " + value;
  }
  if (problem.gated && problem.c != CUse::None)
    return std::string("expected no c of a gated product, got ") + nameOf(kCWords, problem.c);
  const Field &activation = *findField("activation");
  if (problem.activation != Activation::None && !(activation.mayHave & setOf(problem)))
    return std::string("expected no activation with grouping ") + nameOf(kGroupingWords, problem.grouping) + ", got " +
           nameOf(kActivationWords, problem.activation);
  if (std::string conflict = conflictOfWeights(problem); !conflict.empty())
    return conflict;
  return isQuantisation(problem) ? std::string() : conflictOfQuantised(problem);
}

/// Whether it is one of each group.
inline bool hasGroups(const Problem &problem, const OperandRow &row) {
  return row.eachGroupHas && factsOf(problem).*row.eachGroupHas;
}

/// Matrices of which it consists.
inline uint32_t groupsOf(const Problem &problem, const OperandRow &row) {
  if (!hasGroups(problem, row))
    return 1;
  return row.eachGroupHas == &GroupingFacts::ofB ? weightsOf(problem) : problem.groups;
}

/// Whether the operand consists of the packed matrices of the groups, one after the other.
inline bool isFlat(const Problem &problem, const OperandRow &row) {
  return problem.flat && (row.operand == Operand::A || row.operand == Operand::B);
}

/// Whether the rows and columns of the table are exchanged.
inline bool isTransposed(const Problem &problem, const OperandRow &row) {
  return row.layout && ScaleLayout(get(problem, *row.layout)) == ScaleLayout::MnMajor;
}

/// The type of its elements: e4m3, e5m2, bf16, f16, f32, i32, i8; "none" where the problem has none.
inline std::string elementOf(const Problem &problem, const OperandRow &row) {
  return row.elementField ? print(*row.elementField, get(problem, *row.elementField)) : row.element;
}

/// Of a type of elements; 0 of what is none.
inline int bytesOf(std::string_view element) {
  if (element == "e4m3" || element == "e5m2" || element == "i8")
    return 1;
  if (element == "bf16" || element == "f16")
    return 2;
  return element == "f32" || element == "i32" ? 4 : 0;
}

/// The field's value for elements of that type, in the problem of an operand whose type a field says.
inline int64_t valueOfElement(const Field &field, std::string_view element) {
  for (const Word &word : field.words)
    if (word.name == element)
      return word.value;
  return 0;
}

} // namespace fp8gemm::format

#endif // FP8GEMM_OPERANDS_H
