// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs RuntimeThreads, and passes if ThreadSanitizer has nothing to say.

#include <cstdio>
#include <gtest/gtest.h>
#include <string>

namespace {

int run(const std::string &command, std::string &output) {
  output.clear();
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, got);
  return pclose(pipe);
}

TEST(Threads, ThreadSanitizerIsSilent) {
  std::string output;
  int status = run(FP8GEMM_THREADS, output);
  // GCC's sanitizer knows fewer places of a process in memory than newer systems use.
  auto isMisplaced = [&] { return output.find("unexpected memory mapping") != std::string::npos; };
  if (isMisplaced())
    status = run("setarch -R " FP8GEMM_THREADS, output);
  if (isMisplaced() || output.find("failed to set personality") != std::string::npos)
    GTEST_SKIP() << "ThreadSanitizer doesn't start in this system's address space";
  EXPECT_EQ(status, 0) << output;
  EXPECT_EQ(output.find("WARNING: ThreadSanitizer"), std::string::npos) << output;
  EXPECT_NE(output.find("[  PASSED  ] 4 tests."), std::string::npos) << output;
}

} // namespace
