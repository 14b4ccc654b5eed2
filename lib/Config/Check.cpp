// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which configs are legal.

#include "fp8gemm/Config/Config.h"

#include "Limits.h"

using namespace fp8gemm::config;

/// Rows of B that share a scale in recipe 1d2d.
constexpr int64_t kRowsOfScale = 128;

static std::string expected(const std::string &rule, int64_t got, const std::string &unit = "") {
  return "expected " + rule + ", got " + std::to_string(got) + unit;
}

std::string fp8gemm::config::checkTile(const Problem &problem, const Config &config) {
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
    return expected("split_k of 1, 2 or 4 for a D of e4m3, whose ranks store at least 32 of 128 columns",
                    config.splitK);
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
    return expected("tile_n / 2 to divide 128 in a gated product with accumulators for gate and up", config.tileN / 2);
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
