// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One (N, K), any M -> a table of intervals of M, each with its schedule. docs/Config.md
// explains the rules.

#ifndef FP8GEMM_CONFIG_PLAN_H
#define FP8GEMM_CONFIG_PLAN_H

#include "fp8gemm/Config/Config.h"

namespace fp8gemm::config {

/// M in [first, last]; the last interval of a plan is open-ended.
struct Interval {
  int64_t first = 1;
  std::optional<int64_t> last;
  Config config;
  double firstMicroseconds = 0, lastMicroseconds = 0; ///< modelled at its ends, or at the plan's largest M
  double loss = 0; ///< the largest loss against the best config for one of its M: 0.01 is 1 %
};

/// A product with fewer rows that takes clearly longer than one with more rows.
struct Cliff {
  int64_t m, moreM;
  double microseconds, moreMicroseconds;
};

struct Plan {
  std::vector<Interval> intervals; ///< by M, from 1 on, without gaps; neighbours differ
  std::optional<Cliff> cliff;      ///< the worst one, if any
};

/// time(M) must not exceed kCliffFactor * time(M') + kCliffMicroseconds for any M' > M.
constexpr double kCliffFactor = 1.05, kCliffMicroseconds = 0.3;

/// The plan of `problem` for any M (its own m is ignored), modelled for 1 to
/// `maxM` rows. If no config is legal, it has no intervals.
Plan plan(const Problem &problem, const Gpu &gpu, int64_t maxM);

} // namespace fp8gemm::config

#endif // FP8GEMM_CONFIG_PLAN_H
