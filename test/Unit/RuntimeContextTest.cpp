// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel in many contexts and on many devices.

#include "RuntimeGemmFixture.h"
#include "RuntimeTestPack.h"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// Contexts 0x100 and 0x101 of device 0, 0x102 of device 1.
class Contexts : public Gemm {
protected:
  void SetUp() override {
    Gemm::SetUp();
    fake().devices = {{context(0x100), 0}, {context(0x101), 0}, {context(0x102), 1}};
    for (uintptr_t i = 0; i < 3; ++i)
      fake().streams[stream(0x7000 + i)] = context(0x100 + i);
  }
  void TearDown() override {
    makeCurrent(nullptr);
    Gemm::TearDown();
  }

  static void makeCurrent(cuda::CUcontext context) {
    static auto *set = reinterpret_cast<cuda::CUresult (*)(cuda::CUcontext)>(
        dlsym(dlopen(FP8GEMM_FAKE_LIBCUDA, RTLD_NOW), "cuCtxSetCurrent"));
    set(context);
  }

  /// Launches in the context of that number, on its stream.
  fp8gemm_status runIn(uintptr_t number) {
    makeCurrent(context(0x100 + number));
    return run(1000, stream(0x7000 + number));
  }

  static long count(const std::string &call) { return std::count(fake().calls.begin(), fake().calls.end(), call); }
};

TEST_F(Contexts, OneKernelServesAll) {
  open();
  for (uintptr_t number : {0, 1, 2, 1, 0}) {
    ASSERT_EQ(runIn(number), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().launches.back().context, context(0x100 + number));
    EXPECT_EQ(fake().launches.back().config.hStream, stream(0x7000 + number));
  }
  EXPECT_EQ(count("cuLibraryLoadData"), 1);
  EXPECT_EQ(fake().smemOfDevice, (std::map<int, int>{{0, 200000}, {1, 200000}}));
}

TEST_F(Contexts, EachDeviceIsChecked) {
  open();
  ASSERT_EQ(runIn(0), FP8GEMM_OK) << fp8gemm_last_error();
  fake().minor = 1; // of device 1; what was loaded stays
  EXPECT_EQ(runIn(2), FP8GEMM_UNSUPPORTED_DEVICE);
  EXPECT_EQ(runIn(1), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Contexts, StreamsBelongToOne) {
  open();
  makeCurrent(context(0x100));
  EXPECT_EQ(run(1000, stream(0x7001)), FP8GEMM_WRONG_CONTEXT); // the same device
  EXPECT_EQ(run(1000, stream(0x7002)), FP8GEMM_WRONG_CONTEXT);
  EXPECT_EQ(run(1000, stream(0x7000)), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Contexts, LoadReadiesTheCurrentOne) {
  open();
  for (uintptr_t number : {0, 1, 2, 0}) {
    makeCurrent(context(0x100 + number));
    ASSERT_EQ(fp8gemm_kernel_load(kernel), FP8GEMM_OK) << fp8gemm_last_error();
  }
  EXPECT_EQ(fake().loadedInto,
            (std::vector<cuda::CUcontext>{context(0x100), context(0x101), context(0x102), context(0x100)}));
  EXPECT_EQ(count("cuLibraryLoadData"), 1);
  size_t before = fake().calls.size();
  ASSERT_EQ(runIn(1), FP8GEMM_OK);
  EXPECT_EQ(count("cuFuncLoad"), 4);
  // What the first launch costs: the device, the context, its stream's; four maps, the launch.
  EXPECT_EQ(fake().calls.size(), before + 8);
  fake().failures["cuFuncLoad"] = 1;
  expect(fp8gemm_kernel_load(kernel), FP8GEMM_DRIVER_ERROR, "cuFuncLoad failed");
}

TEST_F(Contexts, PacksLoadIntoTheCurrentOne) {
  std::string bytes = makePack(twoProblems());
  fp8gemm_pack *pack = nullptr;
  ASSERT_EQ(fp8gemm_pack_open_memory(bytes.data(), bytes.size(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
  for (uintptr_t number : {0, 1}) {
    fake().loadedInto.clear();
    makeCurrent(context(0x100 + number));
    ASSERT_EQ(fp8gemm_pack_load(pack, nullptr, 0), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().loadedInto, std::vector<cuda::CUcontext>(5, context(0x100 + number))); // one in two intervals
  }
  EXPECT_EQ(count("cuLibraryLoadData"), 4);
  fp8gemm_pack_close(pack);
}

TEST_F(Contexts, ThreadsOfEach) {
  open();
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (uintptr_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        failed += runIn(t % 3) != FP8GEMM_OK;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failed, 0);
  for (const FakeLaunch &launch : fake().launches)
    EXPECT_EQ(fake().streams.at(launch.config.hStream), launch.context);
}

} // namespace
