// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs CompilerThreads: ThreadSanitizer reports nothing except the race that is there to be found.

#include <cstdio>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>

namespace {

/// libMLIR and libLLVM are not built for ThreadSanitizer: what it can't see of them would be guesses.
int run(const std::string &arguments, std::string &output) {
  std::string command = "TSAN_OPTIONS='ignore_noninstrumented_modules=1 exitcode=66' " FP8GEMM_COMPILER_THREADS;
  FILE *pipe = popen((command + arguments + " 2>&1").c_str(), "r");
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, got);
  int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CompilerThreads, ThreadSanitizerIsSilentAndBytesAreTheSame) {
  std::string output;
  int status = run(" --seconds=15", output);
  EXPECT_EQ(status, 0) << output;
  EXPECT_EQ(output.find("WARNING: ThreadSanitizer"), std::string::npos) << output;
  EXPECT_NE(output.find("4 threads, 15 s: 0 wrong answers"), std::string::npos) << output;
  for (const char *call : {"packs with a cache", "modules", "plans", "explanations", "contents", "opened packs"})
    EXPECT_NE(output.find(call), std::string::npos) << call << " never ran:\n" << output;
}

TEST(CompilerThreads, RaceIsReported) {
  std::string output;
  EXPECT_EQ(run(" --seconds=1 --race", output), 66) << output;
  EXPECT_NE(output.find("WARNING: ThreadSanitizer: data race"), std::string::npos) << output;
  EXPECT_NE(output.find("CompilerThreads.cpp"), std::string::npos) << output;
}

} // namespace
