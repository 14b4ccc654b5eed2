// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Eight threads with two streams each launch different problems of a pack while they load it, open and
// close kernels of their own and make mistakes. Built with ThreadSanitizer; RuntimeThreadsTest runs it.

#include "RuntimeTestPack.h"
#include "fp8gemm/runtime.h"

#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <thread>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

constexpr unsigned kThreads = 8, kRounds = 20, kSteps = 40;

class User {
public:
  User(fp8gemm_pack *pack, const std::string &kernelFile, unsigned number, unsigned round)
      : pack(pack), kernelFile(kernelFile), number(number), random(number + kThreads * round) {}

  /// Any of what a program does; counts what did not end as it should.
  void step() {
    switch (random() % 16) {
    case 0:
      failures += fp8gemm_pack_load(pack, nullptr, 0) != FP8GEMM_OK;
      break;
    case 1: {
      fp8gemm_problem some = problem();
      failures += fp8gemm_pack_load(pack, &some, 1) != FP8GEMM_OK;
      break;
    }
    case 2: {
      fp8gemm_kernel *own = nullptr;
      failures += fp8gemm_kernel_open_memory(kernelFile.data(), kernelFile.size(), &own) != FP8GEMM_OK;
      launch(own, 7 + random() % 100);
      fp8gemm_kernel_close(own);
      break;
    }
    case 3: {
      fp8gemm_problem wrong = problem();
      wrong.k = 9000 + number;
      fp8gemm_pack_find(pack, &wrong, 1);
      bool own = std::string(fp8gemm_last_error()).find("\"k\": " + std::to_string(wrong.k)) != std::string::npos;
      failures += fp8gemm_last_status() != FP8GEMM_NOT_IN_PACK || !own;
      break;
    }
    default: {
      int64_t m = 1 + random() % 1200;
      fp8gemm_problem some = problem();
      launch(fp8gemm_pack_find(pack, &some, m), m);
    }
    }
  }

  int failures = 0;

private:
  fp8gemm_problem problem() {
    fp8gemm_problem problem{};
    problem.size = sizeof(problem);
    failures += fp8gemm_pack_get_problem(pack, random() % 2, &problem) != FP8GEMM_OK;
    return problem;
  }

  /// On one of this thread's streams, with operands of 40 layers in turn.
  void launch(fp8gemm_kernel *kernel, int64_t m) {
    uintptr_t mine = uintptr_t(number + 1) << 32, layer = random() % 40 * 0x1000;
    auto at = [&](uintptr_t place) { return reinterpret_cast<void *>(mine + place + layer); };
    fp8gemm_gemm_args args{};
    args.size = sizeof(args);
    args.m = m;
    args.a = {at(0x1000'0000), 7168};
    args.sfa = {at(0x2000'0000), 1200};
    args.b = {at(0x3000'0000), 7168};
    args.sfb = {at(0x7000'0000), 56};
    args.d = {at(0x8000'0000), 4096};
    auto *stream = reinterpret_cast<CUstream_st *>(mine + 0x100 * (1 + random() % 2));
    failures += fp8gemm_gemm(kernel, &args, stream) != FP8GEMM_OK;
  }

  fp8gemm_pack *pack;
  const std::string &kernelFile;
  unsigned number;
  std::mt19937 random;
};

/// Threads start together, so that they meet in what happens once.
int runTogether(fp8gemm_pack *pack, const std::string &kernelFile, unsigned round) {
  std::atomic<unsigned> ready{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kThreads; ++number)
    threads.emplace_back([&, number] {
      User user(pack, kernelFile, number, round);
      ready.fetch_add(1, std::memory_order_relaxed);
      while (ready.load(std::memory_order_relaxed) < kThreads)
        std::this_thread::yield();
      for (unsigned i = 0; i < kSteps; ++i)
        user.step();
      failures += user.failures;
    });
  for (std::thread &thread : threads)
    thread.join();
  return failures;
}

TEST(Threads, LaunchAndLoad) {
  setenv("FP8GEMM_LIBCUDA", FP8GEMM_THREADS_DRIVER, 1);
  const std::string bytes = makePack(twoProblems()), kernelFile = makeKernelFile();
  for (unsigned round = 0; round < kRounds; ++round) {
    fp8gemm_pack *pack = nullptr;
    ASSERT_EQ(fp8gemm_pack_open_memory(bytes.data(), bytes.size(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(runTogether(pack, kernelFile, round), 0);
    fp8gemm_pack_close(pack);
  }
}

} // namespace
