// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C++ wrapper: owners, exceptions, sizes that are filled in.

#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"
#include "fp8gemm/runtime.hpp"

#include <fstream>
#include <type_traits>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

static_assert(!std::is_copy_constructible_v<Kernel> && std::is_nothrow_move_constructible_v<Kernel> &&
              std::is_nothrow_move_assignable_v<Kernel>);
static_assert(!std::is_copy_constructible_v<fp8gemm::Pack> && std::is_nothrow_move_constructible_v<fp8gemm::Pack> &&
              std::is_nothrow_move_assignable_v<fp8gemm::Pack>);
static_assert(sizeof(KernelRef) == sizeof(void *));

class Cpp : public Grouped {
protected:
  static Kernel make(const ManifestSpec &manifest = {}) {
    std::string bytes = makeMatchingKernelFile(manifest);
    return Kernel(bytes.data(), bytes.size());
  }

  template <typename Call> void expectError(Call call, fp8gemm_status status, const std::string &part) {
    try {
      call();
      ADD_FAILURE() << "no exception";
    } catch (const Error &error) {
      EXPECT_EQ(error.status(), status);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
};

TEST_F(Cpp, KernelsAreClosedOnce) {
  {
    Kernel first = make();
    first.load();
    EXPECT_EQ(fake().liveLibraries, 1);
    Kernel second = std::move(first);
    EXPECT_EQ(second.info().n, 4096);
    second = make(); // closes what it had
    EXPECT_EQ(fake().liveLibraries, 0);
    second.load();
  }
  EXPECT_EQ(fake().liveLibraries, 0);
}

TEST_F(Cpp, RingReports) {
  ManifestSpec debug;
  debug.debug.limitMs = 1000;
  EXPECT_EQ(make(debug).ringReport(), "");
  expectError([] { make().ringReport(); }, FP8GEMM_INVALID_ARGUMENT, "expected a kernel built with --debug-rings");
}

TEST_F(Cpp, LaunchesWithoutASize) {
  Kernel kernel = make();
  fp8gemm_gemm_args args = goodArgs();
  args.size = 0;
  kernel.gemm(args, nullptr);
  EXPECT_EQ(fake().launches.size(), 1u);
  fp8gemm_grouped_gemm_args groupedArgs = arguments(format::Grouping::RowEnd);
  groupedArgs.size = 0;
  fake().paramBytes.clear();
  make(grouped(format::Grouping::RowEnd)).groupedGemm(groupedArgs, nullptr);
  EXPECT_EQ(fake().launches.size(), 2u);
}

TEST_F(Cpp, FailuresAreThrown) {
  expectError([] { Kernel("/nonexistent/kernel"); }, FP8GEMM_IO_ERROR, "cannot open '/nonexistent/kernel'");
  expectError([] { Kernel("x", 1); }, FP8GEMM_INVALID_FILE, "kernel in memory");
  expectError([] { fp8gemm::Pack("/nonexistent/pack"); }, FP8GEMM_IO_ERROR, "cannot open '/nonexistent/pack'");
  alignas(16) static const char bytes[16] = "x";
  expectError([] { fp8gemm::Pack(bytes, 16); }, FP8GEMM_INVALID_FILE, "pack in memory");
  Kernel kernel = make();
  fp8gemm_gemm_args args = goodArgs();
  args.m = -1;
  expectError([&] { kernel.gemm(args, nullptr); }, FP8GEMM_INVALID_ARGUMENT, "expected m in");
  expectError([&] { kernel.groupedGemm({}, nullptr); }, FP8GEMM_INVALID_ARGUMENT, "call fp8gemm_gemm");
  fake().failures["cuLibraryLoadData"] = 1;
  expectError([&] { kernel.load(); }, FP8GEMM_DRIVER_ERROR, "cuLibraryLoadData failed");
}

TEST_F(Cpp, Packs) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/cpp.fp8pack";
  std::ofstream(path, std::ios::binary) << makePack(twoProblems());
  {
    fp8gemm::Pack pack(path);
    auto problems = pack.problems();
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_EQ(problems[0].n, 512);
    problems[1].size = 0;
    KernelRef kernel = pack.find(problems[1], 100);
    EXPECT_EQ(kernel.info().smem_bytes, 11000u);
    pack.load({});
    EXPECT_EQ(fake().liveLibraries, 0);
    pack.load({problems[0]});
    EXPECT_EQ(fake().liveLibraries, 1);
    pack.load();
    EXPECT_EQ(fake().liveLibraries, 4);
    kernel.gemm(goodArgs(100), nullptr);
    EXPECT_EQ(fake().launches.back().config.sharedMemBytes, 11000u);
    problems[0].n = 8;
    expectError([&] { pack.find(problems[0], 1); }, FP8GEMM_NOT_IN_PACK, "expected one of the pack's 2 problems");
    expectError([&] { pack.find(problems[1], -1); }, FP8GEMM_INVALID_ARGUMENT, "expected m >= 0, got -1");
    fp8gemm::Pack moved = std::move(pack);
    EXPECT_EQ(moved.problems().size(), 2u);
  }
  EXPECT_EQ(fake().liveLibraries, 0);
}

} // namespace
