// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Config/Plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

using namespace fp8gemm::config;

namespace {

Problem problem(int64_t n, int64_t k) {
  Problem result;
  result.n = n, result.k = k;
  return result;
}

/// What each test is done for.
struct Case {
  Problem problem;
  int64_t maxM;
  const Gpu &gpu;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Gpu &gpu : knownGpus())
    for (auto [n, k] : {std::pair<int64_t, int64_t>{7168, 2048}, {2112, 7168}, {576, 7168}, {24, 16}, {32768, 512}})
      for (int64_t maxM : {1, 7, 8, 9, 100, 512, 3000})
        all.push_back({problem(n, k), maxM, gpu});
  return all;
}

std::string nameOf(const Case &c) {
  return c.gpu.name + " " + std::to_string(c.problem.n) + "x" + std::to_string(c.problem.k) + " up to " +
         std::to_string(c.maxM);
}

const Interval &intervalOf(const Plan &plan, int64_t m) {
  return *std::find_if(plan.intervals.begin(), plan.intervals.end(),
                       [&](const Interval &interval) { return m <= interval.last.value_or(m); });
}

/// The planned config's time, as a kernel of this M would be modelled.
double timeOf(const Case &c, const Plan &plan, int64_t m) {
  return modelledMicroseconds(c.problem, c.gpu, intervalOf(plan, m).config, m);
}

/// Asked many times, for the same M.
double bestTime(const Case &c, int64_t m) {
  static std::map<std::tuple<std::string, int64_t, int64_t, int64_t>, double> known;
  auto [at, isNew] = known.try_emplace({c.gpu.name, c.problem.n, c.problem.k, m});
  if (isNew)
    at->second = enumerate(c.problem, c.gpu, m)[0].microseconds;
  return at->second;
}

TEST(Plan, EveryMIsInOneInterval) {
  for (const Case &c : cases()) {
    Plan made = plan(c.problem, c.gpu, c.maxM);
    ASSERT_FALSE(made.intervals.empty()) << nameOf(c);
    int64_t next = 1;
    for (const Interval &interval : made.intervals) {
      EXPECT_EQ(interval.first, next) << nameOf(c);
      EXPECT_LE(interval.first, c.maxM) << nameOf(c);
      if (&interval == &made.intervals.back()) {
        EXPECT_FALSE(interval.last) << nameOf(c);
        break;
      }
      ASSERT_TRUE(interval.last) << nameOf(c);
      ASSERT_GE(*interval.last, interval.first) << nameOf(c);
      next = *interval.last + 1;
    }
  }
}

TEST(Plan, NeighboursDifferAndAllAreLegal) {
  for (const Case &c : cases()) {
    Plan made = plan(c.problem, c.gpu, c.maxM);
    for (const Interval &interval : made.intervals) {
      EXPECT_EQ(check(c.problem, c.gpu, interval.config), "") << nameOf(c);
      if (&interval != &made.intervals.front()) {
        EXPECT_NE(interval.config, (&interval)[-1].config) << nameOf(c) << ", M = " << interval.first;
      }
    }
  }
}

TEST(Plan, LosesAtMostThreePercentAndATenthOfAMicrosecond) {
  for (const Case &c : cases()) {
    Plan made = plan(c.problem, c.gpu, c.maxM);
    for (int64_t m = 1; m <= std::min<int64_t>(c.maxM, 1000); m += m < 64 ? 1 : 7) {
      double loss = timeOf(c, made, m) / bestTime(c, m) - 1;
      EXPECT_LE(loss, intervalOf(made, m).loss + 1e-9) << nameOf(c) << ", M = " << m;
      EXPECT_LE(timeOf(c, made, m), 1.03 * bestTime(c, m) + 0.1 + 1e-9) << nameOf(c) << ", M = " << m;
    }
  }
}

TEST(Plan, LosesLittleBetweenTheRowsItLooksAt) {
  for (const Case &c : cases()) {
    Plan made = plan(c.problem, c.gpu, c.maxM);
    for (int64_t m = 1001; m <= c.maxM; m += 37)
      EXPECT_LE(timeOf(c, made, m), 1.04 * bestTime(c, m) + 0.1) << nameOf(c) << ", M = " << m;
  }
}

TEST(Plan, FewKernelsServeManyIntervals) {
  Plan made = plan(problem(7168, 2048), *findGpu("h200-sxm"), 8192);
  std::set<std::string> kernels;
  for (const Interval &interval : made.intervals)
    kernels.insert(toString(interval.config));
  EXPECT_LE(kernels.size(), 16u);
  EXPECT_LE(kernels.size(), made.intervals.size());
}

/// The rule, by brute force over all pairs of M.
TEST(Plan, TellsTheWorstCliff) {
  for (const Case &c : cases()) {
    if (c.maxM > 512)
      continue;
    Plan made = plan(c.problem, c.gpu, c.maxM);
    double worst = 1, leastOfMore = std::numeric_limits<double>::infinity();
    for (int64_t m = c.maxM; m >= 1; --m) {
      double time = timeOf(c, made, m);
      worst = std::max(worst, time / (kCliffFactor * leastOfMore + kCliffMicroseconds));
      leastOfMore = std::min(leastOfMore, time);
    }
    double told = 1;
    if (made.cliff) {
      EXPECT_LT(made.cliff->m, made.cliff->moreM) << nameOf(c);
      EXPECT_DOUBLE_EQ(made.cliff->microseconds, timeOf(c, made, made.cliff->m)) << nameOf(c);
      EXPECT_DOUBLE_EQ(made.cliff->moreMicroseconds, timeOf(c, made, made.cliff->moreM)) << nameOf(c);
      told = made.cliff->microseconds / (kCliffFactor * made.cliff->moreMicroseconds + kCliffMicroseconds);
    }
    EXPECT_NEAR(told, worst, 1e-9) << nameOf(c);
  }
}

/// Where the best config of each M keeps to the rule, so does the plan.
TEST(Plan, MakesNoCliffOfItsOwn) {
  std::vector<Case> all = cases();
  for (const Gpu &gpu : knownGpus()) // of these, a little more than the best is too much for some M
    for (int64_t n : {464, 632, 848, 1136, 2040})
      all.push_back({problem(n, 2176), 512, gpu});
  for (const Case &c : all) {
    Plan made = plan(c.problem, c.gpu, c.maxM);
    double leastOfMore = std::numeric_limits<double>::infinity(), leastBestOfMore = leastOfMore;
    for (int64_t m = std::min<int64_t>(c.maxM, 1000); m >= 1; m -= m > 100 ? 7 : 1) {
      double best = bestTime(c, m), time = timeOf(c, made, m);
      if (best <= kCliffFactor * leastBestOfMore + kCliffMicroseconds) {
        EXPECT_LE(time, kCliffFactor * leastOfMore + kCliffMicroseconds) << nameOf(c) << ", M = " << m;
      }
      leastOfMore = std::min(leastOfMore, time), leastBestOfMore = std::min(leastBestOfMore, best);
    }
  }
}

/// Few rows: what a server sees the most of. The model expects tiles that reach over the matrix's last
/// row to cost time, as measured, and no schedule avoids it for every M: no cliff is higher than this.
TEST(Plan, FewRowsHaveLowCliffs) {
  for (auto [n, k] : {std::pair<int64_t, int64_t>{7168, 2048}, {2112, 7168}, {4096, 4096}}) {
    Plan made = plan(problem(n, k), *findGpu("h200-sxm"), 512);
    if (made.cliff) {
      EXPECT_LE(made.cliff->microseconds, 1.15 * made.cliff->moreMicroseconds + kCliffMicroseconds)
          << n << 'x' << k << ": M = " << made.cliff->m << " and " << made.cliff->moreM;
    }
  }
}

TEST(Plan, SameEveryTime) {
  Plan first = plan(problem(2112, 7168), knownGpus()[0], 4096),
       second = plan(problem(2112, 7168), knownGpus()[0], 4096);
  ASSERT_EQ(first.intervals.size(), second.intervals.size());
  for (size_t i = 0; i != first.intervals.size(); ++i) {
    EXPECT_EQ(first.intervals[i].last, second.intervals[i].last);
    EXPECT_EQ(first.intervals[i].config, second.intervals[i].config);
  }
}

TEST(Plan, OneKernelHasOneRasterOrder) {
  Plan made = plan(problem(7168, 2048), *findGpu("h200-sxm"), 8192);
  for (const Interval &lhs : made.intervals)
    for (const Interval &rhs : made.intervals) {
      Config left = lhs.config, right = rhs.config;
      left.rasterGroup = right.rasterGroup = 1;
      if (left == right) {
        EXPECT_EQ(lhs.config.rasterGroup, rhs.config.rasterGroup);
      }
    }
}

TEST(Plan, TakesLittleTime) {
  double best = 10;
  for (int run = 0; run != 5; ++run) {
    auto start = std::chrono::steady_clock::now();
    plan(problem(2112, 7168), knownGpus()[0], 8192);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(best, 1);
}

} // namespace
