// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a config occupies: registers, shared memory, and what its tiles consist of.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

#include <algorithm>
#include <numeric>

using namespace fp8gemm::config;

static int64_t registersNeeded(const Problem &problem, const Config &config, int64_t columns);

int64_t fp8gemm::config::resultColumns(const Problem &problem, const Config &config) {
  return config.swapAb == 1 ? config.tileM : config.tileN / problem.parts();
}

int64_t fp8gemm::config::accumulatorColumns(const Problem &problem, const Config &config) {
  if (config.swapAb == 1)
    return config.tileM;
  bool isHeld =
      config.consumerRegisters == kUnset || registersNeeded(problem, config, config.tileN) <= config.consumerRegisters;
  return problem.gated && !isHeld ? config.tileN / 2 : config.tileN;
}

int64_t fp8gemm::config::accumulators(const Problem &problem, const Config &config) {
  int64_t columns = config.tileM * config.tileN / (kRowsPerBlock * config.consumers);
  return columns / std::max<int64_t>(accumulatorColumns(problem, config), 1);
}

int64_t fp8gemm::config::scaleColumnsPerBlock(const Problem &problem, const Config &config) {
  int64_t shared = std::gcd(config.tileN / problem.parts(), problem.sfbRows);
  return config.swapAb ? std::min(shared, kRowsPerBlock) : shared;
}

/// What TMA's destinations are multiples of, in scales: 128 bytes.
constexpr int64_t kScalesPerLine = 32;

static int64_t roundUp(int64_t bytes, int64_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

int64_t fp8gemm::config::boxesOfScales(const Problem &problem, int64_t tileM) {
  return problem.shiftsScales() && tileM + kScalesAligned > kMaxBox ? 2 : 1;
}

int64_t fp8gemm::config::scalesOfA(const Problem &problem, int64_t tileM) {
  int64_t scales = tileM + (problem.shiftsScales() ? kScalesAligned : 0), boxes = boxesOfScales(problem, tileM);
  return boxes == 1 ? scales : boxes * roundUp(scales / boxes, kScalesPerLine);
}

bool fp8gemm::config::promotesLate(const Problem &problem, const Config &config) {
  // Fewer K blocks don't pay for the promotion of zeros before the first one.
  constexpr int64_t kFewestBlocks = 16;
  int64_t blocks = tiles(problem.k, kBlockK);
  bool countKnown = problem.grouping != Grouping::KCount && blocks % config.splitK == 0;
  return config.partials == 1 && !config.swapAb && countKnown && blocks / config.splitK >= kFewestBlocks &&
         problem.sfbRows > 1;
}

int64_t fp8gemm::config::panelColumns(const Problem &problem, int64_t tileN) {
  for (int64_t rowBytes : {128, 64})
    if (tileN * problem.dBytes % rowBytes == 0)
      return rowBytes / problem.dBytes;
  return 32 / problem.dBytes;
}

constexpr int64_t kMbarrierBytes = 16; ///< full and empty, of a stage
constexpr int64_t kGroupBytes = 16;    ///< of a row of the table of groups

/// What a buffer of the ring is aligned to in every stage: 1024 bytes is what TMA's and
/// wgmma's 128-byte swizzle repeats after, 128 bytes what any TMA destination needs.
static int64_t alignmentOf(int64_t bytes) { return bytes >= 1024 ? 1024 : 128; }

/// All stages of A, B and their scales, those that TMA fills first, and their mbarriers.
static int64_t ringBytes(const Problem &problem, const Config &config) {
  int64_t sfa = scalesOfA(problem, config.tileM) * 4, sfb = config.tileN / scaleColumnsPerBlock(problem, config) * 4;
  bool sfbFirst = problem.sfbByTma() && !problem.sfaByTma();
  int64_t offset = 0;
  for (int64_t bytes : {config.tileM * kBlockK, config.tileN * kBlockK, sfbFirst ? sfb : sfa, sfbFirst ? sfa : sfb}) {
    int64_t alignment = alignmentOf(bytes);
    offset = roundUp(offset, alignment) + config.stages * roundUp(bytes, alignment);
  }
  return offset + config.stages * kMbarrierBytes;
}

int64_t fp8gemm::config::storingRanks(const Problem &problem, const Config &config) {
  int64_t unit = config.swapAb ? 8 : problem.isQuantised() ? 32 : 16; // columns, of 32 bytes where a row of D has them
  for (int64_t ranks = config.splitK; ranks > 1; --ranks)
    if (config.splitK % ranks == 0 && resultColumns(problem, config) % (unit * ranks) == 0)
      return ranks;
  return 1;
}

/// D's staging, the one stage of C's ring, and the accumulators that a split K leaves for the cluster.
static int64_t tileBytes(const Problem &problem, const Config &config) {
  int64_t sums = config.tileM * config.tileN, elements = sums / problem.parts(); // of products, and of D
  int64_t bytes = roundUp(elements / storingRanks(problem, config) * problem.dBytes, 1024);
  if (problem.loadsC())
    bytes += roundUp(roundUp(elements * problem.dBytes, 1024) + kMbarrierBytes, 1024);
  if (problem.isTabulated())
    bytes += roundUp((problem.groups + 1) * kGroupBytes, 1024);
  if (config.splitK == 1)
    return bytes;
  if (problem.isQuantised()) // the largest magnitudes of rows, in fragments of what a rank stores
    bytes += roundUp(elements / config.splitK * 4, 1024);
  return bytes + roundUp(sums * 4, 1024);
}

int64_t fp8gemm::config::smemBytes(const Problem &problem, const Config &config) {
  return tileBytes(problem, config) + ringBytes(problem, config);
}

/// Registers that a consumer thread needs if its accumulators have so many columns.
static int64_t registersNeeded(const Problem &problem, const Config &config, int64_t columns) {
  int64_t blocks = config.tileM * config.tileN / (kRowsPerBlock * config.consumers * columns);
  int64_t perBlock = columns * kRowsPerBlock / kThreadsPerWarpgroup;
  // Of scales that each column has, a thread holds those of its own columns.
  int64_t scales = problem.sfbRows == 1 || config.swapAb ? columns / 4 : 0;
  // What ptxas was seen to need besides: addresses of two blocks' operands when two products are in
  // flight, of scales that the helper warp fetches, and of the other ranks' shared memory.
  int64_t others = kOtherRegisters;
  if (config.partials > 1 && blocks > 1)
    others += config.stages == kStagesOfIteration ? 48 : 16;
  if (config.splitK > 1)
    others += blocks > 1 && !(problem.gated && tiles(problem.k, kBlockK) % config.splitK == 0) ? 24 : 8;
  if (problem.sfbRows == 1 && !problem.sfaByTma())
    others += 16;
  if (problem.sfbRows == 1)
    others += 8;
  // Two blocks whose columns have scales of their own: ptxas spills with so many registers to spare, of products in flight
  // most where the K blocks are no multiple of an iteration's, of others only where D is f32.
  if (problem.sfbRows == 1 && blocks > 1)
    others += config.partials > 1 ? 72 : problem.dBytes == 4 ? 32 : 0;
  // The stage of C's ring, over the scales of columns, beside the rest of the tile's group.
  if (problem.sfbRows == 1 && problem.loadsC() && problem.storesParts())
    others += 8;
  // What is known of a tile's group, over a loop of as many K blocks as that has.
  if (problem.grouping == Grouping::KCount)
    others += 8;
  // The sums of all blocks, and the partial results, with their scales, that they take turns to use; or what the
  // epilogue reads for one block, and computes of an element.
  int64_t ofColumns = columns / 4, ofRows = 2;
  int64_t epilogue = problem.epilogueMatrices * perBlock + problem.epilogueRows * (config.swapAb ? ofRows : ofColumns) +
                     problem.epilogueColumns * (config.swapAb ? ofColumns : ofRows) +
                     (problem.isMapped || problem.isQuantised() ? kEpilogueRegisters : 0);
  return blocks * perBlock + std::max(config.partials * (perBlock + scales), epilogue) + others;
}

int64_t fp8gemm::config::consumerRegistersNeeded(const Problem &problem, const Config &config) {
  return registersNeeded(problem, config, accumulatorColumns(problem, config));
}

int64_t fp8gemm::config::helperScales(const Problem &problem, const Config &config) {
  int64_t columns = config.tileN / scaleColumnsPerBlock(problem, config);
  return (problem.sfaByTma() ? 0 : config.tileM) + (problem.sfbByTma() ? 0 : columns);
}
