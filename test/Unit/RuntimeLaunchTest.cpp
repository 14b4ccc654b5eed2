// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How products are launched: on how many SMs, and whether before the previous kernel's end.

#include "RuntimeGroupedFixture.h"

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

//===----------------------------------------------------------------------===//
// num_sms
//===----------------------------------------------------------------------===//

class NumSms : public Gemm {
protected:
  /// The grid for 4096 rows, or 0 where the launch fails.
  unsigned gridOf(uint32_t numSms) {
    fp8gemm_gemm_args args = goodArgs(4096);
    args.sfa.leading_dimension = 4096;
    args.num_sms = numSms;
    return fp8gemm_gemm(kernel, &args, nullptr) == FP8GEMM_OK ? fake().launches.back().config.gridDimX : 0;
  }
};

TEST_F(NumSms, LimitsTheGrid) {
  open();
  for (auto [numSms, grid] : {std::pair<uint32_t, unsigned>{0, 132}, {1, 1}, {64, 64}, {132, 132}, {1000, 132}})
    EXPECT_EQ(gridOf(numSms), grid) << fp8gemm_last_error();
  fp8gemm_gemm_args args = goodArgs(100); // 32 tiles
  args.num_sms = 64;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK);
  EXPECT_EQ(fake().launches.back().config.gridDimX, 32u);
}

TEST_F(NumSms, CountsWholeClusters) {
  ManifestSpec manifest;
  manifest.clusterM = 4;
  open(manifest); // 60 clusters at once
  for (auto [numSms, grid] : {std::pair<uint32_t, unsigned>{0, 240}, {4, 4}, {67, 64}, {1000, 240}})
    EXPECT_EQ(gridOf(numSms), grid) << fp8gemm_last_error();
  fake().launches.clear();
  expectBadArgs([](auto &a) { a.num_sms = 3; },
                "expected num_sms of at least 4, the CTAs of a cluster of 'gemm_test', or 0, got 3");
}

TEST_F(NumSms, OfASplitK) {
  ManifestSpec manifest;
  manifest.splitK = 2;
  open(manifest);
  fp8gemm_gemm_args args = goodArgs(128); // 32 tiles
  args.num_sms = 64;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 64u);
  fake().launches.clear();
  args.num_sms = 63;
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "expected num_sms of at least 64, the CTAs of kernel 'gemm_test', which splits K and has a cluster for each "
         "tile, or 0, got 63");
  EXPECT_TRUE(fake().launches.empty());
  // All of the device is no limit.
  EXPECT_EQ(gridOf(131), 0u);
  EXPECT_EQ(gridOf(132), 32u * 32 * 2);
}

TEST_F(Grouped, NumSms) {
  open(grouped(format::Grouping::RowEnd));
  auto args = arguments();
  args.num_sms = 7;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 7u);
}

//===----------------------------------------------------------------------===//
// Dependent launch
//===----------------------------------------------------------------------===//

TEST_F(Gemm, DependentLaunch) {
  ManifestSpec manifest;
  manifest.waits = true;
  manifest.clusterN = 2;
  open(manifest);
  fp8gemm_gemm_args args = goodArgs();
  args.flags = FP8GEMM_DEPENDENT_LAUNCH;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_TRUE(fake().launches.back().dependent);
  EXPECT_EQ(fake().launches.back().cluster, 2u);
  args.flags = 0;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK);
  EXPECT_FALSE(fake().launches.back().dependent);
  EXPECT_EQ(fake().launches.back().cluster, 2u);
}

TEST_F(Gemm, OnlyKernelsThatWaitAreDependent) {
  open();
  expectBadArgs([](auto &a) { a.flags = FP8GEMM_DEPENDENT_LAUNCH; },
                "expected a kernel that waits for the one before it (dependent_launch in fp8gemm_kernel_info) for "
                "FP8GEMM_DEPENDENT_LAUNCH, got 'gemm_test'");
  for (bool waits : {false, true}) {
    ManifestSpec manifest;
    manifest.waits = waits;
    open(manifest);
    fp8gemm_kernel_info info{};
    info.size = sizeof(info);
    ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
    EXPECT_EQ(info.dependent_launch, waits);
  }
}

TEST_F(Gemm, FlagsAreChecked) {
  open();
  expectBadArgs([](auto &a) { a.flags = 4; }, "expected flags of FP8GEMM_DEPENDENT_LAUNCH or 0, got 0x4");
  expectBadArgs([](auto &a) { a.flags = FP8GEMM_CHECK_GROUPS; }, "or 0, got 0x1");
}

TEST_F(Grouped, DependentLaunch) {
  ManifestSpec manifest = grouped(format::Grouping::RowEnd);
  open(manifest);
  auto args = arguments();
  args.flags = FP8GEMM_DEPENDENT_LAUNCH;
  refuse(args, "expected a kernel that waits");
  manifest.waits = true;
  open(manifest);
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_TRUE(fake().launches.back().dependent);
}

} // namespace
