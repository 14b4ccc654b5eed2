// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One (N, K), any M -> a table of intervals of M, each with its schedule. The rules
// are told in docs/Config.md.

#ifndef FP8GEMM_CONFIG_PLAN_H
#define FP8GEMM_CONFIG_PLAN_H

#include "fp8gemm/Config/Config.h"

namespace fp8gemm::config {

/// M in [first, last]; the last interval of a plan has no end.
struct Interval {
  int64_t first = 1;
  std::optional<int64_t> last;
  Config config;
  double firstMicroseconds = 0, lastMicroseconds = 0; ///< modelled at its ends, or at the plan's largest M
  double loss = 0; ///< the most by which the best config of one of its M is faster: 0.01 is 1 %
};

/// A product of fewer rows that takes clearly longer than one of more rows.
struct Cliff {
  int64_t m, moreM;
  double microseconds, moreMicroseconds;
};

struct Plan {
  std::vector<Interval> intervals; ///< by M, from 1 on, without gaps; neighbours differ
  std::optional<Cliff> cliff;      ///< the worst one, if there is any
};

/// What time(M) may exceed, for every M' > M: kCliffFactor * time(M') + kCliffMicroseconds.
constexpr double kCliffFactor = 1.05, kCliffMicroseconds = 0.3;

/// The plan of `problem` for any M (its own m is not looked at), modelled for 1 to
/// `maxM` rows. Without any legal config it has no intervals.
Plan plan(const Problem &problem, const Gpu &gpu, int64_t maxM);

} // namespace fp8gemm::config

#endif // FP8GEMM_CONFIG_PLAN_H
