// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs in the C API: opening, finding, loading, launching.

#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// The problem of ManifestSpec.
fp8gemm_problem problemOf(int64_t n = 4096) {
  fp8gemm_problem problem = {};
  problem.size = sizeof(problem);
  problem.n = n;
  problem.k = 7168;
  problem.d_type = FP8GEMM_BF16;
  problem.sfb_block_rows = 128;
  problem.sfa_layout = FP8GEMM_MN_MAJOR;
  return problem;
}

class Pack : public Gemm {
protected:
  void TearDown() override {
    Gemm::TearDown();
    fp8gemm_pack_close(pack);
  }

  void open(const PackSpec &spec = twoProblems()) {
    fp8gemm_pack_close(pack);
    pack = nullptr;
    bytes = makePack(spec);
    ASSERT_EQ(fp8gemm_pack_open_memory(bytes.data(), bytes.size(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
  }

  std::string write(const std::string &name, const std::string &contents) {
    std::string path = std::string(FP8GEMM_TEST_DIR) + "/" + name;
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }

  /// Shared memory of what is found, which tells kernels apart; 0: none.
  uint32_t smemOf(const fp8gemm_problem &problem, int64_t m) {
    fp8gemm_kernel_info info = {};
    info.size = sizeof(info);
    return fp8gemm_kernel_get_info(fp8gemm_pack_find(pack, &problem, m), &info) ? 0 : info.smem_bytes;
  }

  void expectNotFound(const fp8gemm_problem &problem) {
    EXPECT_EQ(fp8gemm_pack_find(pack, &problem, 1), nullptr);
    EXPECT_EQ(fp8gemm_last_status(), FP8GEMM_NOT_IN_PACK);
    expect(fp8gemm_pack_load(pack, &problem, 1), FP8GEMM_NOT_IN_PACK, "expected one of the pack's");
  }

  static long loads() { return std::count(fake().calls.begin(), fake().calls.end(), "cuLibraryLoadData"); }

  std::string bytes;
  fp8gemm_pack *pack = nullptr;
};

TEST_F(Pack, EveryMHasTheKernelOfItsInterval) {
  open();
  for (int64_t m = 0; m <= 2048; ++m)
    ASSERT_EQ(smemOf(problemOf(), m), m < 65 ? 10000u : m < 129 ? 11000u : m < 1025 ? 10000u : 12000u) << m;
  EXPECT_EQ(smemOf(problemOf(), INT64_MAX), 12000u);
  for (int64_t m : {0, 1, 100000})
    EXPECT_EQ(smemOf(problemOf(512), m), 13000u);
}

TEST_F(Pack, BatchInvariantPlansAreFoundByThatWord) {
  PackSpec spec = twoProblems();
  spec.plans[0].intervals = {{1, 0}};
  spec.plans.push_back({{{1, 2}, {65, 1}}, 4096, true}); // of N = 4096, too
  open(spec);
  fp8gemm_problem problem = problemOf();
  EXPECT_EQ(smemOf(problem, 1), 10000u);
  problem.batch_invariant = 1;
  EXPECT_EQ(smemOf(problem, 1), 12000u);
  EXPECT_EQ(smemOf(problem, 65), 11000u);
  // The only plan of N = 512 is batch-invariant, and serves those who don't ask for it.
  problem = problemOf(512);
  EXPECT_EQ(smemOf(problem, 1), 13000u);
  problem.batch_invariant = 1;
  EXPECT_EQ(smemOf(problem, 1), 13000u);
  spec.plans.pop_back();
  spec.plans[0].intervals = {{1, 0}, {2, 1}, {3, 2}};
  open(spec);
  problem = problemOf();
  problem.batch_invariant = 1;
  expectNotFound(problem);
}

TEST_F(Pack, WhatIsNotInItIsNotFound) {
  open();
  auto expectOther = [&](auto change) {
    fp8gemm_problem problem = problemOf();
    change(problem);
    expectNotFound(problem);
  };
  expectOther([](auto &p) { p.n = 8; });
  expectOther([](auto &p) { p.k = 16; });
  expectOther([](auto &p) { p.a_type = FP8GEMM_E5M2; });
  expectOther([](auto &p) { p.b_type = FP8GEMM_E5M2; });
  expectOther([](auto &p) { p.d_type = FP8GEMM_F32; });
  expectOther([](auto &p) { p.c_use = FP8GEMM_C_IN_PLACE; });
  expectOther([](auto &p) { p.sfb_block_rows = 1; });
  expectOther([](auto &p) { p.sfa_layout = FP8GEMM_K_MAJOR; });
  expectOther([](auto &p) { p.sfb_layout = FP8GEMM_MN_MAJOR; });
  expectOther([](auto &p) { p.grouping = FP8GEMM_BATCHED; });
  expectOther([](auto &p) { p.flat = 1; });
  EXPECT_NE(std::string(fp8gemm_last_error()).find("; 1 of them have this n and k"), std::string::npos);
}

TEST_F(Pack, WhatDoesNotCountIsIgnored) {
  open();
  fp8gemm_problem problem = problemOf();
  problem.m = 77;
  problem.groups = 9;
  problem.group_align = 64;
  EXPECT_EQ(smemOf(problem, 1), 10000u);
}

TEST_F(Pack, GroupedProblems) {
  PackSpec spec;
  spec.kernels = {grouped(format::Grouping::RowEnd), grouped(format::Grouping::KCount),
                  grouped(format::Grouping::KCount)};
  spec.kernels[0].groupAlign = 16;
  spec.kernels[1].smemBytes = 10000;
  spec.kernels[2].m = 72;
  spec.plans = {{{{1, 0}}, 4096, false}, {{{1, 1}}, 0, true}, {{{1, 2}}, 0, true}};
  open(spec);
  ASSERT_EQ(fp8gemm_pack_problem_count(pack), 3u);
  for (size_t i = 0; i < 3; ++i) {
    fp8gemm_problem problem = {};
    problem.size = sizeof(problem);
    ASSERT_EQ(fp8gemm_pack_get_problem(pack, i, &problem), FP8GEMM_OK);
    EXPECT_EQ(problem.groups, 4u);
    fp8gemm_kernel_info info = {};
    info.size = sizeof(info);
    ASSERT_EQ(fp8gemm_kernel_get_info(fp8gemm_pack_find(pack, &problem, 5), &info), FP8GEMM_OK);
    EXPECT_EQ(info.grouping, problem.grouping);
    EXPECT_EQ(info.m, problem.m);
    problem.groups = 5;
    expectNotFound(problem);
    problem.groups = 4;
    if (problem.grouping == FP8GEMM_ROW_END) {
      EXPECT_EQ(problem.group_align, 16u);
      problem.group_align = 8;
    } else {
      // Its M is a part of the problem; the M to find one for is not looked at.
      EXPECT_NE(fp8gemm_pack_find(pack, &problem, -1), nullptr);
      problem.m = 73;
    }
    expectNotFound(problem);
  }
}

TEST_F(Pack, ProblemsAreListed) {
  open();
  ASSERT_EQ(fp8gemm_pack_problem_count(pack), 2u);
  EXPECT_EQ(fp8gemm_pack_problem_count(nullptr), 0u);
  fp8gemm_problem problem = problemOf(8);
  ASSERT_EQ(fp8gemm_pack_get_problem(pack, 0, &problem), FP8GEMM_OK);
  EXPECT_EQ(problem.n, 512);
  ASSERT_EQ(fp8gemm_pack_get_problem(pack, 1, &problem), FP8GEMM_OK);
  EXPECT_EQ(problem.n, 4096);
  EXPECT_EQ(problem.sfb_block_rows, 128u);
  expect(fp8gemm_pack_get_problem(pack, 2, &problem), FP8GEMM_INVALID_ARGUMENT, "expected a problem below 2, got 2");
}

TEST_F(Pack, LaunchesAfterALoadLoadNothing) {
  open();
  ASSERT_EQ(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(loads(), 4);
  EXPECT_EQ(fake().liveLibraries, 4);
  EXPECT_EQ(fake().loadedCode, std::string(ELFMAG, 4));
  ASSERT_EQ(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_OK);
  fake().calls.clear();
  for (int64_t m : {1, 100, 2000}) {
    fp8gemm_problem problem = problemOf();
    fp8gemm_gemm_args args = goodArgs(m);
    args.sfa.leading_dimension = 2048;
    ASSERT_EQ(fp8gemm_gemm(fp8gemm_pack_find(pack, &problem, m), &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().launches.back().config.sharedMemBytes, smemOf(problem, m));
  }
  for (const std::string &call : fake().calls)
    EXPECT_TRUE(call == "cuCtxGetDevice" || call == "cuTensorMapEncodeTiled" || call == "cuLaunchKernelEx") << call;
  fp8gemm_pack_close(pack);
  pack = nullptr;
  EXPECT_EQ(fake().liveLibraries, 0);
}

TEST_F(Pack, SomeProblemsAreLoaded) {
  open();
  fp8gemm_problem problems[] = {problemOf(512)};
  ASSERT_EQ(fp8gemm_pack_load(pack, problems, 1), FP8GEMM_OK);
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(fake().loadedEntry, "gemm_13000");
  problems[0] = problemOf();
  ASSERT_EQ(fp8gemm_pack_load(pack, problems, 1), FP8GEMM_OK);
  EXPECT_EQ(loads(), 4); // a kernel of two intervals once
}

TEST_F(Pack, FailuresToLoadAreTold) {
  open();
  fake().failures["cuLibraryLoadData"] = 1;
  expect(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_DRIVER_ERROR, "cuLibraryLoadData failed");
  fake().failures.clear();
  fake().current = nullptr;
  expect(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_NO_CONTEXT, "make a live CUDA context current");
  fake().current = context(0x100);
  fake().minor = 1;
  expect(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_UNSUPPORTED_DEVICE, "of compute capability 9.0");
}

TEST_F(Pack, ItsKernelsAreItsOwn) {
  open();
  fp8gemm_problem problem = problemOf();
  fp8gemm_kernel_close(fp8gemm_pack_find(pack, &problem, 1));
  EXPECT_EQ(smemOf(problem, 1), 10000u);
}

TEST_F(Pack, IsMappedFromAFile) {
  std::string path = write("mapped.fp8pack", makePack(twoProblems()));
  ASSERT_EQ(fp8gemm_pack_open(path.c_str(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
  // Another file takes its name: what is mapped stays.
  std::string other = write("other.fp8pack", "other");
  ASSERT_EQ(std::rename(other.c_str(), path.c_str()), 0);
  ASSERT_EQ(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_OK);
  EXPECT_EQ(smemOf(problemOf(), 70), 11000u);
  fp8gemm_pack *none = nullptr;
  expect(fp8gemm_pack_open(path.c_str(), &none), FP8GEMM_INVALID_FILE, path + ": expected a pack (made by");
  EXPECT_EQ(none, nullptr);
}

TEST_F(Pack, FilesThatAreNoPacks) {
  auto expectFile = [&](const std::string &path, fp8gemm_status status, const std::string &part) {
    expect(fp8gemm_pack_open(path.c_str(), &pack), status, part);
    EXPECT_EQ(pack, nullptr);
  };
  expectFile("/does/not/exist", FP8GEMM_IO_ERROR, "cannot open '/does/not/exist': No such file");
  expectFile(FP8GEMM_TEST_DIR, FP8GEMM_IO_ERROR, "expected a regular file");
  expectFile("/dev/zero", FP8GEMM_IO_ERROR, "expected a regular file");
  // Not waited for.
  std::string pipe = std::string(FP8GEMM_TEST_DIR) + "/named-pipe.fp8pack";
  unlink(pipe.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expectFile(pipe, FP8GEMM_IO_ERROR, "cannot open '" + pipe + "': expected a regular file");
  fp8gemm_kernel *kernel = nullptr;
  for (const char *path : {pipe.c_str(), "/dev/zero", FP8GEMM_TEST_DIR})
    expect(fp8gemm_kernel_open(path, &kernel), FP8GEMM_IO_ERROR, "expected a regular file");
  expectFile(write("empty.fp8pack", ""), FP8GEMM_INVALID_FILE, "got an empty file");
  expectFile(write("kernel.fp8pack", makeKernelFile()), FP8GEMM_INVALID_FILE, "got something else");
  std::string good = makePack(twoProblems());
  expectFile(write("short.fp8pack", good.substr(0, 3000)), FP8GEMM_INVALID_FILE, "it is truncated");
  PackSpec spec = twoProblems();
  spec.kernels[3].params.resize(25, spec.kernels[3].params.back());
  expectFile(write("params.fp8pack", makePack(spec)), FP8GEMM_INVALID_FILE, "at most 24 kernel parameters, got 25");
}

TEST_F(Pack, ArgumentsAreChecked) {
  expect(fp8gemm_pack_open(nullptr, &pack), FP8GEMM_INVALID_ARGUMENT, "expected a path");
  expect(fp8gemm_pack_open_memory("x", 1, nullptr), FP8GEMM_INVALID_ARGUMENT, "expected bytes");
  open();
  fp8gemm_pack *other = nullptr;
  expect(fp8gemm_pack_open_memory(bytes.data() + 8, 100, &other), FP8GEMM_INVALID_ARGUMENT, "from a multiple of 16");
  expect(fp8gemm_pack_load(nullptr, nullptr, 0), FP8GEMM_INVALID_ARGUMENT, "expected a pack, got null");
  fp8gemm_problem problem = problemOf();
  auto expectNone = [&](fp8gemm_kernel *kernel, const char *part) {
    EXPECT_EQ(kernel, nullptr);
    EXPECT_EQ(fp8gemm_last_status(), FP8GEMM_INVALID_ARGUMENT);
    EXPECT_NE(std::string(fp8gemm_last_error()).find(part), std::string::npos) << fp8gemm_last_error();
  };
  expectNone(fp8gemm_pack_find(nullptr, &problem, 1), "expected a pack and a problem, got null");
  expectNone(fp8gemm_pack_find(pack, &problem, -1), "expected m >= 0, got -1");
  problem.size = 8;
  expectNone(fp8gemm_pack_find(pack, &problem, 1), "in fp8gemm_problem, got 8");
  expect(fp8gemm_pack_load(pack, &problem, 1), FP8GEMM_INVALID_ARGUMENT, "in fp8gemm_problem, got 8");
  expect(fp8gemm_pack_get_problem(pack, 0, &problem), FP8GEMM_INVALID_ARGUMENT, "in fp8gemm_problem, got 8");
}

TEST_F(Pack, ManyThreadsFindLoadAndLaunch) {
  open();
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      fp8gemm_problem problem = problemOf(t % 2 ? 512 : 4096);
      failed += fp8gemm_pack_load(pack, nullptr, 0) != FP8GEMM_OK;
      for (int64_t m = 1 + t; m < 1000; m += 100) {
        fp8gemm_gemm_args args = goodArgs(m);
        failed += fp8gemm_gemm(fp8gemm_pack_find(pack, &problem, m), &args, nullptr) != FP8GEMM_OK;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(loads(), 4);
  EXPECT_EQ(fake().launches.size(), 80u);
}

} // namespace
