// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The modelled time of a config: docs/Config.md tells it in prose.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>

using namespace fp8gemm::config;

namespace {

/// Depth of one FP8 wgmma (PTX ISA, "wgmma.mma_async": m64nNk32).
constexpr double kWgmmaK = 32;
/// Bytes that an SM's shared memory moves a cycle, and those that TMA writes: both from
/// counters of the hardware (docs/performance-log.md).
constexpr double kSmemBytesPerCycle = 128, kTmaBytesPerCycle = 640;

// What follows is fitted, all together, to measured times of many schedules
// (docs/Config.md, "Calibrating it"); a comment says what the number stands for.

/// What TMA takes for each box, however small, and the bytes that one SM takes from L2 a cycle, at most.
constexpr double kBoxCycles = 25.9;
constexpr double kL2BytesPerCyclePerSm = 167;
/// From issuing a TMA load to its data being there, when HBM is busy; and the part of a
/// product's time for which it keeps its stage from the next load.
constexpr double kLoadLatencySeconds = 0.751e-6, kHeld = 0.241;
/// What a consumer with one partial does for each 64-row block of a K block beside wgmma
/// and promotion: two barriers, the scales, the wgmma pipeline's length.
constexpr double kStepCycles = 193;
/// Cycles that a warpgroup's promotion takes for each column: with one scale for all of them
/// (an FFMA a register), and with one of each (its loads, a product more).
constexpr double kPromotionCycles = 0.364, kColumnPromotionCycles = 2.04;
/// Part of a promotion with column scales that the other consumer does not hide.
constexpr double kColumnExposed = 0.912;
/// What each scale of B that a tile needs costs a K block: its load and its products
/// with A's scales.
constexpr double kColumnScaleCycles = 2.46;
/// What the tensor cores idle for each product of a consumer that has two partials in flight.
constexpr double kIdleCycles = 30.7, kColumnIdleCycles = 69;
/// What each row of a box that lies outside its matrix costs a K block, as a bound: for each CTA on the
/// GPU, and, of the last tile's rows of A and of B, for the CTA itself. Why it costs so much is not known.
constexpr double kOutsideCycles = 0.2, kOutsideRowCycles = 0.219, kOutsideColumnCycles = 4.01;
/// Fences, named barriers and coordinates of one epilogue, and what fills the pipeline
/// of products again: with one partial and with two.
constexpr double kEpilogueCycles = 266, kEpilogueCyclesOverlapped = 436;
/// Bytes of a swapped tile that stmatrix transposes into shared memory a cycle.
constexpr double kTransposedBytesPerCycle = 50.9;
/// What TMA takes to store a row of a panel, and the part of it that shows.
constexpr double kStoredRowCycles = 3.24, kStoreExposed = 0.23;
/// Rows that TMA stores in the time of one that it adds to memory.
constexpr double kAddedRows = 2;
/// Launch, barrier initialisation, last store.
constexpr double kFixedSeconds = 2.54e-6;
/// K blocks' worth of time until the first product is done.
constexpr double kFillBlocks = 2.29;
/// Split K: a cluster barrier and the latency of distributed shared memory; then bytes
/// that an SM reads from the cluster's shared memory a cycle.
constexpr double kExchangeCycles = 900, kExchangeBytesPerCycle = 21;
/// Start of a cluster that another one makes room for, and of clusters on all SMs.
constexpr double kRestartSeconds = 1.17e-6, kClusterSeconds = 1e-6;
/// By how much the power of shared memory that is always busy slows a long kernel down, and from what
/// duration on half of that shows (the clock falls only after a while).
constexpr double kPowerDrop = 0.496, kPowerSeconds = 0.141e-3;

/// What a K block takes where two CTAs load for each other, in kernels of recipe 1d1d.
constexpr double kMulticastFactor = 0.965;
/// What a K block takes whose last product is promoted in the next: with one product a consumer, with two, and with two
/// where a scale serves fewer columns than kLateScaleColumns. One product of kLateColumns or fewer gains nothing, nor does
/// one with such scales.
constexpr double kLateFactor = 0.934, kLateFactorOfTwo = 0.906, kLateFactorOfNarrow = 0.97;
constexpr double kLateColumns = 128, kLateScaleColumns = 64;
/// How the time of bytes from HBM grows with the part of the SMs that ask for them (idleFactor).
constexpr double kIdlePower = 0.578;

/// A bound on the time, and its name for people.
struct Bound {
  double time;
  const char *name;
};

Bound largest(std::initializer_list<Bound> bounds) {
  return *std::max_element(bounds.begin(), bounds.end(), [](Bound lhs, Bound rhs) { return lhs.time < rhs.time; });
}

struct Extents {
  double m, n, k, kBlocks, tiles, ctas, waves; ///< kBlocks: of one CTA's tile
  double tileRows, tileColumns;                ///< of a tile, those inside the matrices on average
  double used;                                 ///< the part of the tiles that have rows
};

/// Rows of tiles of all groups, and by how much, as a part of them, they may be more or fewer.
struct BlockRows {
  int64_t expected;
  double spread = 0;
  double used = 1; ///< the part of them that have rows
};

/// The sizes of groups that differ are taken to be spread evenly around the expected one, each for itself. Where each
/// row has an index, the tiles without rows between two groups are passed over, but one CTA may get most of them and
/// another none: they count like the others.
BlockRows blockRowsOf(const Problem &problem, int64_t rows, int64_t tileM) {
  if (!problem.storesParts())
    return {problem.groups * tiles(rows, tileM)};
  int64_t padded = problem.grouping == Grouping::RowIndex ? problem.groupAlign : 1;
  double sum = 0, squares = 0, used = 0;
  for (double factor : kGroupSizes) {
    int64_t size = std::lround(factor * rows);
    double count = tiles(tiles(size, padded) * padded, tileM);
    sum += count, squares += count * count, used += tiles(size, tileM);
  }
  double mean = sum / std::size(kGroupSizes), variance = squares / std::size(kGroupSizes) - mean * mean;
  // An even spread reaches the square root of 3 standard deviations in each direction.
  return {std::lround(problem.groups * mean), std::sqrt(3 * std::max(0.0, variance) / problem.groups) / mean, used / sum};
}

/// How many tiles of `count` each of `slots` works on, at most: whole waves, of which one more or fewer is needed where
/// the number of tiles is not known exactly.
double wavesOf(int64_t count, double spread, int64_t slots) {
  if (spread == 0)
    return tiles(count, slots);
  constexpr int kSamples = 7; // odd: one is `count`
  double sum = 0;
  for (int i = 0; i < kSamples; ++i)
    sum += tiles(std::lround(count * (1 + spread * (2.0 * i / (kSamples - 1) - 1))), slots);
  return sum / kSamples;
}

Extents extents(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM) {
  int64_t m = problem.isGrouped() ? rowsOfGroup(problem, expectedM) : problem.m.value_or(expectedM);
  m = std::max<int64_t>(m, 1);
  auto [blockRows, spread, used] = blockRowsOf(problem, m, config.tileM);
  int64_t count = product(blockRows, tiles(problem.n, config.tileN));
  // What a cluster does at once: a tile, or one for each CTA.
  int64_t perCluster = config.cluster() / config.splitK;
  int64_t clusters = std::min(residentClusters(gpu, config.cluster()), tiles(count, perCluster));
  // Of a K that is grouped each tile has its group's part.
  int64_t k = problem.grouping == Grouping::KCount ? tiles(problem.k, problem.groups) : problem.k;
  Extents e;
  e.m = m * problem.groups, e.n = problem.n, e.k = k, e.kBlocks = tiles(tiles(k, kBlockK), config.splitK);
  e.tiles = count, e.ctas = clusters * config.cluster(), e.waves = wavesOf(count, spread, clusters * perCluster);
  e.used = used;
  // Rows that are loaded beyond a group's end usually lie inside the matrix.
  e.tileRows = problem.storesParts()      ? config.tileM
               : problem.endsTilesWithA() ? std::min(m, config.tileM)
                                          : e.m / blockRows;
  e.tileColumns = e.n / tiles(problem.n, config.tileN);
  return e;
}

double l2BytesPerCycle(const Gpu &gpu, const Extents &e) {
  return std::min(kL2BytesPerCyclePerSm, gpu.l2BytesPerSecond / gpu.clockHz / e.ctas);
}

/// What takes the longest of several things that go on at the same time, and delay each other where
/// they take about as long: the fourth root of the sum of fourth powers.
Bound together(std::initializer_list<Bound> bounds) {
  Bound bound = largest(bounds);
  double sum = 0;
  for (const Bound &each : bounds) {
    double ratio = each.time / bound.time;
    sum += ratio * ratio * ratio * ratio;
  }
  bound.time *= std::sqrt(std::sqrt(sum));
  return bound;
}

/// Bytes of shared memory that the wgmmas of a K block read: each its own copy of both tiles.
double wgmmaBytes(const Problem &problem, const Config &config) {
  double products = accumulators(problem, config) * config.consumers;
  return products * (kRowsPerBlock + accumulatorColumns(problem, config)) * kBlockK;
}

/// Cycles that one CTA spends on a K block of its tile, and on what.
Bound blockCycles(const Problem &problem, const Gpu &gpu, const Config &config, const Extents &e) {
  double tileM = config.tileM, tileN = config.tileN, columns = accumulatorColumns(problem, config);
  double products = accumulators(problem, config); // of one consumer
  double tensor = tileM * tileN * kBlockK / (gpu.tensorFlopsPerCycle / 2.0);
  double read = wgmmaBytes(problem, config) / kSmemBytesPerCycle;
  double written = (tileM + tileN) * kBlockK / kTmaBytesPerCycle;
  double wgmma = std::max(tensor, read) / config.consumers; // of one consumer's products

  bool overlapped = config.partials > 1, scalePerColumn = problem.sfbRows == 1 || config.swapAb;
  double promotion = products * columns * (scalePerColumn ? kColumnPromotionCycles : kPromotionCycles);
  // With one partial a consumer's product waits for the promotion of the one before, and
  // only the other consumer's overlaps it.
  double chain = overlapped ? std::max(wgmma, promotion) : wgmma + promotion + products * kStepCycles;
  double idle = (overlapped ? products * (scalePerColumn ? kColumnIdleCycles : kIdleCycles) : 0) +
                (scalePerColumn ? promotion * kColumnExposed : 0);
  // Each warp loads its columns' scales, two for each 8 columns and thread.
  double scaleLoads = scalePerColumn ? config.consumers * kWarpsPerWarpgroup * columns / 8 : 0;

  double l2Bytes = (e.tileRows + e.tileColumns) * kBlockK;
  double boxes = 1 + problem.parts() + (problem.sfaByTma() ? boxesOfScales(problem, config.tileM) : 0) + (problem.sfbByTma() ? 1 : 0);
  double latency = kLoadLatencySeconds * gpu.clockHz + kHeld * config.partials * wgmma;
  double outsideRows = tileM - e.tileRows, outsideColumns = tileN - e.tileColumns; // of the average tile
  double outside = kOutsideCycles * outsideRows * e.ctas +
                   kOutsideRowCycles * outsideRows * tiles(int64_t(e.m), config.tileM) +
                   kOutsideColumnCycles * outsideColumns * tiles(int64_t(e.n), config.tileN);

  Bound bound = together({
      {tensor + idle, "tensor cores"},
      {written + read + scaleLoads, "shared memory"},
      {chain, "wgmma then promotion"},
      {boxes * kBoxCycles + l2Bytes / l2BytesPerCycle(gpu, e), "L2"},
      {latency / config.stages, "load latency"},
      {outside, "rows outside the matrices"},
  });
  if (config.clusterM * config.clusterN > 1)
    bound.time *= kMulticastFactor;
  if (promotesLate(problem, config)) {
    bool isNarrow = scaleColumnsPerBlock(problem, config) < kLateScaleColumns;
    if (products > 1)
      bound.time *= isNarrow ? kLateFactorOfNarrow : kLateFactorOfTwo;
    else if (columns > kLateColumns && !isNarrow)
      bound.time *= kLateFactor;
  }
  if (!scalePerColumn)
    bound.time += kColumnScaleCycles * (config.tileN / scaleColumnsPerBlock(problem, config));
  return bound;
}

/// Cycles of a tile's epilogue that its consumers spend: D through shared memory,
/// then waiting for what is left of the previous tile's store.
double epilogueCycles(const Problem &problem, const Config &config, const Extents &e, double loopCycles) {
  double copies = problem.loadsC() ? 2 : 1; // D, and C
  double bytes = config.tileM * config.tileN / problem.parts() * problem.dBytes * copies;
  double staged = bytes / (config.swapAb ? kTransposedBytesPerCycle : kSmemBytesPerCycle);
  int64_t parts = problem.parts();
  double rows = e.tileRows * e.tileColumns / parts / panelColumns(problem, config.tileN / parts) * copies;
  double store = kStoredRowCycles * rows * (problem.addsInMemory() ? kAddedRows : 1);
  return (config.partials > 1 ? kEpilogueCyclesOverlapped : kEpilogueCycles) + staged + kStoreExposed * store +
         std::max(0.0, store - loopCycles);
}

/// Cycles that split K spends on adding up the parts of a tile.
double exchangeCycles(const Problem &problem, const Config &config) {
  if (config.splitK == 1)
    return 0;
  double bytes = 4.0 * config.tileM * config.tileN;
  double read = bytes * config.splitK / storingRanks(problem, config);
  double barriers = problem.isQuantised() ? 2 : 1; // the ranks' largest magnitudes come after the sums
  return barriers * kExchangeCycles + bytes / kSmemBytesPerCycle + read / kExchangeBytesPerCycle;
}

/// Every operand once.
double hbmBytes(const Problem &problem, const Extents &e) {
  double kBlocks = tiles(e.k, kBlockK);
  double weights = double(problem.groups) / problem.sharing(); // matrices of B
  double scales = 4 * (e.m * kBlocks + weights * tiles(e.n, problem.sfbRows) * kBlocks);
  double results = problem.dBytes * (problem.c == CUse::None ? 1 : 2);
  return e.m * e.k + weights * e.n * e.k + results * e.m * e.n / problem.parts() + scales;
}

/// By how much longer HBM takes where the last wave, or tiles without rows, leave SMs idle: the others don't make up for
/// it wholly. Of products that are not grouped the fitted numbers hold it already.
double idleFactor(const Problem &problem, const Gpu &gpu, const Extents &e) {
  double waves = e.tiles / gpu.sms, whole = std::floor(waves), last = waves - whole;
  if (!problem.isGrouped())
    return 1;
  return (whole + (last > 0 ? std::pow(last, kIdlePower) : 0)) / waves / std::pow(e.used, kIdlePower);
}

/// A modelled time, and what it consists of.
struct Estimate {
  Extents extents;
  double seconds;
  Bound bound; ///< its largest part
};

Estimate estimate(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM) {
  Extents e = extents(problem, gpu, config, expectedM);
  Bound block = blockCycles(problem, gpu, config, e);
  double loop = e.kBlocks * block.time;
  double exchange = exchangeCycles(problem, config), epilogue = epilogueCycles(problem, config, e, loop) + exchange;
  double math = (e.waves * (loop + epilogue) - exchange + kFillBlocks * block.time) / gpu.clockHz;
  // Nothing is loaded while the first clusters start, and while the last ones add up their parts.
  double idle = exchange / gpu.clockHz;
  if (config.splitK > 1) {
    math += (e.waves - 1) * kRestartSeconds;
    idle += e.ctas / gpu.sms * kClusterSeconds;
  }
  double hbm = hbmBytes(problem, e) / gpu.hbmBytesPerSecond * idleFactor(problem, gpu, e);
  double seconds = together({{math, ""}, {hbm, ""}}).time;
  // The clock falls with the power.
  double power = wgmmaBytes(problem, config) / kSmemBytesPerCycle / block.time;
  seconds = kFixedSeconds + idle + seconds * (1 + kPowerDrop * power * seconds / (seconds + kPowerSeconds));

  double waveSeconds = e.waves / gpu.clockHz;
  Bound bound = largest({{waveSeconds * loop, block.name},
                         {waveSeconds * epilogue, "epilogue"},
                         {hbm, "HBM"},
                         {kFixedSeconds, "launch"}});
  return {e, seconds, bound};
}

} // namespace

double fp8gemm::config::modelledMicroseconds(const Problem &problem, const Gpu &gpu, const Config &config,
                                             int64_t expectedM) {
  return estimate(problem, gpu, config, expectedM).seconds * 1e6;
}

Candidate fp8gemm::config::model(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM) {
  auto [e, seconds, bound] = estimate(problem, gpu, config, expectedM);
  char reason[128];
  std::snprintf(reason, sizeof(reason), "%.0f tile%s in %.3g wave%s (%.0f %% full), bound by %s", e.tiles,
                e.tiles == 1 ? "" : "s", e.waves, e.waves == 1 ? "" : "s",
                100 * e.tiles * config.splitK / (e.waves * gpu.sms), bound.name);
  return {config, seconds * 1e6, reason};
}
