// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Target/CudaTools.h"
#include "gtest/gtest.h"

using fp8gemm::target::parsePtxasReport;

TEST(PtxasReport, ReadsRegistersSpillsAndStack) {
  auto usage =
      parsePtxasReport("ptxas info    : 0 bytes gmem\n"
                       "ptxas info    : Compiling entry function 'k' for 'sm_90a'\n"
                       "ptxas info    : Function properties for k\n"
                       "    192 bytes stack frame, 316 bytes spill stores, 320 bytes spill loads\n"
                       "ptxas info    : Used 168 registers, used 16 barriers, 192 bytes cumulative stack size, "
                       "1024 bytes smem\n"
                       "ptxas info    : Compile time = 83.335 ms\n");
  EXPECT_EQ(usage.registers, 168);
  EXPECT_EQ(usage.stackBytes, 192);
  EXPECT_EQ(usage.spillStoreBytes, 316);
  EXPECT_EQ(usage.spillLoadBytes, 320);
  EXPECT_EQ(usage.spillBytes(), 636);
  EXPECT_EQ(usage.staticSmemBytes, 1024);
  EXPECT_TRUE(usage.performance.empty());
  EXPECT_TRUE(usage.warnings.empty());
}

TEST(PtxasReport, TellsPerformanceFromOtherWarnings) {
  auto usage = parsePtxasReport(
      "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized\n"
      "ptxas warning : (C7508) Ignored setmaxnreg\n"
      "ptxas warning : Value of threads per SM for entry k is out of range\n");
  ASSERT_EQ(usage.performance.size(), 2u);
  EXPECT_EQ(usage.performance[0].rfind("(C7510)", 0), 0u);
  EXPECT_EQ(usage.performance[1].rfind("(C7508)", 0), 0u);
  ASSERT_EQ(usage.warnings.size(), 1u);
}

TEST(PtxasReport, EmptyReportIsNothingUsed) {
  auto usage = parsePtxasReport("");
  EXPECT_EQ(usage.registers, 0);
  EXPECT_EQ(usage.spillBytes(), 0);
}
