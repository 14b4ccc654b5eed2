// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What recipe 1d1d, D in f32 and C ask of a config.

#include "fp8gemm/Config/Config.h"

#include <gtest/gtest.h>

using namespace fp8gemm::config;

namespace {

const Gpu &h100() { return *findGpu("h100-sxm"); }

Problem weightGradient() {
  Problem problem;
  problem.m = 4096, problem.n = 7168, problem.k = 4096;
  problem.sfb = ScaleLayout::MnMajor, problem.sfbRows = 1;
  problem.dBytes = 4, problem.c = CUse::InPlace;
  return problem;
}

Config tile(int64_t tileM, int64_t tileN) {
  Config config;
  config.tileM = tileM, config.tileN = tileN, config.consumers = 2;
  return config;
}

std::string checkTile(const Problem &problem, int64_t tileM, int64_t tileN) {
  return check(problem, h100(), complete(problem, h100(), tile(tileM, tileN), 4096));
}

TEST(ConfigRecipes, EveryProblemHasAChoice) {
  for (int64_t sfbRows : {1, 128})
    for (int64_t dBytes : {2, 4})
      for (CUse c : {CUse::None, CUse::Apart, CUse::InPlace})
        for (ScaleLayout sfa : {ScaleLayout::KMajor, ScaleLayout::MnMajor})
          for (ScaleLayout sfb : {ScaleLayout::KMajor, ScaleLayout::MnMajor}) {
            Problem problem = weightGradient();
            problem.sfbRows = sfbRows, problem.dBytes = dBytes, problem.c = c, problem.sfa = sfa, problem.sfb = sfb;
            Choice choice = choose(problem, h100(), 4096);
            EXPECT_EQ(choice.error, "");
            for (const Candidate &candidate : choice.candidates)
              EXPECT_EQ(check(problem, h100(), candidate.config), "") << describe(candidate.config);
          }
}

// 1 + 1 times 72 registers of sums, 36 of scales of columns, 48 others: 228 of 240.
TEST(ConfigRecipes, ScalesOfColumnsTakeRegisters) {
  Problem problem = weightGradient();
  EXPECT_EQ(checkTile(problem, 128, 144), "");
  EXPECT_EQ(checkTile(problem, 128, 160),
            "expected consumer_registers to be at least 248 for a 128x160 tile of 2 consumers, got 240");
  EXPECT_EQ(checkTile(problem, 256, 80), "");
  EXPECT_EQ(checkTile(problem, 256, 96),
            "expected consumer_registers to be at least 248 for a 256x96 tile of 2 consumers, got 240");
  problem.dBytes = 2;
  EXPECT_EQ(checkTile(problem, 256, 96), "");
  problem.sfbRows = 128;
  EXPECT_EQ(checkTile(problem, 128, 160), "");
}

TEST(ConfigRecipes, ManyScalesOfTheHelperTakeRegisters) {
  Problem problem = weightGradient();
  problem.sfa = problem.sfb = ScaleLayout::KMajor;
  Config config = complete(problem, h100(), tile(128, 64), 4096);
  EXPECT_EQ(config.producerRegisters, 40);
  config = complete(problem, h100(), tile(128, 128), 4096); // 256 scales
  EXPECT_EQ(config.producerRegisters, 56);
  EXPECT_EQ(config.consumerRegisters, 224);
  EXPECT_EQ(check(problem, h100(), config), "");
  config.producerRegisters = 40;
  EXPECT_EQ(check(problem, h100(), config),
            "expected producer_registers to be at least 56 for the helper warp's 256 scales a K block, got 40");
}

TEST(ConfigRecipes, CAndF32TakeSharedMemory) {
  Problem problem = weightGradient();
  auto stages = [&] { return complete(problem, h100(), tile(128, 128), 4096).stages; };
  EXPECT_EQ(stages(), 4); // in place: D is staged, C is not
  problem.c = CUse::Apart;
  EXPECT_EQ(stages(), 2);
  problem.dBytes = 2;
  EXPECT_EQ(stages(), 4);
  problem.c = CUse::None;
  EXPECT_EQ(stages(), 5);
}

TEST(ConfigRecipes, PanelsHaveRowsOf128Bytes) {
  Problem problem = weightGradient();
  EXPECT_EQ(panelColumns(problem, 128), 32);
  EXPECT_EQ(panelColumns(problem, 48), 16);
  EXPECT_EQ(scaleColumnsPerBlock(problem, tile(128, 128)), 1);
}

TEST(ConfigRecipes, AddingCostsTime) {
  Problem problem = weightGradient();
  Config config = complete(problem, h100(), tile(128, 128), 4096);
  double inPlace = model(problem, h100(), config, 4096).microseconds;
  problem.c = CUse::None;
  double plain = model(problem, h100(), config, 4096).microseconds;
  EXPECT_GT(inPlace, plain);
  problem.sfbRows = 128;
  EXPECT_GT(plain, model(problem, h100(), config, 4096).microseconds);
}

} // namespace
