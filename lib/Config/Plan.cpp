// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts the range of M into intervals.

#include "fp8gemm/Config/Plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace fp8gemm::config;

namespace {

/// Up to here every M is considered; beyond, the first and last of so many rows. Tiles count
/// rows in multiples of these: within them the number of tiles of no config changes.
constexpr int64_t kExactRows = 1000, kCellRows = 8;

/// From here on these numbers of rows grow with M, so that there are few of them up to any M: times of configs differ
/// by what a last wave of tiles costs, which is less and less of the whole.
constexpr int64_t kManyRows = int64_t(1) << 14;
int64_t spread(int64_t rows, int64_t m) {
  constexpr int64_t kCellsADoubling = 256;
  return rows * std::max<int64_t>(1, m >= kManyRows ? m / (kCellRows * kCellsADoubling) : 1);
}

/// Which M say what configs are worth a look: first and last of each so many rows, more rows where not
/// every M is considered, and the largest M.
constexpr int64_t kSampleRows = 8, kSparseSampleRows = 64;

/// What a config may lose against the best one of an M for the sake of fewer kernels and intervals.
constexpr double kAllowedLoss = 0.03, kAllowedMicroseconds = 0.1;

/// The most that a good config takes where the best takes so long.
double allowed(double best) { return (1 + kAllowedLoss) * best + kAllowedMicroseconds; }

/// Values of M that one config must do.
struct Cell {
  int64_t first, last;
};

int64_t nextSample(int64_t m, int64_t maxM) {
  int64_t rows = spread(m < kExactRows ? kSampleRows : kSparseSampleRows, m);
  int64_t next = m % rows == 0 ? m + 1 : (m / rows + 1) * rows;
  return m < maxM ? std::min(next, maxM) : maxM + 1;
}

/// The modelled times of the configs that are worth it at the ends of every cell.
class Times {
public:
  Times(const Problem &problem, const Gpu &gpu, int64_t maxM);

  size_t cells() const { return ends.size() / 2; }
  Cell cell(size_t index) const { return {ends[2 * index], ends[2 * index + 1]}; }
  const std::vector<Config> &configs() const { return all; }
  double at(size_t config, size_t end) const { return times[config * ends.size() + end]; }

  /// How much longer a config takes than the best, at the worse end of a cell.
  double loss(size_t config, size_t cell) const {
    return std::max(at(config, 2 * cell) / best[2 * cell], at(config, 2 * cell + 1) / best[2 * cell + 1]) - 1;
  }

  /// Configs that are good enough for a cell; at least one.
  std::vector<size_t> good(size_t cell) const;

private:
  void collectConfigs(const Problem &problem, const Gpu &gpu, int64_t maxM);

  std::vector<int64_t> ends; ///< first and last M of each cell
  std::vector<Config> all;
  std::vector<double> times; ///< by config, then by end
  std::vector<double> best;  ///< least time at each end
  std::vector<double> limit; ///< what a good config takes at most, at each end
};

/// A config without what follows from M: the same kernel for every M.
Config withoutRaster(Config config) {
  config.rasterGroup = kUnset;
  return config;
}

/// What is enumerated does not depend on M, beside the raster order: of all, those that are
/// about the best for some of the M that are considered.
void Times::collectConfigs(const Problem &problem, const Gpu &gpu, int64_t maxM) {
  std::vector<Config> enumerated;
  for (const Candidate &candidate : enumerate(problem, gpu, maxM))
    enumerated.push_back(withoutRaster(candidate.config));
  std::vector<bool> kept(enumerated.size(), false);
  std::vector<double> times(enumerated.size());
  for (int64_t m = 1; m <= maxM; m = nextSample(m, maxM)) {
    for (size_t i = 0; i != enumerated.size(); ++i)
      times[i] = modelledMicroseconds(problem, gpu, enumerated[i], m);
    double most = allowed(allowed(*std::min_element(times.begin(), times.end()))); // other M are not far
    for (size_t i = 0; i != enumerated.size(); ++i)
      kept[i] = kept[i] || times[i] <= most;
  }
  for (size_t i = 0; i != enumerated.size(); ++i)
    if (kept[i])
      all.push_back(enumerated[i]);
}

Times::Times(const Problem &problem, const Gpu &gpu, int64_t maxM) {
  for (int64_t first = 1; first <= maxM; first = ends.back() + 1) {
    ends.push_back(first);
    ends.push_back(first <= kExactRows ? first : std::min(first + spread(kCellRows, first) - 1, maxM));
  }
  if (!ends.empty())
    collectConfigs(problem, gpu, maxM);
  best.assign(ends.size(), std::numeric_limits<double>::infinity());
  for (const Config &config : all)
    for (size_t end = 0; end != ends.size(); ++end) {
      bool again = end > 0 && ends[end] == ends[end - 1]; // a cell of one M
      times.push_back(again ? times.back() : modelledMicroseconds(problem, gpu, config, ends[end]));
      best[end] = std::min(best[end], times.back());
    }
  // From the largest M down: a config is not good where it makes a cliff that another one avoids.
  limit.resize(ends.size());
  double leastOfMore = std::numeric_limits<double>::infinity();
  for (size_t end = ends.size(); end-- != 0;) {
    double noCliff = kCliffFactor * leastOfMore + kCliffMicroseconds;
    double close = allowed(best[end]);
    limit[end] = std::max(best[end], std::min(close, noCliff)); // the best one, where even that makes a cliff
    leastOfMore = std::min(leastOfMore, best[end]);
  }
}

std::vector<size_t> Times::good(size_t cell) const {
  std::vector<size_t> found;
  size_t least = 0;
  for (size_t config = 0; config != all.size(); ++config) {
    if (at(config, 2 * cell) <= limit[2 * cell] && at(config, 2 * cell + 1) <= limit[2 * cell + 1])
      found.push_back(config);
    if (loss(config, cell) < loss(least, cell))
      least = config;
  }
  // The best of a cell's one end need not be good at the other.
  return found.empty() ? std::vector<size_t>{least} : found;
}

using Indices = std::vector<size_t>; ///< of configs, ascending

Indices intersection(const Indices &lhs, const Indices &rhs) {
  Indices both;
  std::set_intersection(lhs.begin(), lhs.end(), rhs.begin(), rhs.end(), std::back_inserter(both));
  return both;
}

/// Few configs of which one is good for each cell: again and again the one that is good
/// for the most cells that have none yet.
Indices cover(const std::vector<Indices> &good, size_t configs) {
  Indices chosen;
  std::vector<bool> covered(good.size(), false);
  while (true) {
    std::vector<size_t> gain(configs, 0);
    for (size_t cell = 0; cell != good.size(); ++cell)
      if (!covered[cell])
        for (size_t config : good[cell])
          ++gain[config];
    auto most = std::max_element(gain.begin(), gain.end());
    if (*most == 0)
      break;
    chosen.push_back(most - gain.begin());
    for (size_t cell = 0; cell != good.size(); ++cell)
      if (std::binary_search(good[cell].begin(), good[cell].end(), chosen.back()))
        covered[cell] = true;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

/// Some cells, and the config that does them all.
struct Run {
  size_t first, last, config;
};

/// Of several configs, the least slow one over the cells of a run.
size_t fastest(const Times &times, const Indices &configs, size_t first, size_t last) {
  auto sumOfLosses = [&](size_t config) {
    double sum = 0;
    for (size_t cell = first; cell <= last; ++cell)
      sum += times.loss(config, cell);
    return sum;
  };
  return *std::min_element(configs.begin(), configs.end(),
                           [&](size_t lhs, size_t rhs) { return sumOfLosses(lhs) < sumOfLosses(rhs); });
}

/// The fewest runs: each goes as far as any one of the chosen configs is good.
std::vector<Run> cut(const Times &times) {
  std::vector<Indices> good;
  for (size_t cell = 0; cell != times.cells(); ++cell)
    good.push_back(times.good(cell));
  Indices chosen = cover(good, times.configs().size());
  std::vector<Run> runs;
  for (size_t first = 0; first != times.cells();) {
    Indices configs = intersection(chosen, good[first]);
    size_t end = first + 1;
    for (; end != times.cells(); ++end) {
      Indices both = intersection(configs, good[end]);
      if (both.empty())
        break;
      configs = both;
    }
    runs.push_back({first, end - 1, fastest(times, configs, first, end - 1)});
    first = end;
  }
  return runs;
}

/// By how much the rule is broken: 1 at its limit.
double steepness(const Cliff &cliff) {
  return cliff.microseconds / (kCliffFactor * cliff.moreMicroseconds + kCliffMicroseconds);
}

std::optional<Cliff> worstCliff(const Times &times, const std::vector<Run> &runs) {
  std::optional<Cliff> worst;
  Cliff cliff{0, 0, 0, std::numeric_limits<double>::infinity()};
  for (auto run = runs.rbegin(); run != runs.rend(); ++run)
    for (size_t end = 2 * run->last + 2; end-- != 2 * run->first;) {
      Cell cell = times.cell(end / 2);
      cliff.m = end % 2 ? cell.last : cell.first;
      cliff.microseconds = times.at(run->config, end);
      if (steepness(cliff) > std::max(1.0, worst ? steepness(*worst) : 0.0))
        worst = cliff;
      if (cliff.microseconds < cliff.moreMicroseconds)
        cliff.moreMicroseconds = cliff.microseconds, cliff.moreM = cliff.m;
    }
  return worst;
}

} // namespace

Plan fp8gemm::config::plan(const Problem &problem, const Gpu &gpu, int64_t maxM) {
  Problem anyM = problem;
  anyM.m.reset();
  Times times(anyM, gpu, std::max<int64_t>(maxM, 1));
  Plan plan;
  if (times.configs().empty())
    return plan;
  std::vector<Run> runs = cut(times);
  for (const Run &run : runs) {
    // One kernel, so one raster order: that of the largest M, where it matters most.
    size_t largest = run.last;
    for (const Run &other : runs)
      if (other.config == run.config)
        largest = std::max(largest, other.last);
    Interval interval;
    interval.first = times.cell(run.first).first;
    if (&run != &runs.back())
      interval.last = times.cell(run.last).last;
    interval.config = complete(anyM, gpu, times.configs()[run.config], times.cell(largest).last);
    interval.firstMicroseconds = times.at(run.config, 2 * run.first);
    interval.lastMicroseconds = times.at(run.config, 2 * run.last + 1);
    for (size_t cell = run.first; cell <= run.last; ++cell)
      interval.loss = std::max(interval.loss, times.loss(run.config, cell));
    plan.intervals.push_back(interval);
  }
  plan.cliff = worstCliff(times, runs);
  return plan;
}
