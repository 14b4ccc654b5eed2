// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What groups ask of a config, and how many tiles they make.

#include "fp8gemm/Config/Config.h"

#include <gtest/gtest.h>

using namespace fp8gemm::config;

namespace {

const Gpu &h100() { return *findGpu("h100-sxm"); }

Problem groupsOf(Grouping grouping, int64_t groups) {
  Problem problem;
  problem.n = 4096, problem.k = 7168, problem.grouping = grouping, problem.groups = groups;
  return problem;
}

std::string checkWith(const Problem &problem, const std::string &text) {
  Config config;
  EXPECT_EQ(parse(text, config), "");
  return check(problem, h100(), complete(problem, h100(), config, 64));
}

TEST(ConfigGroups, EveryGroupingHasAChoice) {
  for (Grouping grouping : {Grouping::RowIndex, Grouping::RowEnd, Grouping::RowCount, Grouping::Batched})
    for (int64_t rows : {1, 20, 200, 4000}) {
      Problem problem = groupsOf(grouping, 32);
      problem.groupAlign = grouping == Grouping::RowIndex ? 128 : 1;
      Choice choice = choose(problem, h100(), rows);
      EXPECT_EQ(choice.error, "");
      EXPECT_EQ(choice.chosen.config.cluster(), 1);
      if (rows == 1 && grouping != Grouping::RowIndex) { // whose tiles have as many rows as groups are aligned to
        EXPECT_EQ(choice.chosen.config.swapAb, 1) << describe(choice.chosen.config);
      }
    }
}

TEST(ConfigGroups, TilesWithoutRowsBetweenGroupsCount) {
  // Groups of 64 rows that start at multiples of 128: every second tile of 64 rows has none, but half of the CTAs may
  // get all the others.
  Problem problem = groupsOf(Grouping::RowIndex, 128);
  problem.groupAlign = 128;
  EXPECT_EQ(choose(problem, h100(), 64).chosen.config.tileM, 128);
  problem.grouping = Grouping::RowCount;
  problem.m = 4096;
  EXPECT_EQ(choose(problem, h100(), 64).chosen.config.rows(), 64) << "tiles are counted by a table";
}

TEST(ConfigGroups, RowsOfDifferentGroupsAreNotWalkedTogether) {
  Problem problem = groupsOf(Grouping::RowIndex, 128);
  problem.groupAlign = 128;
  EXPECT_EQ(choose(problem, h100(), 64).chosen.config.rasterGroup, 1);
  EXPECT_GE(choose(problem, h100(), 4096).chosen.config.rasterGroup, 8);
}

TEST(ConfigGroups, IllegalConfigsAreNamed) {
  Problem problem = groupsOf(Grouping::RowIndex, 32);
  problem.groupAlign = 64;
  EXPECT_EQ(checkWith(problem, "tile_m = 128, tile_n = 128"),
            "expected tile_m * cluster_m to divide 64, what groups are aligned to, got 128");
  EXPECT_EQ(checkWith(problem, "tile_m = 64, tile_n = 128"), "");
  EXPECT_EQ(checkWith(problem, "tile_m = 64, tile_n = 128, split_k = 2"),
            "expected split_k = 1 for a grouped product, got 2");
  EXPECT_EQ(checkWith(problem, "tile_m = 64, tile_n = 128, cluster_m = 2"),
            "expected tile_m * cluster_m to divide 64, what groups are aligned to, got 128");
  EXPECT_EQ(checkWith(problem, "tile_m = 64, tile_n = 128, cluster_n = 2"), "");
  EXPECT_EQ(checkWith(groupsOf(Grouping::RowEnd, 32), "tile_m = 256, tile_n = 128"), "");
  EXPECT_EQ(checkWith(groupsOf(Grouping::RowCount, 1025), "tile_m = 64, tile_n = 128"),
            "expected at most 1024 groups, got 1025");
}

TEST(ConfigGroups, EachGroupHasTilesOfItsOwn) {
  Config config;
  ASSERT_EQ(parse("tile_m = 64, tile_n = 128", config), "");
  auto reason = [&](Grouping grouping, int64_t rows) {
    Problem problem = groupsOf(grouping, 8);
    return model(problem, h100(), complete(problem, h100(), config, rows), rows).reason;
  };
  // 32 columns of tiles; 8 groups of one row of tiles each.
  EXPECT_EQ(reason(Grouping::RowCount, 1).rfind("256 tiles", 0), 0u);
  // Groups of 90 to 166 rows have 2 tiles, or in three of seven sizes 3.
  EXPECT_EQ(reason(Grouping::RowEnd, 128).rfind("608 tiles", 0), 0u);
  EXPECT_EQ(reason(Grouping::Batched, 128).rfind("512 tiles", 0), 0u);
}

// TMA addresses four scales at once, and brings 256 at most.
TEST(ConfigGroups, ScalesOfPackedGroups) {
  Problem problem = groupsOf(Grouping::RowEnd, 8);
  EXPECT_EQ(scalesOfA(problem, 128), 132);
  EXPECT_EQ(boxesOfScales(problem, 128), 1);
  EXPECT_EQ(scalesOfA(problem, 256), 320);
  EXPECT_EQ(boxesOfScales(problem, 256), 2);
  problem.groupAlign = 4;
  EXPECT_EQ(scalesOfA(problem, 256), 256);
}

TEST(ConfigGroups, WeightsThatGroupsShareAreReadOnce) {
  Config config;
  ASSERT_EQ(parse("tile_m = 64, tile_n = 128", config), "");
  auto microseconds = [&](int64_t weights) {
    Problem problem = groupsOf(Grouping::RowCount, 64);
    problem.weights = weights;
    return model(problem, h100(), complete(problem, h100(), config, 1), 1).microseconds;
  };
  // With one row a group all time is that of B: 64 matrices of 29 MB, or 8.
  EXPECT_LT(microseconds(8), microseconds(0) / 2);
  EXPECT_LT(microseconds(8), microseconds(32));
}

TEST(ConfigGroups, RowsOfAGroup) {
  Problem problem = groupsOf(Grouping::RowEnd, 8);
  EXPECT_EQ(rowsOfGroup(problem, 100), 100);
  problem.m = 1600;
  EXPECT_EQ(rowsOfGroup(problem, 100), 200);
  problem.grouping = Grouping::Batched;
  EXPECT_EQ(rowsOfGroup(problem, 100), 1600);
  problem.grouping = Grouping::RowCount; // how many of the 1600 are used is not known
  EXPECT_EQ(rowsOfGroup(problem, 100), 100);
}

} // namespace
