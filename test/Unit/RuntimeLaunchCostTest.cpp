// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// launch-cost runs through, with a driver that does nothing.

#include "RuntimeTestPack.h"
#include "benchmark/launch_cost/Seal.h"

#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

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
  EXPECT_EQ(output.find("sealed"), std::string::npos);
  ASSERT_EQ(run(path + " --loops=2 --seal", output), 0) << output;
  EXPECT_NE(output.find("sealed: no file was opened"), std::string::npos);
  EXPECT_EQ(run(path + " --loops=2 --limit=0.001", output), 1);
  EXPECT_EQ(run(path + " --problem=2", output), 2);
  EXPECT_EQ(run("/nonexistent", output), 2);
}

/// How a process ends (status, or 128 + signal) that does this before the seal, and that after it; 0: as it should.
template <typename Before, typename Body> int sealed(Before before, Body body, std::string &message) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    before();
    if (fp8gemm_seal() != 0)
      _exit(77);
    body();
    _exit(0);
  }
  close(ends[1]);
  char buffer[512];
  message.assign(buffer, std::max<ssize_t>(read(ends[0], buffer, sizeof(buffer)), 0));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <typename Body> int sealed(Body body, std::string &message) {
  return sealed([] {}, body, message);
}

TEST(Seal, EndsWhatOpensAFileOrStartsAProcess) {
  std::string message;
  auto expectBroken = [&](auto body, const std::string &part) {
    EXPECT_EQ(sealed(body, message), FP8GEMM_SEAL_BROKEN);
    EXPECT_NE(message.find("seal broken: " + part), std::string::npos) << message;
  };
  if (sealed([] {}, message) == 77)
    GTEST_SKIP() << "this system has no seccomp filters";
  expectBroken([] { open("/dev/null", O_RDONLY); }, "openat /dev/null");
  expectBroken([] { std::ifstream("/proc/self/maps"); }, "openat /proc/self/maps");
  expectBroken([] { execl("/bin/true", "true", nullptr); }, "execve /bin/true");
  expectBroken([] { fork(); }, "clone (not of a thread)");
  // The C library starts it with all signals blocked: no message then.
  EXPECT_EQ(sealed([] { (void)!system("true"); }, message), 128 + SIGSYS);
  expectBroken([] { std::thread([] { open("/dev/null", O_RDONLY); }).join(); }, "openat /dev/null");
}

TEST(Seal, IsOfThreadsThatRunAlready) {
  std::string message;
  std::atomic<bool> isSealed{false};
  std::thread thread;
  int status = sealed(
      [&] {
        thread = std::thread([&] {
          while (!isSealed)
            usleep(100);
          open("/dev/null", O_RDONLY);
        });
      },
      [&] {
        isSealed = true;
        thread.join();
      },
      message);
  if (status == 77)
    GTEST_SKIP() << "this system has no seccomp filters";
  EXPECT_EQ(status, FP8GEMM_SEAL_BROKEN);
}

TEST(Seal, LetsThreadsAndMemoryBe) {
  std::string message;
  int status = sealed(
      [] {
        std::thread([] { std::vector<char> memory(1 << 24, 1); }).join();
        if (write(STDERR_FILENO, "alive", 5) != 5)
          _exit(1);
      },
      message);
  if (status == 77)
    GTEST_SKIP() << "this system has no seccomp filters";
  EXPECT_EQ(status, 0);
  EXPECT_EQ(message, "alive");
}

} // namespace
