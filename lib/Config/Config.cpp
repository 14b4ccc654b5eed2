// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which configs are legal, what they occupy, and how missing fields follow.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

using namespace fp8gemm::config;

static int64_t registersNeeded(const Problem &problem, const Config &config, int64_t columns);

int64_t fp8gemm::config::resultColumns(const Problem &problem, const Config &config) {
  return config.swapAb == 1 ? config.tileM : config.tileN / problem.parts();
}

int64_t fp8gemm::config::accumulatorColumns(const Problem &problem, const Config &config) {
  if (config.swapAb == 1)
    return config.tileM;
  bool isHeld = config.consumerRegisters == kUnset ||
                registersNeeded(problem, config, config.tileN) <= config.consumerRegisters;
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

/// Rows of B that share a scale in recipe 1d2d.
constexpr int64_t kRowsOfScale = 128;

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

static std::string expected(const std::string &rule, int64_t got, const std::string &unit = "") {
  return "expected " + rule + ", got " + std::to_string(got) + unit;
}

static std::string checkTile(const Problem &problem, const Config &config) {
  if (config.swapAb != 0 && config.swapAb != 1)
    return expected("swap_ab to be 0 or 1", config.swapAb);
  const std::string rows = config.swapAb ? "tile_n" : "tile_m", columns = config.swapAb ? "tile_m" : "tile_n";
  const int64_t unit = config.swapAb ? 8 : 16;
  if (config.consumers != 1 && config.consumers != 2)
    return expected("1 or 2 consumers", config.consumers);
  if (config.rows() != 64 && config.rows() != 128 && config.rows() != 256)
    return expected(rows + " to be 64, 128 or 256", config.rows());
  if (config.rows() == 64 && config.consumers != 1)
    return expected("1 consumer for " + rows + " = 64", config.consumers);
  if (config.rows() == 256 && config.consumers != 2)
    return expected("2 consumers for " + rows + " = 256", config.consumers);
  if (config.columns() < unit || config.columns() > 256 || config.columns() % unit != 0)
    return expected(columns + " to be a multiple of " + std::to_string(unit) + " in [" + std::to_string(unit) +
                        ", 256]",
                    config.columns());
  if (problem.gated && !config.swapAb && config.tileN % (2 * unit) != 0)
    return expected("tile_n to be a multiple of " + std::to_string(2 * unit) + " in a gated product", config.tileN);
  if (problem.gated && config.swapAb && config.rows() % (2 * kRowsPerBlock * config.consumers) != 0)
    return expected("tile_n to be a multiple of " + std::to_string(2 * kRowsPerBlock * config.consumers) +
                        " in a gated product with swap_ab",
                    config.rows());
  if (problem.isQuantised() && (config.swapAb || resultColumns(problem, config) != kQuantisedColumns))
    return "expected swap_ab = 0 and tiles of D of 128 columns for a D of e4m3, whose scales are of 128 columns each, "
           "got swap_ab = " +
           std::to_string(config.swapAb) + " and " + std::to_string(resultColumns(problem, config)) + " columns";
  if (config.swapAb && (problem.dBytes != 2 || problem.c != CUse::None))
    return expected("swap_ab = 0 for a product that is not bf16 or adds C", config.swapAb);
  return {};
}

static std::string checkCluster(const Problem &problem, const Config &config) {
  for (auto [name, ctas] : {std::pair("cluster_m", config.clusterM), std::pair("cluster_n", config.clusterN),
                            std::pair("split_k", config.splitK)}) {
    if (ctas < 1 || ctas > kMaxCluster)
      return expected(std::string(name) + " in [1, " + std::to_string(kMaxCluster) + "]", ctas);
  }
  for (int64_t ctas : {config.clusterM, config.clusterN, config.splitK}) {
    if (ctas > 1 && ctas != config.cluster())
      return expected("at most one of cluster_m, cluster_n and split_k larger than 1, in all " + std::to_string(ctas) +
                          " CTAs of a cluster",
                      config.cluster());
  }
  // A share of a tile is a whole number of the 8 rows that the swizzle repeats in.
  if (problem.gated && config.tileN % (16 * config.clusterM) != 0)
    return expected("tile_n to be a multiple of 16 * cluster_m = " + std::to_string(16 * config.clusterM) +
                        " in a gated product",
                    config.tileN);
  if (config.tileN % (8 * config.clusterM) != 0)
    return expected("tile_n to be a multiple of 8 * cluster_m = " + std::to_string(8 * config.clusterM), config.tileN);
  if (config.tileM % (8 * config.clusterN) != 0)
    return expected("tile_m to be a multiple of 8 * cluster_n = " + std::to_string(8 * config.clusterN), config.tileM);
  if (int64_t blocks = tiles(problem.k, kBlockK); config.splitK > blocks)
    return expected("split_k to be at most the " + std::to_string(blocks) + " K blocks", config.splitK);
  // Each rank loads what it stores from every rank, into registers.
  if (int64_t loaded = resultColumns(problem, config) * problem.parts() / storingRanks(problem, config) * config.splitK;
      config.splitK > 1 && loaded > kMaxSummedColumns)
    return expected("split_k for which a rank sums up at most " + std::to_string(kMaxSummedColumns) + " columns",
                    loaded);
  if (problem.loadsC() && config.splitK > 1)
    return expected("split_k = 1 for a product that loads C", config.splitK);
  // Ranks that store nothing would not be there when the others tell each other of their columns.
  if (problem.isQuantised() && storingRanks(problem, config) != config.splitK)
    return expected("split_k of 1, 2 or 4 for a D of e4m3, whose ranks store at least 32 of 128 columns", config.splitK);
  return {};
}

static std::string checkRegisters(const Problem &problem, const Config &config) {
  for (auto [name, registers] : {std::pair("producer_registers", config.producerRegisters),
                                 std::pair("consumer_registers", config.consumerRegisters)})
    if (registers < kMinRegisters || registers > kMaxRegisters || registers % 8 != 0)
      return expected(std::string(name) + " to be a multiple of 8 in [24, 256]", registers);
  // Where gate and up are apart, each has one scale of B for a K block.
  if (problem.gated && !config.swapAb && accumulatorColumns(problem, config) < config.tileN &&
      kRowsOfScale % (config.tileN / 2) != 0)
    return expected("tile_n / 2 to divide 128 in a gated product with accumulators for gate and up",
                    config.tileN / 2);
  int64_t needed = consumerRegistersNeeded(problem, config);
  if (needed > config.consumerRegisters)
    return expected("consumer_registers to be at least " + std::to_string(needed) + " for a " +
                        std::to_string(config.tileM) + "x" + std::to_string(config.tileN) + " tile of " +
                        std::to_string(config.consumers) + " consumers",
                    config.consumerRegisters);
  int64_t total = kThreadsPerWarpgroup * (config.producerRegisters + config.consumers * config.consumerRegisters);
  if (total > kRegistersPerSm)
    return expected("at most " + std::to_string(kRegistersPerSm) + " registers in all warpgroups", total);
  return {};
}

static std::string checkSums(const Config &config) {
  for (const Field &field : kFields)
    if (field.changesSums && config.*field.member != field.usual)
      return expected(std::string(field.name) + " = " + std::to_string(field.usual) + " for a batch-invariant product",
                      config.*field.member);
  return {};
}

/// Scales of a K block that the helper warp brings.
static int64_t helperScales(const Problem &problem, const Config &config) {
  int64_t columns = config.tileN / scaleColumnsPerBlock(problem, config);
  return (problem.sfaByTma() ? 0 : config.tileM) + (problem.sfbByTma() ? 0 : columns);
}

/// Tiles of a grouped product are dealt out one by one.
static std::string checkGroups(const Problem &problem, const Config &config) {
  if (!problem.isGrouped())
    return {};
  if (problem.groups > kMaxGroups)
    return expected("at most " + std::to_string(kMaxGroups) + " groups", problem.groups);
  if (config.splitK != 1)
    return expected("split_k = 1 for a grouped product", config.splitK);
  // All tiles of a cluster belong to one group, which one row determines.
  if (problem.grouping == Grouping::RowIndex && problem.groupAlign % (config.tileM * config.clusterM) != 0)
    return expected("tile_m * cluster_m to divide " + std::to_string(problem.groupAlign) +
                        ", what groups are aligned to",
                    config.tileM * config.clusterM);
  return {};
}

std::string fp8gemm::config::check(const Problem &problem, const Gpu &gpu, const Config &config) {
  if (std::string error = checkTile(problem, config); !error.empty())
    return error;
  if (std::string error = checkCluster(problem, config); !error.empty())
    return error;
  if (std::string error = checkGroups(problem, config); !error.empty())
    return error;
  if (config.partials != 1 && config.partials != 2)
    return expected("1 or 2 partials", config.partials);
  // The helper warp holds a row's scale in each lane's registers, two K blocks' worth.
  if (!problem.sfaByTma() && config.tileM > kMaxHelperRows)
    return expected("tile_m to be at most " + std::to_string(kMaxHelperRows) + " for k_major scales of A",
                    config.tileM);
  if (std::string error = checkRegisters(problem, config); !error.empty())
    return error;
  if (helperScales(problem, config) > kMaxHelperScales && config.producerRegisters < kManyScalesProducerRegisters)
    return expected("producer_registers to be at least " + std::to_string(kManyScalesProducerRegisters) +
                        " for the helper warp's " + std::to_string(helperScales(problem, config)) + " scales a K block",
                    config.producerRegisters);
  if (config.stages < kMinStages || config.stages > kMaxStages)
    return expected("stages in [" + std::to_string(kMinStages) + ", " + std::to_string(kMaxStages) + "]",
                    config.stages);
  if (problem.batchInvariant)
    if (std::string error = checkSums(config); !error.empty())
      return error;
  if (config.rasterGroup < 1)
    return expected("raster_group to be positive", config.rasterGroup);
  if (config.rasterGroup > kMaxRasterSquare / config.rasterGroup / tiles(problem.n, config.tileN))
    return expected("raster_group^2 * ceil(N / tile_n) to be at most 2^31", config.rasterGroup);
  if (int64_t bytes = smemBytes(problem, config); bytes > gpu.smemBytes)
    return expected("at most " + std::to_string(gpu.smemBytes) + " bytes of shared memory", bytes, " bytes");
  return {};
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
