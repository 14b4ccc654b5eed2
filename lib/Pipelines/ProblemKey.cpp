// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProblemKey.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace fp8gemm {

// config's enumerators are the format's.
static_assert(int(config::Grouping::RowIndex) == int(format::Grouping::RowIndex) &&
              int(config::Grouping::RowEnd) == int(format::Grouping::RowEnd) &&
              int(config::Grouping::RowCount) == int(format::Grouping::RowCount) &&
              int(config::Grouping::Batched) == int(format::Grouping::Batched) &&
              int(config::Grouping::KCount) == int(format::Grouping::KCount));
static_assert(int(GemmProblem::C::Apart) == int(format::CUse::Apart) &&
              int(GemmProblem::C::InPlace) == int(format::CUse::InPlace));

format::ProblemKey keyOf(const GemmProblem &problem) {
  auto f8 = [](GemmProblem::F8 type) {
    return int64_t(type == GemmProblem::F8::E4M3 ? format::ElementType::F8E4M3FN : format::ElementType::F8E5M2);
  };
  auto layout = [](bool mnMajor) {
    return int64_t(mnMajor ? format::ScaleLayout::MnMajor : format::ScaleLayout::KMajor);
  };
  bool isF32 = problem.d == GemmProblem::Result::F32;
  return {problem.n,
          problem.k.value_or(-1),
          problem.m.value_or(-1),
          int64_t(problem.grouping),
          problem.groups,
          problem.align,
          problem.flattened,
          f8(problem.a),
          f8(problem.b),
          int64_t(isF32 ? format::ElementType::F32 : format::ElementType::BF16),
          int64_t(problem.c),
          problem.recipe == GemmProblem::Recipe::OneD1D ? 1 : 128,
          layout(problem.sfaMnMajor),
          layout(problem.sfbMnMajor)};
}

std::string describe(const format::ProblemKey &key) {
  auto [n, k, m, grouping, groups, align, flat, a, b, d, c, sfbRows, sfa, sfb] = key;
  auto kind = format::Grouping(grouping);
  std::string text = formatv("{0}: N = {1}, K = {2}",
                             kind == format::Grouping::None     ? "gemm"
                             : kind == format::Grouping::KCount ? "k_grouped_gemm"
                                                                : "grouped_gemm",
                             n, k == -1 ? "any" : std::to_string(k));
  raw_string_ostream os(text);
  if (m != -1)
    os << ", M = " << m;
  if (kind != format::Grouping::None)
    os << "; " << groups << " groups, " << format::EnumNameGrouping(kind);
  if (align != 1)
    os << " aligned to " << align;
  if (flat)
    os << ", flat";
  auto element = [](int64_t type) { return format::EnumNameElementType(format::ElementType(type)); };
  auto layout = [](int64_t layout) { return format::EnumNameScaleLayout(format::ScaleLayout(layout)); };
  os << "; A " << element(a) << ", scales 1x128 " << layout(sfa) << "; B " << element(b) << ", scales " << sfbRows
     << "x128 " << layout(sfb) << "; D " << element(d);
  if (format::CUse(c) != format::CUse::None)
    os << ", C " << format::EnumNameCUse(format::CUse(c));
  return text;
}

} // namespace fp8gemm
