// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels built with --debug-rings: the address for their reports, and the text made of them.

#include "RingReport.h"
#include "RuntimeGemmFixture.h"

#include <algorithm>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

enum Wait { kProducer, kHelper, kConsumer, kConsumerOfC };

class RingReport : public Gemm {
protected:
  void open(uint32_t limitMs = 1000, uint32_t splitK = 1) {
    ManifestSpec spec;
    spec.debug.limitMs = limitMs;
    spec.splitK = splitK;
    Gemm::open(spec);
  }

  format::RingReport *reports(cuda::CUcontext of) { return reinterpret_cast<format::RingReport *>(fake().globals[of]); }

  /// What a warp writes in the current context.
  void report(uint32_t wait, uint32_t stage, bool phase, uint32_t cta, uint32_t thread, uint32_t rank = 0) {
    format::RingReport *to = reports(fake().current);
    while (to->isWritten)
      ++to;
    *to = {1, wait, stage, phase, cta, rank, thread, 0};
  }

  std::string text() {
    const char *text = fp8gemm_kernel_ring_report(kernel);
    return text ? text : std::string("error: ") + fp8gemm_last_error();
  }

  void expectLine(const std::string &line) {
    EXPECT_NE(("\n" + text()).find("\n" + line + "\n"), std::string::npos) << line << "\nin:\n" << text();
  }

  int count(const std::string &call) { return int(std::count(fake().calls.begin(), fake().calls.end(), call)); }
};

TEST_F(RingReport, OfNoDebugBuildThereIsNone) {
  Gemm::open();
  ASSERT_EQ(run(), FP8GEMM_OK);
  EXPECT_EQ(count("cuLibraryGetGlobal") + count("cuMemHostRegister_v2") + count("cuMemcpyHtoD_v2"), 0);
  EXPECT_EQ(fp8gemm_kernel_ring_report(kernel), nullptr);
  expect(fp8gemm_last_status(), FP8GEMM_INVALID_ARGUMENT,
         "expected a kernel built with --debug-rings, got 'gemm_test'");
  EXPECT_EQ(fp8gemm_kernel_ring_report(nullptr), nullptr);
  expect(fp8gemm_last_status(), FP8GEMM_INVALID_ARGUMENT, "expected a kernel, got null");
}

TEST_F(RingReport, InfoTellsTheLimit) {
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  open(250);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.wait_limit_ns, 250'000'000u);
  Gemm::open();
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.wait_limit_ns, 0u);
}

TEST_F(RingReport, EachContextIsToldOnce) {
  open();
  EXPECT_EQ(text(), "");
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_last_error();
  ASSERT_EQ(run(), FP8GEMM_OK);
  EXPECT_EQ(fake().askedGlobal, format::kRingReportSymbol);
  EXPECT_EQ(count("cuLibraryGetGlobal"), 1);
  cuda::CUcontext first = fake().current;
  fake().current = context(0x101);
  fake().devices = {{context(0x101), 1}};
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_last_error();
  ASSERT_EQ(fake().registered.size(), 2u);
  EXPECT_NE(reports(first), reports(fake().current));
  for (auto [pointer, bytes] : fake().registered)
    EXPECT_EQ(bytes, format::kMaxRingReports * sizeof(format::RingReport));
  EXPECT_EQ(text(), "");
  report(kProducer, 0, false, 0, 0);
  EXPECT_EQ(text().rfind("on device 1:\nkernel 'gemm_test' waited for more than 1000 ms:\n", 0), 0u) << text();
  fp8gemm_kernel_close(kernel);
  kernel = nullptr;
  EXPECT_TRUE(fake().registered.empty());
}

TEST_F(RingReport, EqualWaitsAreOneLine) {
  open();
  ASSERT_EQ(run(), FP8GEMM_OK);
  for (uint32_t cta : {0, 1, 2, 3, 7}) {
    report(kProducer, 3, false, cta, 0);
    report(kHelper, 3, false, cta, 32);
    for (uint32_t warp = 4; warp < 12; ++warp)
      report(kConsumer, cta == 7 ? 2 : 3, true, cta, warp * 32);
  }
  EXPECT_EQ(
      text(),
      "kernel 'gemm_test' waited for more than 1000 ms:\n"
      "  producer, cta 0-3, 7: waits until stage 3 of ring 0 is empty (phase false), at gemm.mlir:12:9\n"
      "  helper, cta 0-3, 7: waits until stage 3 of ring 0 is empty (phase false)\n"
      "  consumer 0, cta 7: waits until stage 2 of ring 0 is full (phase true), at gemm.mlir:30:9\n"
      "  consumer 0, cta 0-3: waits until stage 3 of ring 0 is full (phase true), at gemm.mlir:30:9\n"
      "  consumer 1, cta 7: waits until stage 2 of ring 0 is full (phase true), at gemm.mlir:30:9\n"
      "  consumer 1, cta 0-3: waits until stage 3 of ring 0 is full (phase true), at gemm.mlir:30:9\n"
      "  ring 0: 4 stages, filled by TMA (128x128xf8E4M3FN, 128xf32) and the helper (1xf32), read by 2 consumers\n"
      "  ring 1: 1 stage, filled by TMA (128x128xf8E4M3FN, 128xf32), read by 2 consumers\n");
}

TEST_F(RingReport, WhoDoesNotWaitIsNamed) {
  open();
  ASSERT_EQ(run(), FP8GEMM_OK);
  report(kProducer, 0, false, 5, 0);
  report(kConsumerOfC, 0, false, 5, 5 * 32); // one warp of the first consumer
  report(kConsumerOfC, 0, false, 5, 7 * 32);
  expectLine("  consumer 0 (warp 1, 3), cta 5: waits until stage 0 of ring 1 is full (phase false), at gemm.mlir:50:9");
  const std::string nowhere = ", cta 5: at no ring: it runs, has ended, or stands at a named or cluster barrier, whose "
                              "waits have no limit";
  expectLine("  helper" + nowhere);
  expectLine("  consumer 1" + nowhere);
}

TEST_F(RingReport, RanksOfAClusterAreApart) {
  open(1000, /*splitK=*/2);
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_last_error();
  for (uint32_t cta = 0; cta < 4; ++cta)
    report(kProducer, 1, true, cta, 0, cta % 2);
  expectLine("  producer, cta 0, 2 (rank 0 of the cluster): waits until stage 1 of ring 0 is empty (phase true), at "
             "gemm.mlir:12:9");
  expectLine("  producer, cta 1, 3 (rank 1 of the cluster): waits until stage 1 of ring 0 is empty (phase true), at "
             "gemm.mlir:12:9");
}

/// Memory that a broken kernel wrote to is read with care.
TEST_F(RingReport, ReportsOfAnything) {
  open();
  ASSERT_EQ(run(), FP8GEMM_OK);
  format::RingReport *all = reports(fake().current);
  std::fill(all, all + format::kMaxRingReports, format::RingReport{~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u});
  all[0].wait = kConsumer;
  expectLine("  there is no room for more than these 4096 reports of warps");
}

TEST_F(RingReport, CallsThatFail) {
  for (const char *call : {"cuCtxGetCurrent", "cuLibraryGetGlobal", "cuMemHostRegister_v2",
                           "cuMemHostGetDevicePointer_v2", "cuMemcpyHtoD_v2"}) {
    fake() = FakeCuda();
    open();
    fake().failures = {{call, 1}};
    std::string name = call; // without the suffix of its version
    expect(fp8gemm_kernel_load(kernel), FP8GEMM_DRIVER_ERROR, name.substr(0, name.find("_v2")));
    EXPECT_TRUE(fake().registered.empty()) << call;
    fake().failures.clear();
    EXPECT_EQ(fp8gemm_kernel_load(kernel), FP8GEMM_OK) << fp8gemm_last_error();
  }
  fake() = FakeCuda();
  open();
  fake().globalBytes = 4;
  expect(fp8gemm_kernel_load(kernel), FP8GEMM_INVALID_FILE,
         "expected fp8gemm_ring_report of 8 bytes in a kernel built with --debug-rings, got 4");
}

TEST_F(RingReport, ManifestsThatMakeNoSense) {
  auto refuse = [&](auto change, const std::string &part) {
    ManifestSpec spec;
    spec.debug.limitMs = 1000;
    change(spec.debug);
    std::string bytes = makeKernelFile(spec);
    fp8gemm_kernel *opened = nullptr;
    expect(fp8gemm_kernel_open_memory(bytes.data(), bytes.size(), &opened), FP8GEMM_INVALID_FILE, part);
  };
  refuse([](DebugSpec &debug) { debug.waits[0].ring = 2; }, "expected waits at one of 2 rings, got ring 2");
  refuse([](DebugSpec &debug) { debug.waits[1].role = format::WarpRole(7); }, "expected a known role, got 7");
  refuse([](DebugSpec &debug) { debug.waits[1].until = format::StageState(2); },
         "expected a known state of a stage, got 2");
  refuse([](DebugSpec &debug) { debug.stages[0] = 0; }, "expected rings with stages and 1 to 7 readers, got 0 stages");
  refuse([](DebugSpec &debug) { debug.readers = 8; }, "got 4 stages and 8 readers");
}

} // namespace
