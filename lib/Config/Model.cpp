// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The modelled time of a config: docs/Config.md tells it in prose.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>

using namespace fp8gemm::config;

namespace {

/// Depth of one FP8 wgmma (PTX ISA, "wgmma.mma_async": m64nNk32).
constexpr double kWgmmaK = 32;
/// Bytes that an SM's shared memory moves a cycle, and those that TMA writes: both from
/// counters of the hardware (docs/performance-log.md).
constexpr double kSmemBytesPerCycle = 128, kTmaBytesPerCycle = 640;
/// Bytes that one SM takes from L2 a cycle, at most.
constexpr double kL2BytesPerCyclePerSm = 64;
/// From issuing a TMA load to its data being there, when HBM is busy.
constexpr double kLoadLatencySeconds = 0.8e-6;
/// What a consumer does for each 64-row block of a K block beside wgmma and
/// FFMA: two barriers, the scales, the wgmma pipeline's length.
constexpr double kStepCycles = 110;
/// What each scale of B that a tile needs costs a K block: its load and its products
/// with A's scales. Fitted to tiles of 1 to 11 scales (docs/performance-log.md).
constexpr double kColumnScaleCycles = 6;
/// What the tensor cores idle for each product of a consumer, though the other consumer's
/// products fill most gaps: with one and with two partials in flight. Fitted.
constexpr double kIdleCycles = 85, kIdleCyclesOverlapped = 70;
/// What each row of a box that lies outside its matrix costs a K block, for each CTA.
/// Fitted; why it costs so much is not known (docs/performance-log.md).
constexpr double kOutOfBoundsRowCycles = 0.034;
/// Fences, named barriers and coordinates of one epilogue.
constexpr double kEpilogueCycles = 300;
/// Launch, barrier initialisation, first loads, last store.
constexpr double kFixedSeconds = 3e-6;
/// Split K: two cluster barriers and the latency of distributed shared memory; then bytes
/// that an SM reads from the cluster's shared memory a cycle. Fitted.
constexpr double kExchangeCycles = 1200, kExchangeBytesPerCycle = 32;
/// Start of a CTA that another one makes room for.
constexpr double kRestartSeconds = 1.5e-6;
/// Part of the shorter of (math, HBM traffic) that the longer does not hide.
constexpr double kExposed = 0.2;

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
  double tileRows, tileColumns;                ///< of a tile, those inside the matrices
};

Extents extents(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM) {
  int64_t m = std::max<int64_t>(problem.m.value_or(expectedM), 1);
  int64_t count = tiles(m, config.tileM) * tiles(problem.n, config.tileN);
  // What a cluster does at once: a tile, or one for each CTA.
  int64_t perCluster = config.cluster() / config.splitK;
  int64_t clusters = std::min(residentClusters(gpu, config.cluster()), tiles(count, perCluster));
  Extents e;
  e.m = m, e.n = problem.n, e.k = problem.k, e.kBlocks = tiles(tiles(problem.k, kBlockK), config.splitK);
  e.tiles = count, e.ctas = clusters * config.cluster(), e.waves = tiles(count, clusters * perCluster);
  e.tileRows = std::min(m, config.tileM), e.tileColumns = std::min(problem.n, config.tileN);
  return e;
}

double l2BytesPerCycle(const Gpu &gpu, const Extents &e) {
  return std::min(kL2BytesPerCyclePerSm, gpu.l2BytesPerSecond / gpu.clockHz / e.ctas);
}

/// Cycles that one CTA spends on a K block of its tile, and on what.
Bound blockCycles(const Problem &problem, const Gpu &gpu, const Config &config, const Extents &e) {
  double tileM = config.tileM, tileN = config.tileN, columns = config.columns();
  double macsPerCycle = gpu.tensorFlopsPerCycle / 2.0;
  double blocks = double(config.rows()) / kRowsPerBlock;
  double wgmmas = kBlockK / kWgmmaK;

  double wgmmaTensor = kRowsPerBlock * columns * kWgmmaK / macsPerCycle;
  // A wgmma reads its own copy of both tiles from shared memory.
  double wgmmaBytes = (kRowsPerBlock + columns) * kWgmmaK;
  double wgmmaCycles = std::max(wgmmaTensor, wgmmaBytes / kSmemBytesPerCycle);
  double tmaBytes = (tileM + tileN) * kBlockK;

  // With one partial a consumer's product waits for the promotion of the one before, and
  // only the other consumer's overlaps it.
  double promotion = columns * kRowsPerBlock / kThreadsPerWarpgroup;
  bool scalePerColumn = problem.sfbRows == 1 || config.swapAb;
  int64_t columnScales = scalePerColumn ? 0 : config.tileN / scaleColumnsPerBlock(problem, config);
  double columnScaleBytes = 0;
  if (scalePerColumn) {
    // Each element has a product of scales of its own, and each warp loads its columns' scales,
    // two for each 8 columns and thread.
    promotion *= 2;
    columnScaleBytes = config.consumers * kWarpsPerWarpgroup * columns / 8 * kSmemBytesPerCycle;
  }
  double products = blocks / config.consumers;
  bool overlapped = config.partials > 1;
  double chain = products * (wgmmas * wgmmaCycles + (overlapped ? 0 : promotion + kStepCycles));
  // The longer promotion of recipe 1d1d is not hidden as well.
  double idle = products * ((overlapped ? kIdleCyclesOverlapped : kIdleCycles) + scalePerColumn * promotion / 2);
  double smemBytes = blocks * wgmmas * wgmmaBytes + columnScaleBytes;

  Bound bound = largest({
      {blocks * wgmmas * wgmmaTensor + idle, "tensor cores"},
      {tmaBytes / kTmaBytesPerCycle + smemBytes / kSmemBytesPerCycle, "shared memory"},
      {chain, "wgmma then promotion"},
      {(e.tileRows + e.tileColumns) * kBlockK / l2BytesPerCycle(gpu, e), "L2"},
      {kLoadLatencySeconds * gpu.clockHz / std::max<double>(1, config.stages - (overlapped ? 1 : 0)), "load latency"},
  });
  bound.time += kColumnScaleCycles * columnScales;
  bound.time += kOutOfBoundsRowCycles * (tileM - e.tileRows + tileN - e.tileColumns) * e.ctas;
  return bound;
}

/// Cycles of a tile's epilogue that its consumers spend: D through shared memory,
/// then waiting for what is left of the previous tile's store.
double epilogueCycles(const Problem &problem, const Gpu &gpu, const Config &config, const Extents &e,
                      double loopCycles) {
  double copies = problem.dBytes * (problem.loadsC() ? 2 : 1); // D, and C
  double staged = config.tileM * config.tileN * copies / kSmemBytesPerCycle;
  double store = e.tileRows * e.tileColumns * copies / l2BytesPerCycle(gpu, e);
  return kEpilogueCycles + staged + std::max(0.0, store - loopCycles);
}

/// Cycles that split K spends on adding up the parts of a tile.
double exchangeCycles(const Config &config) {
  if (config.splitK == 1)
    return 0;
  double bytes = 4.0 * config.tileM * config.tileN;
  double read = bytes * config.splitK / storingRanks(config);
  return kExchangeCycles + bytes / kSmemBytesPerCycle + read / kExchangeBytesPerCycle;
}

/// Every operand once.
double hbmBytes(const Problem &problem, const Extents &e) {
  double kBlocks = tiles(e.k, kBlockK);
  double scales = 4 * (e.m * kBlocks + tiles(e.n, problem.sfbRows) * kBlocks);
  double results = problem.dBytes * (problem.c == CUse::None ? 1 : 2);
  return e.m * e.k + e.n * e.k + results * e.m * e.n + scales;
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
  double epilogue = epilogueCycles(problem, gpu, config, e, loop) + exchangeCycles(config);
  double math = e.waves * (loop + epilogue) / gpu.clockHz;
  if (config.splitK > 1)
    math += (e.waves - 1) * kRestartSeconds;
  double hbm = hbmBytes(problem, e) / gpu.hbmBytesPerSecond;
  double seconds = kFixedSeconds + std::max(math, hbm) + kExposed * std::min(math, hbm);

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
  std::snprintf(reason, sizeof(reason), "%.0f tile%s in %.0f wave%s (%.0f %% full), bound by %s", e.tiles,
                e.tiles == 1 ? "" : "s", e.waves, e.waves == 1 ? "" : "s",
                100 * e.tiles * config.splitK / (e.waves * gpu.sms), bound.name);
  return {config, seconds * 1e6, reason};
}
