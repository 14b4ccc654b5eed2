// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product given by its sizes and types, without IR. Plain C++.

#ifndef FP8GEMM_PIPELINES_PROBLEM_H
#define FP8GEMM_PIPELINES_PROBLEM_H

#include "fp8gemm/Config/Config.h"

#include <cstdint>
#include <optional>

namespace fp8gemm {

/// A product, or one for each group, given by its sizes and types. Scales are laid out k_major or mn_major.
struct GemmProblem {
  enum class Recipe { OneD2D, OneD1D };
  enum class F8 { E4M3, E5M2 };
  enum class Result { BF16, F32 };
  enum class C { None, Apart, InPlace };

  std::optional<int64_t> m; ///< none: any M
  int64_t n = 0;
  std::optional<int64_t> k; ///< none: any K, for groups along K
  bool sfaMnMajor = true, sfbMnMajor = false;
  Recipe recipe = Recipe::OneD2D;
  F8 a = F8::E4M3, b = F8::E4M3;
  Result d = Result::BF16;
  C c = C::None;
  config::Grouping grouping = config::Grouping::None;
  int64_t groups = 1, align = 1;
  bool flattened = false; ///< A and B are the packed matrices of the groups, for groups along K
};

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PROBLEM_H
