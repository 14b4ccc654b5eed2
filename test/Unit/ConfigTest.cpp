// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Config/Config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <tuple>

using namespace fp8gemm::config;

namespace {

const Gpu &h100() { return *findGpu("h100-sxm"); }

Problem problem(std::optional<int64_t> m, int64_t n, int64_t k) {
  Problem result;
  result.m = m, result.n = n, result.k = k;
  return result;
}

/// A legal config to break.
Config legal() {
  Config config;
  config.tileM = 128, config.tileN = 128, config.stages = 5, config.consumers = 2;
  config.rasterGroup = 8, config.splitK = 1, config.partials = 1;
  return complete(problem(4096, 4096, 7168), h100(), config, 4096); // the rest is as usual
}

std::string checkOnH100(const Config &config) { return check(problem(4096, 4096, 7168), h100(), config); }

const std::vector<Problem> &manyProblems() {
  static const std::vector<Problem> problems = {
      problem(0, 8, 16),          problem(1, 8, 16),           problem(1, 576, 7168),    problem(7, 24, 16),
      problem(129, 136, 144),     problem(777, 2112, 7168),    problem(4096, 7168, 576), problem(4096, 32768, 512),
      problem(4096, 7168, 16384), problem(65536, 16384, 7168), problem({}, 4096, 7168),
  };
  return problems;
}

TEST(ConfigFields, AllHaveDistinctNamesAndMembers) {
  EXPECT_EQ(sizeof(Config), std::size(kFields) * sizeof(int64_t)) << "a member without a line in kFields";
  Config config;
  for (const Field &field : kFields) {
    EXPECT_EQ(config.*field.member, kUnset) << field.name << " repeats a member, or is set from the start";
    config.*field.member = field.least;
    for (const Field *other = kFields; other != &field; ++other)
      EXPECT_STRNE(other->name, field.name);
  }
}

TEST(ConfigFields, TextRoundTrips) {
  Config config = legal(), read;
  EXPECT_EQ(parse(toString(config), read), "");
  EXPECT_EQ(read, config);
}

TEST(ConfigFields, DescriptionLeavesOutTheUsualAndTheUnset) {
  Config config;
  config.tileM = 64, config.producerRegisters = kProducerRegisters;
  EXPECT_EQ(toString(config), "tile_m = 64, producer_registers = 40");
  EXPECT_EQ(describe(config), "tile_m = 64");
}

TEST(ConfigFields, ParseTakesSpacesAndRefusesTheRest) {
  Config config;
  EXPECT_EQ(parse(" tile_m=128 ,\ttile_n =  96", config), "");
  EXPECT_EQ(toString(config), "tile_m = 128, tile_n = 96");
  auto error = [](const char *text) {
    Config ignored;
    return parse(text, ignored);
  };
  EXPECT_EQ(error("stages = 4x"), "expected stages in 'config' to be a number of at least 1, got '4x'");
  EXPECT_EQ(error("stages = 99999999999999999999"),
            "expected stages in 'config' to be a number of at least 1, got '99999999999999999999'");
  EXPECT_NE(error("stages = 4,"), "");
  EXPECT_NE(error(""), "");
}

TEST(ConfigLayout, ScalesAndPanelsDivideTheTile) {
  auto sharing = [](int64_t tileN, int64_t swapAb = 0) {
    Config config;
    config.tileN = tileN, config.swapAb = swapAb;
    return scaleColumnsPerBlock(Problem(), config);
  };
  EXPECT_EQ(sharing(128, 1), 64); // one accumulator of 64 rows of B
  EXPECT_EQ(sharing(128), 128);
  EXPECT_EQ(sharing(256), 128);
  EXPECT_EQ(sharing(192), 64);
  EXPECT_EQ(sharing(176), 16);
  EXPECT_EQ(panelColumns(Problem(), 192), 64);
  EXPECT_EQ(panelColumns(Problem(), 160), 32);
  EXPECT_EQ(panelColumns(Problem(), 176), 16);
}

TEST(ConfigLayout, SmemBytes) {
  // Staging, then 5 stages of A, B, A's scales, B's scale, mbarriers.
  EXPECT_EQ(smemBytes({}, legal()), 32768 + 5 * (16384 + 16384 + 512 + 128 + 16));
  Config config = legal();
  config.tileM = 256, config.tileN = 112, config.stages = 3;
  // 112 columns cross a block of 128 anywhere: a scale for each 16 of them.
  EXPECT_EQ(smemBytes({}, config), 57344 + 3 * (32768 + 14336 + 1024 + 128 + 16));
}

TEST(ConfigCheck, AcceptsALegalConfig) { EXPECT_EQ(checkOnH100(legal()), ""); }

// With as many stages as K blocks in an iteration, all addresses are constants: ptxas spilled 256x80 of 4 stages.
TEST(ConfigCheck, StagesOfAnIterationTakeRegisters) {
  Problem square = problem({}, 1024, 1024);
  Config config;
  config.tileM = 256, config.tileN = 80, config.consumers = 2, config.partials = 2;
  Config completed = complete(square, h100(), config, 4096);
  EXPECT_EQ(completed.stages, 3);
  EXPECT_EQ(check(square, h100(), completed), "");
  completed.stages = 4;
  EXPECT_EQ(check(square, h100(), completed),
            "expected consumer_registers to be at least 248 for a 256x80 tile of 2 consumers, got 232");
}

TEST(ConfigCheck, NamesTheRuleAndTheValue) {
  using Break = void (*)(Config &);
  const std::pair<Break, const char *> cases[] = {
      {[](Config &c) { c.consumers = 3; }, "expected 1 or 2 consumers, got 3"},
      {[](Config &c) { c.tileM = 192; }, "expected tile_m to be 64, 128 or 256, got 192"},
      {[](Config &c) { c.tileM = 64; }, "expected 1 consumer for tile_m = 64, got 2"},
      {[](Config &c) { c.tileM = 256, c.consumers = 1; }, "expected 2 consumers for tile_m = 256, got 1"},
      {[](Config &c) { c.tileN = 136; }, "expected tile_n to be a multiple of 16 in [16, 256], got 136"},
      {[](Config &c) { c.tileN = 0; }, "expected tile_n to be a multiple of 16 in [16, 256], got 0"},
      {[](Config &c) { c.tileN = 272; }, "expected tile_n to be a multiple of 16 in [16, 256], got 272"},
      {[](Config &c) { c.producerRegisters = 16; },
       "expected producer_registers to be a multiple of 8 in [24, 256], got 16"},
      {[](Config &c) { c.consumerRegisters = 236; },
       "expected consumer_registers to be a multiple of 8 in [24, 256], got 236"},
      {[](Config &c) { c.tileM = 256, c.tileN = 144; },
       "expected consumer_registers to be at least 256 for a 256x144 tile of 2 consumers, got 232"},
      {[](Config &c) { c.producerRegisters = 64; }, "expected at most 65536 registers in all warpgroups, got 67584"},
      {[](Config &c) { c.stages = 1; }, "expected stages in [2, 16], got 1"},
      {[](Config &c) { c.stages = 17; }, "expected stages in [2, 16], got 17"},
      {[](Config &c) { c.clusterM = 9; }, "expected cluster_m in [1, 8], got 9"},
      {[](Config &c) { c.clusterN = 2, c.splitK = 2; },
       "expected at most one of cluster_m, cluster_n and split_k larger than 1, in all 2 CTAs of a cluster, got 4"},
      {[](Config &c) { c.clusterM = 8, c.tileN = 96; },
       "expected tile_n to be a multiple of 8 * cluster_m = 64, got 96"},
      {[](Config &c) { c.swapAb = 1, c.tileM = 20; }, "expected tile_m to be a multiple of 8 in [8, 256], got 20"},
      {[](Config &c) { c.swapAb = 1, c.tileN = 96; }, "expected tile_n to be 64, 128 or 256, got 96"},
      {[](Config &c) { c.partials = 3; }, "expected 1 or 2 partials, got 3"},
      {[](Config &c) { c.tileN = 160, c.partials = 2; },
       "expected consumer_registers to be at least 280 for a 128x160 tile of 2 consumers, got 232"},
      {[](Config &c) { c.rasterGroup = 0; }, "expected raster_group to be positive, got 0"},
      {[](Config &c) { c.rasterGroup = 1 << 16; },
       "expected raster_group^2 * ceil(N / tile_n) to be at most 2^31, got 65536"},
      {[](Config &c) { c.stages = 6; }, "expected at most 232448 bytes of shared memory, got 233312 bytes"},
  };
  for (auto [breakIt, message] : cases) {
    Config config = legal();
    breakIt(config);
    EXPECT_EQ(checkOnH100(config), message);
  }
}

TEST(ConfigCheck, BatchInvariantProductsAddInOneOrder) {
  Problem shape = problem(4096, 4096, 7168);
  for (const Field &field : kFields) {
    if (!field.changesSums)
      continue;
    shape.batchInvariant = false;
    Config other = legal();
    other.*field.member = field.usual + 1;
    std::string without = check(shape, h100(), other);
    shape.batchInvariant = true;
    EXPECT_NE(check(shape, h100(), other), without) << field.name;
    for (const Candidate &candidate : enumerate(shape, h100(), 1))
      EXPECT_EQ(candidate.config.*field.member, field.usual);
  }
  shape.batchInvariant = true;
  EXPECT_EQ(check(shape, h100(), legal()), "");
}

TEST(ConfigEnumerate, AllLegalSortedAndDistinct) {
  for (const Gpu &gpu : knownGpus())
    for (const Problem &each : manyProblems()) {
      std::vector<Candidate> candidates = enumerate(each, gpu, 4096);
      ASSERT_FALSE(candidates.empty());
      for (size_t i = 0; i != candidates.size(); ++i) {
        EXPECT_EQ(check(each, gpu, candidates[i].config), "");
        EXPECT_TRUE(std::isfinite(candidates[i].microseconds) && candidates[i].microseconds > 0);
        if (i > 0) {
          EXPECT_LE(candidates[i - 1].microseconds, candidates[i].microseconds);
        }
        for (size_t j = 0; j != i; ++j)
          EXPECT_NE(candidates[j].config, candidates[i].config);
      }
    }
}

TEST(ConfigEnumerate, TakesTheMostStagesThatFit) {
  for (const Candidate &candidate : enumerate(problem(4096, 7168, 2048), h100(), 4096)) {
    Config more = candidate.config;
    ++more.stages;
    EXPECT_NE(checkOnH100(more), "") << candidate.config.tileM << 'x' << candidate.config.tileN;
  }
}

TEST(ConfigEnumerate, ExpectedRowsStandInForADynamicM) {
  EXPECT_EQ(enumerate(problem({}, 2112, 7168), h100(), 4096)[0].config,
            enumerate(problem(4096, 2112, 7168), h100(), 1)[0].config);
}

TEST(ConfigEnumerate, SamePlanEveryTime) {
  for (const Problem &each : manyProblems()) {
    std::vector<Candidate> first = enumerate(each, h100(), 4096), second = enumerate(each, h100(), 4096);
    ASSERT_EQ(first.size(), second.size());
    for (size_t i = 0; i != first.size(); ++i)
      EXPECT_EQ(first[i].config, second[i].config);
  }
}

TEST(ConfigEnumerate, TakesFewMilliseconds) {
  double best = 1;
  for (int run = 0; run != 20; ++run) {
    auto start = std::chrono::steady_clock::now();
    enumerate(problem(65536, 16384, 7168), h100(), 4096);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(best, 5e-3);
}

TEST(ConfigEnumerate, RunningCtasMakeANearSquareBlock) {
  for (const Candidate &candidate : enumerate(problem(8192, 8192, 8192), h100(), 4096)) {
    const Config &config = candidate.config;
    double height = config.rasterGroup * config.tileM;
    double width = double(h100().sms) / config.rasterGroup * config.tileN;
    // Groups are at most 32 tiles high: too few for the narrowest ones.
    if (config.tileM >= 64) {
      EXPECT_LT(std::max(height, width) / std::min(height, width), 2.5) << config.tileM << 'x' << config.tileN;
    }
  }
}

TEST(ConfigModel, ReasonNamesWavesAndBound) {
  EXPECT_EQ(model(problem(4096, 576, 7168), h100(), legal(), 4096).reason,
            "160 tiles in 2 waves (61 % full), bound by tensor cores");
  EXPECT_NE(enumerate(problem(1, 24576, 1536), h100(), 4096)[0].reason.find("bound by HBM"), std::string::npos);
}

TEST(ConfigModel, SplitKFillsTheSms) {
  // 9 tiles of 64 columns on 132 SMs: the K blocks are shared out.
  EXPECT_GT(enumerate(problem(1, 576, 7168), h100(), 4096)[0].config.splitK, 1);
  EXPECT_EQ(enumerate(problem(4096, 4096, 7168), h100(), 4096)[0].config.splitK, 1);
}

TEST(ConfigGpus, ClustersStayInAGpc) {
  const Gpu &h20 = *findGpu("h20");
  EXPECT_EQ(residentClusters(h20, 1), 78);
  EXPECT_EQ(residentClusters(h20, 2), 39);
  EXPECT_EQ(residentClusters(h20, 4), 18); // GPCs of 12 or 14 SMs hold 3 clusters each
}

TEST(ConfigGpus, MeasuredClustersAreNoMoreThanTheSmsHold) {
  for (const Gpu &gpu : knownGpus())
    for (int64_t ctas = 1; ctas <= 8; ++ctas) {
      EXPECT_GE(residentClusters(gpu, ctas), 1) << gpu.name;
      EXPECT_LE(residentClusters(gpu, ctas) * ctas, gpu.sms) << gpu.name << ", " << ctas;
    }
  const Gpu &h200 = *findGpu("h200-sxm");
  EXPECT_LT(residentClusters(h200, 4), 32); // measured: 32 of them take two waves
}

TEST(ConfigModel, FewerStagesAreNeverFaster) {
  for (const Candidate &candidate : enumerate(problem(1, 7168, 2048), h100(), 4096)) {
    Config fewer = candidate.config;
    fewer.stages = 2;
    EXPECT_GE(model(problem(1, 7168, 2048), h100(), fewer, 4096).microseconds, candidate.microseconds);
  }
}

TEST(ConfigComplete, EmptyIsTheBest) {
  Problem shape = problem(4096, 2112, 7168);
  EXPECT_EQ(complete(shape, h100(), {}, 4096), enumerate(shape, h100(), 4096)[0].config);
}

TEST(ConfigComplete, KeepsWhatIsGiven) {
  Config given;
  given.tileM = 64, given.stages = 3, given.swapAb = 0;
  Config completed = complete(problem(4096, 2112, 7168), h100(), given, 4096);
  EXPECT_EQ(completed.tileM, 64);
  EXPECT_EQ(completed.stages, 3);
  EXPECT_EQ(completed.consumers, 1);
  EXPECT_EQ(checkOnH100(completed), "");
}

TEST(ConfigComplete, LeavesTheIllegalToCheck) {
  Config given;
  given.tileM = 128, given.tileN = 24;
  Config completed = complete(problem(4096, 2112, 7168), h100(), given, 4096);
  EXPECT_EQ(completed.tileN, 24);
  EXPECT_EQ(checkOnH100(completed), "expected tile_n to be a multiple of 16 in [16, 256], got 24");
}

TEST(ConfigComplete, NeverMoreStagesThanFitOrFewerThanWork) {
  Config given;
  given.tileM = 256, given.tileN = 256;
  EXPECT_EQ(complete(problem(4096, 4096, 7168), h100(), given, 4096).stages, 2);
}

TEST(ConfigGpus, FoundByName) {
  EXPECT_EQ(knownGpus().front().name, "h100-sxm");
  for (const Gpu &gpu : knownGpus())
    EXPECT_EQ(findGpu(gpu.name), &gpu);
  EXPECT_EQ(findGpu("h100"), nullptr);
}

/// The model must hold for any shape: it may compare no extent with a number (m, n or k against 0
/// or 1 says "empty", not "this shape"), and no number in it may be one that is no tile's, unless
/// it is known what it counts.
TEST(ConfigSource, KnowsNoShapes) {
  const std::set<std::string> known = {
      "1024", // bytes that a swizzled buffer is aligned to, and of a KB
      "266",  // cycles of an epilogue, and with two partials
      "436",
      "640",  // bytes that TMA writes a cycle
      "900",  // cycles of a cluster's exchange
      "1000", // rows up to which a plan looks at every M
  };
  const int64_t largestTile = 256;
  const std::regex compared("\\b(m|n|k|expectedM)\\s*([=!]=|[<>]=?)\\s*[0-9]{2,}");
  const std::regex number("(^|[^.0-9])([0-9]{3,})\\b");
  const std::filesystem::path root = FP8GEMM_SOURCE_DIR;
  int files = 0;
  for (const char *directory : {"lib/Config", "include/fp8gemm/Config"})
    for (const auto &entry : std::filesystem::directory_iterator(root / directory)) {
      std::ifstream stream(entry.path());
      ASSERT_TRUE(stream) << entry.path();
      ++files;
      std::string line;
      for (int count = 1; std::getline(stream, line); ++count) {
        std::string code = line.substr(0, line.find("//"));
        EXPECT_FALSE(std::regex_search(code, compared)) << entry.path() << ':' << count << ": " << line;
        for (std::sregex_iterator match(code.begin(), code.end(), number), end; match != end; ++match)
          EXPECT_TRUE(std::stoll((*match)[2]) <= largestTile || known.count((*match)[2]))
              << entry.path() << ':' << count << ": " << line;
      }
    }
  EXPECT_GE(files, 9);
}

} // namespace
