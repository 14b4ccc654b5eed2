// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exact D, in float64, and the bound on its error (docs/Numerics.md). Shares
// no code with the compiler.

#ifndef FP8GEMM_TOOLS_RUN_REFERENCE_H
#define FP8GEMM_TOOLS_RUN_REFERENCE_H

#include "Problem.h"

namespace fp8gemm::run {

/// An element of D: its exact value (with C), the sum over K blocks of sfa * sfb * sum |a * b|, and
/// what the tensor core may lose inside K blocks (the stepwise form of docs/Numerics.md).
struct Exact {
  double value = 0, magnitude = 0, blockError = 0;
};

/// The error that an element of `problem` may have.
double errorBound(const Exact &exact, const Problem &problem);

/// Largest Euclidean norm of a row's error, relative to the row's, that random data may have.
constexpr double kRelativeBound = 0x1p-8;

struct CheckResult {
  std::vector<int64_t> rows; ///< that were compared with the reference, all columns
  int64_t failures = 0;      ///< elements beyond their bound
  double worst = 0;          ///< largest error / bound
  int64_t worstRow = 0, worstColumn = 0;
  double worstGot = 0, worstReference = 0;
  double relative = 0;     ///< the worst row's norm of the error / that of the row
  int64_t notANumber = 0;  ///< elements of all of D that are NaN, as poison is
  int64_t guardDamage = 0; ///< bytes written around D's elements

  bool held() const { return failures == 0 && notANumber == 0 && guardDamage == 0 && relative <= kRelativeBound; }
};

/// Compares D with the reference: all rows where that is at most `budget` multiplications,
/// else the first, the last and random ones, at least 8.
CheckResult check(const Problem &problem, uint64_t seed, int64_t budget = int64_t(1) << 31);

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_REFERENCE_H
