// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How missing fields of a config follow, which configs there are, and which one is chosen.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>

using namespace fp8gemm::config;

/// The most stages that fit, at least the fewest that work: then check() says
/// by how much they don't fit.
static int64_t mostStages(const Problem &problem, const Gpu &gpu, Config config) {
  config.stages = kMaxStages;
  while (config.stages > kMinStages && smemBytes(problem, config) > gpu.smemBytes)
    --config.stages;
  Config fewer = config;
  --fewer.stages;
  bool areTooMany = consumerRegistersNeeded(problem, config) > config.consumerRegisters &&
                    consumerRegistersNeeded(problem, fewer) <= config.consumerRegisters;
  return areTooMany && fewer.stages >= kMinStages ? fewer.stages : config.stages;
}

int64_t fp8gemm::config::rowsOfGroup(const Problem &problem, int64_t expectedM) {
  // How many of the rows that a masked product has room for are used is not known here.
  if (!problem.m || problem.grouping == Grouping::RowCount)
    return expectedM;
  return problem.hasGroupsOfD() ? *problem.m : *problem.m / problem.groups;
}

int64_t fp8gemm::config::rowsOfRaster(const Problem &problem, int64_t expectedM) {
  if (!problem.isGrouped() || problem.grouping == Grouping::KCount)
    return problem.m.value_or(expectedM);
  // Those of the largest groups, so that all rows of tiles that share a tile of B are walked together.
  return std::llround(kGroupSizes[std::size(kGroupSizes) - 1] * rowsOfGroup(problem, expectedM));
}

/// Rows of tiles that are walked together. The CTAs that run at the same time
/// then cover R rows and CTAs / R columns of tiles: take the R for which they
/// touch the fewest rows of A and B, among powers of two, which divide M evenly
/// more often and cost no division. The last is the first that has room for all rows.
static int64_t rasterGroup(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM) {
  int64_t tilesM = tiles(rowsOfRaster(problem, expectedM), config.tileM);
  int64_t tilesN = tiles(problem.n, config.tileN);
  int64_t ctas = std::min(gpu.sms, product(tilesM, tilesN));
  auto rowsTouched = [&](int64_t group) {
    int64_t rows = std::min(group, tilesM);
    return rows * config.tileM + tiles(ctas, rows) * config.tileN;
  };
  int64_t best = 1;
  for (int64_t group = 2; group <= kMaxRasterGroup && group < 2 * tilesM; group *= 2)
    if (rowsTouched(group) < rowsTouched(best))
      best = group;
  return best;
}

/// Fills what the roles ask for; every other field but the stages and the raster is set.
static Config completeRegisters(const Problem &problem, Config config) {
  int64_t scales = helperScales(problem, config);
  int64_t producer = kProducerRegisters, consumer = kConsumerRegisters;
  if (scales == 0)
    producer = kNoScalesProducerRegisters, consumer = kNoScalesConsumerRegisters;
  else if (scales > kMaxHelperScales)
    producer = kManyScalesProducerRegisters, consumer = kManyScalesConsumerRegisters;
  else if (config.consumers == 1 && consumerRegistersNeeded(problem, config) >= consumer)
    consumer = kLoneConsumerRegisters;
  if (config.producerRegisters == kUnset)
    config.producerRegisters = producer;
  if (config.consumerRegisters == kUnset)
    config.consumerRegisters = consumer;
  return config;
}

int64_t fp8gemm::config::usualValue(const Problem &problem, const Config &config, const Field &field) {
  Config chosen = config;
  chosen.producerRegisters = chosen.consumerRegisters = kUnset;
  bool isOfRoles = chosen.*field.member == kUnset;
  return isOfRoles ? completeRegisters(problem, chosen).*field.member : field.usual;
}

/// Fills what does not need a choice among tiles.
static Config completeTile(const Problem &problem, const Gpu &gpu, Config config, int64_t expectedM) {
  for (const Field &field : kFields)
    if (config.*field.member == kUnset && field.member != &Config::producerRegisters &&
        field.member != &Config::consumerRegisters)
      config.*field.member = field.usual;
  config = completeRegisters(problem, config);
  if (config.stages == kUnset)
    config.stages = mostStages(problem, gpu, config);
  if (config.rasterGroup == kUnset)
    config.rasterGroup = rasterGroup(problem, gpu, config, expectedM);
  return config;
}

std::vector<Candidate> fp8gemm::config::enumerate(const Problem &problem, const Gpu &gpu, int64_t expectedM) {
  std::vector<Candidate> candidates;
  // Multicast pays where it was seen to (docs/performance-log.md).
  const int64_t mostShared = problem.grouping == Grouping::KCount ? 2 : 1;
  auto add = [&](Config tile) {
    if (!checkTile(problem, tile).empty())
      return;
    for (tile.clusterN = 1; tile.clusterN <= mostShared; ++tile.clusterN)
      for (tile.splitK = 1; tile.splitK <= kMaxCluster; ++tile.splitK)
        for (tile.partials = 1; tile.partials <= 2; ++tile.partials) {
          Config config = completeTile(problem, gpu, tile, expectedM);
          if (check(problem, gpu, config).empty())
            candidates.push_back(model(problem, gpu, config, expectedM));
        }
  };
  Config tile;
  for (int64_t rows : {64, 128, 256})
    for (tile.consumers = 1; tile.consumers <= 2; ++tile.consumers) {
      tile.swapAb = 0, tile.tileM = rows;
      for (tile.tileN = 16; tile.tileN <= 256; tile.tileN += 16)
        add(tile);
      // Wide swapped tiles are what the others are too, with more work for the scales.
      tile.swapAb = 1, tile.tileN = rows;
      for (tile.tileM = 8; tile.tileM <= kMaxSwappedRows; tile.tileM += 8)
        add(tile);
    }
  // Stable: of equal times the first enumerated wins, the same one every time.
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate &lhs, const Candidate &rhs) { return lhs.microseconds < rhs.microseconds; });
  return candidates;
}

Config fp8gemm::config::complete(const Problem &problem, const Gpu &gpu, Config config, int64_t expectedM) {
  // What is chosen together. What is given is kept, the others are those of the best legal
  // config that agrees.
  constexpr int64_t Config::*chosen[] = {&Config::tileM,    &Config::tileN,  &Config::consumers, &Config::splitK,
                                         &Config::partials, &Config::swapAb, &Config::clusterN};
  auto agrees = [&](const Config &other) {
    return std::all_of(std::begin(chosen), std::end(chosen), [&](int64_t Config::*field) {
      return config.*field == kUnset || config.*field == other.*field;
    });
  };
  bool allGiven = std::all_of(std::begin(chosen), std::end(chosen),
                              [&](int64_t Config::*field) { return config.*field != kUnset; });
  if (!allGiven)
    for (const Candidate &candidate : enumerate(problem, gpu, expectedM))
      if (agrees(candidate.config)) {
        for (int64_t Config::*field : chosen)
          config.*field = candidate.config.*field;
        break;
      }
  // No legal config agrees: something to name in check()'s error.
  if (config.tileM == kUnset)
    config.tileM = config.consumers == 1 ? 64 : 128;
  if (config.tileN == kUnset)
    config.tileN = 128;
  if (config.consumers == kUnset)
    config.consumers = config.tileM <= 64 ? 1 : 2;
  return completeTile(problem, gpu, config, expectedM);
}

Choice fp8gemm::config::choose(const Problem &problem, const Gpu &gpu, int64_t expectedM, const Config &given) {
  Choice choice;
  choice.candidates = enumerate(problem, gpu, expectedM);
  if (given != Config()) {
    Config completed = complete(problem, gpu, given, expectedM);
    choice.error = check(problem, gpu, completed);
    if (choice.error.empty())
      choice.chosen = model(problem, gpu, completed, expectedM);
  } else if (choice.candidates.empty()) {
    choice.error = "expected at least one legal config on " + gpu.name + ", got none";
  } else {
    choice.chosen = choice.candidates.front();
  }
  return choice;
}
