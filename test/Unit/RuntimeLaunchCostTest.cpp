// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// launch-cost runs through, with a driver that does nothing.

#include "RuntimeTestPack.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>

using namespace fp8gemm::test;

namespace {

int run(const std::string &arguments, std::string &output) {
  std::string command = "FP8GEMM_LIBCUDA=" FP8GEMM_NULL_DRIVER " " FP8GEMM_LAUNCH_COST " " + arguments + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, got);
  return WEXITSTATUS(pclose(pipe));
}

TEST(LaunchCost, PrintsEveryWay) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/launch-cost.fp8pack";
  PackSpec spec = twoProblems();
  for (ManifestSpec &kernel : spec.kernels)
    kernel.waits = true;
  std::ofstream(path, std::ios::binary) << makePack(spec);
  std::string output;
  ASSERT_EQ(run(path + " --loops=2 --m=3 --problem=1", output), 0) << output;
  for (const char *part : {"M = 3, N = 4096, K = 7168", "first calls of 1 more kernels", "bare cuLaunchKernelEx",
                           "fp8gemm_gemm, 64 sets in turn", "with FP8GEMM_DEPENDENT_LAUNCH", "cuTensorMapEncodeTiled"})
    EXPECT_NE(output.find(part), std::string::npos) << part << "\n" << output;
  EXPECT_EQ(run(path + " --loops=2 --limit=0.001", output), 1);
  EXPECT_EQ(run(path + " --problem=2", output), 2);
  EXPECT_EQ(run("/nonexistent", output), 2);
}

} // namespace
