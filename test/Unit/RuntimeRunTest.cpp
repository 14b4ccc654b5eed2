// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm-run: its number formats, its reference, and the program itself on a GPU that
// is faked (RuntimeFakeGpu.cpp).

#include "Reference.h"
#include "Report.h"
#include "RuntimeTestKernel.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>

using namespace fp8gemm;
using namespace fp8gemm::run;
using namespace fp8gemm::test;

namespace {

//===----------------------------------------------------------------------===//
// e4m3, operands
//===----------------------------------------------------------------------===//

class Fp8 : public testing::TestWithParam<F8> {
protected:
  int largestBits() const { return GetParam() == F8::E4m3 ? 0x7e : 0x7b; }
  uint8_t to(float value) const { return toF8(GetParam(), value); }
  float from(int bits) const { return fromF8(GetParam(), uint8_t(bits)); }
};
INSTANTIATE_TEST_SUITE_P(Types, Fp8, testing::Values(F8::E4m3, F8::E5m2));

TEST_P(Fp8, RoundTripsEveryValue) {
  for (int bits = 0; bits < 256; ++bits)
    if ((bits & 0x7f) <= largestBits()) {
      EXPECT_EQ(to(from(bits)), bits) << from(bits);
    }
  EXPECT_TRUE(std::isnan(from(0x7f)) && std::isnan(from(0xff)));
}

TEST(Fp8, Values) {
  EXPECT_EQ(fromF8(F8::E4m3, 0x7e), 448.0f);
  EXPECT_EQ(fromF8(F8::E4m3, 0x01), 0x1p-9f);
  EXPECT_EQ(fromF8(F8::E4m3, 0x38), 1.0f);
  EXPECT_EQ(fromF8(F8::E5m2, 0x7b), 57344.0f);
  EXPECT_EQ(fromF8(F8::E5m2, 0x01), 0x1p-16f);
  EXPECT_EQ(fromF8(F8::E5m2, 0xbc), -1.0f);
  EXPECT_EQ(fromF8(F8::E5m2, 0xfc), -INFINITY);
  EXPECT_TRUE(std::isnan(fromF8(F8::E5m2, 0x7d)));
}

TEST_P(Fp8, RoundsToNearestEven) {
  for (int bits = 0; bits < largestBits(); ++bits) {
    float low = from(bits), high = from(bits + 1), middle = (low + high) / 2;
    EXPECT_EQ(to(middle), bits % 2 ? bits + 1 : bits) << middle;
    EXPECT_EQ(to(std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(to(-std::nextafter(middle, 1e9f)), 0x80 | (bits + 1));
  }
  EXPECT_EQ(to(1e30f), largestBits());
  EXPECT_EQ(to(largest(GetParam()) + 1), largestBits());
}

float fromE4m3(uint8_t bits) { return fromF8(F8::E4m3, bits); }
uint8_t toE4m3(float value) { return toF8(F8::E4m3, value); }

Problem makeProblem(int64_t m, int64_t n, int64_t k, bool mnMajor = true, int64_t pad = 16, uint64_t seed = 1) {
  Problem problem;
  problem.m = m;
  problem.n = n;
  problem.k = k;
  problem.sfaMnMajor = problem.sfbMnMajor = mnMajor;
  problem.fill(pad, seed);
  return problem;
}

TEST(Operands, AreQuantisedPerBlock) {
  Problem problem = makeProblem(5, 136, 144);
  for (int64_t m = 0; m < 5; ++m)
    for (int64_t kBlock = 0; kBlock < 2; ++kBlock) {
      float largest = 0;
      for (int64_t k = kBlock * 128; k < std::min<int64_t>(144, kBlock * 128 + 128); ++k)
        largest = std::max(largest, std::fabs(fromE4m3(problem.a.row<uint8_t>(m)[k])));
      EXPECT_EQ(largest, 448.0f); // the largest of a block is what its scale comes from
      EXPECT_GT(problem.scaleA(m, kBlock), 0);
      EXPECT_LT(problem.scaleA(m, kBlock), 1);
    }
  EXPECT_EQ(problem.a.leadingDimension, 160);
  EXPECT_EQ(problem.d.leadingDimension, 136 + 8);
  EXPECT_EQ(problem.sfa.leadingDimension, 8 + 4);
  for (const Matrix *matrix : {&problem.a, &problem.sfa, &problem.b, &problem.sfb, &problem.d})
    EXPECT_EQ(matrix->countGuardDamage(), 0);
}

TEST(Operands, DependOnTheSeedAlone) {
  Problem first = makeProblem(9, 24, 256), again = makeProblem(9, 24, 256);
  EXPECT_EQ(first.a.bytes, again.a.bytes);
  EXPECT_EQ(first.b.bytes, again.b.bytes);
  EXPECT_EQ(first.sfa.bytes, again.sfa.bytes);
  Problem other = makeProblem(9, 24, 256, true, 16, 2);
  EXPECT_NE(first.a.bytes, other.a.bytes);
  EXPECT_NE(first.sfb.bytes, other.sfb.bytes);
}

TEST(Operands, GuardDamageIsCounted) {
  Matrix matrix(3, 10, 1, 16, 16);
  EXPECT_EQ(matrix.countGuardDamage(), 0);
  matrix.row<uint8_t>(1)[9] = 0; // an element
  EXPECT_EQ(matrix.countGuardDamage(), 0);
  matrix.row<uint8_t>(1)[10] = 0;
  matrix.row<uint8_t>(0)[-1] = 0;
  matrix.row<uint8_t>(3)[0] = 0;
  EXPECT_EQ(matrix.countGuardDamage(), 3);
}

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

/// Fills D with the product, written down once more as plainly as it gets.
void computeD(Problem &problem) {
  for (int64_t m = 0; m < problem.m; ++m)
    for (int64_t n = 0; n < problem.n; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < problem.k; ++k)
        sum += double(fromF8(problem.aType, problem.a.row<uint8_t>(m)[k])) *
               fromF8(problem.bType, problem.b.row<uint8_t>(n)[k]) * problem.scaleA(m, k / 128) *
               problem.scaleB(n, k / 128);
      if (problem.hasC)
        sum += problem.element(problem.inPlace ? problem.dBefore : problem.c, m, n);
      if (problem.dIsF32)
        problem.d.row<float>(m)[n] = float(sum);
      else
        problem.d.row<uint16_t>(m)[n] = toBf16(float(sum));
    }
}

TEST(Reference, BoundIsTheSumOfItsParts) {
  Problem one, two;
  one.k = 128, two.k = 256;
  EXPECT_DOUBLE_EQ(errorBound({1, 0, 0}, one), 0x1p-8);
  EXPECT_DOUBLE_EQ(errorBound({0, 1, 0}, two), 0x1p-22 * (1 + 0x1p-8));
  EXPECT_DOUBLE_EQ(errorBound({0, 0, 1}, one), 1 + 0x1p-8);
  EXPECT_GT(errorBound({0, 0, 0}, one), 0);
  one.hasC = true; // one more rounding, to f32
  EXPECT_DOUBLE_EQ(errorBound({1, 0, 0}, one), 0x1p-8 + 0x1p-24 + 0x1p-32);
  one.dIsF32 = true;
  EXPECT_DOUBLE_EQ(errorBound({1, 0, 0}, one), 0x1p-24);
}

TEST(Reference, HoldsForEveryRecipe) {
  for (bool dIsF32 : {false, true})
    for (bool hasC : {false, true})
      for (bool inPlace : {false, true})
        for (int64_t sfbRows : {1, 128}) {
          Problem problem;
          problem.m = 7, problem.n = 136, problem.k = 144;
          problem.aType = F8::E5m2, problem.bType = sfbRows == 1 ? F8::E4m3 : F8::E5m2;
          problem.dIsF32 = dIsF32, problem.hasC = hasC || inPlace, problem.inPlace = inPlace;
          problem.sfbRows = sfbRows, problem.sfbMnMajor = true;
          problem.fill(16, 1);
          computeD(problem);
          CheckResult result = run::check(problem, 1);
          EXPECT_TRUE(result.held()) << result.worst;
          problem.sfb.row<float>(0)[0] *= 2;
          EXPECT_FALSE(run::check(problem, 1).held());
        }
}

TEST(Reference, HoldsForTheProduct) {
  for (bool mnMajor : {true, false})
    for (auto [m, n, k] :
         {std::tuple<int64_t, int64_t, int64_t>{1, 8, 16}, {7, 24, 576}, {33, 136, 144}, {130, 264, 256}}) {
      Problem problem = makeProblem(m, n, k, mnMajor);
      computeD(problem);
      CheckResult result = run::check(problem, 1);
      EXPECT_TRUE(result.held()) << m << " " << n << " " << k << ": " << result.worst;
      EXPECT_EQ(int64_t(result.rows.size()), m);
      EXPECT_GT(result.worst, 0.01);
    }
}

TEST(Reference, SeesOneWrongElement) {
  Problem problem = makeProblem(33, 136, 144);
  computeD(problem);
  problem.d.row<uint16_t>(32)[135] ^= 0x0040; // half of its fraction
  CheckResult result = run::check(problem, 1);
  EXPECT_FALSE(result.held());
  EXPECT_EQ(result.failures, 1);
  EXPECT_EQ(result.worstRow, 32);
  EXPECT_EQ(result.worstColumn, 135);
}

// One of 56 K blocks has twice its weight: a bound by only the sum of magnitudes would
// be too loose to see it.
TEST(Reference, SeesOneWrongScale) {
  Problem problem = makeProblem(2, 24, 7168);
  computeD(problem);
  EXPECT_TRUE(run::check(problem, 1).held());
  problem.sfa.row<float>(30)[1] *= 2;
  CheckResult result = run::check(problem, 1);
  EXPECT_GT(result.failures, 0);
  EXPECT_EQ(result.worstRow, 1);
}

// What is lost below the tensor core's 13 bits is within the bound, and comes near it.
TEST(Reference, AllowsWhatTheTensorCoreLoses) {
  Problem problem = makeProblem(1, 8, 128);
  for (int64_t k = 0; k < 128; ++k) {
    problem.a.row<uint8_t>(0)[k] = toE4m3(k == 0 ? 256 : 7.5f); // 7.5 is lost below 2^16
    for (int64_t n = 0; n < 8; ++n)
      problem.b.row<uint8_t>(n)[k] = toE4m3(k == 0 ? 256 : 1);
  }
  float scale = problem.scaleA(0, 0) * problem.scaleB(0, 0);
  for (int64_t n = 0; n < 8; ++n)
    problem.d.row<uint16_t>(0)[n] = toBf16(65536.0f * scale);
  CheckResult result = run::check(problem, 1);
  EXPECT_EQ(result.failures, 0);
  EXPECT_GT(result.worst, 0.1);
}

TEST(Reference, SeesUnwrittenElements) {
  Problem problem = makeProblem(3, 8, 16);
  computeD(problem);
  problem.d.row<uint16_t>(1)[7] = 0xffff;
  CheckResult result = run::check(problem, 1);
  EXPECT_FALSE(result.held());
  EXPECT_EQ(result.notANumber, 1);
  EXPECT_EQ(result.failures, 1);
}

TEST(Reference, SamplesRowsOfLargeProblems) {
  Problem problem = makeProblem(300, 256, 512);
  CheckResult result = run::check(problem, 1, 64 * 256 * 512);
  EXPECT_EQ(result.rows.size(), 64u);
  EXPECT_EQ(result.rows.front(), 0);
  EXPECT_EQ(result.rows.back(), 299);
  EXPECT_EQ(result.failures, 64 * 256); // D is still poison
  EXPECT_EQ(result.notANumber, 300 * 256);
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

struct Outcome {
  int status;
  std::string output;
};

Outcome runTool(const std::string &arguments, const std::string &environment = "FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU) {
  std::string command = "env " + environment + " " FP8GEMM_RUN " " + arguments + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  Outcome outcome{-1, ""};
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    outcome.output.append(buffer, got);
  outcome.status = WEXITSTATUS(pclose(pipe));
  return outcome;
}

void expectRun(const Outcome &outcome, int status, const std::string &part) {
  EXPECT_EQ(outcome.status, status) << outcome.output;
  EXPECT_NE(outcome.output.find(part), std::string::npos) << "got: " << outcome.output;
}

std::string kernelFile(int64_t m = -1, int64_t n = 136, int64_t k = 272) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/runtime-run-" + std::to_string(m) + ".cubin";
  ManifestSpec manifest;
  manifest.m = m;
  manifest.n = n;
  manifest.k = k;
  std::ofstream(path, std::ios::binary) << makeKernelFile(manifest);
  return path;
}

TEST(RunTool, CheckHolds) {
  for (const char *m : {"1", "7", "129"}) {
    Outcome outcome = runTool(kernelFile() + " --m=" + m + " --check --pad=32 --device=gpu");
    expectRun(outcome, 0, "check    held: " + std::string(m) + " of " + m + " rows, all columns, against float64");
    expectRun(outcome, 0, "no NaN in D; guard zones intact; two runs gave the same bits");
    expectRun(outcome, 0, "device   gpu: Fake GPU, 132 SMs");
  }
  expectRun(runTool(kernelFile() + " --m=0 --check"), 0, "check    held: 0 of 0 rows");
}

std::string inPlaceF32(const std::string &name, format::ElementType b) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/" + name + ".cubin";
  ManifestSpec manifest;
  manifest.n = 136, manifest.k = 272;
  manifest.b = b, manifest.d = manifest.params[5].element = format::ElementType::F32;
  manifest.c = format::CUse::InPlace;
  manifest.params[5].box = {64, 32};
  std::ofstream(path, std::ios::binary) << makeKernelFile(manifest);
  return path;
}

// D starts as C, before each of the two launches.
TEST(RunTool, CheckInPlace) {
  std::string kernel = inPlaceF32("runtime-run-in-place", format::ElementType::F8E4M3FN);
  Outcome outcome = runTool(kernel + " --m=7 --check --pad=32 --device=gpu");
  expectRun(outcome, 0, "check    held: 7 of 7 rows, all columns, against float64");
  expectRun(outcome, 0, "two runs gave the same bits");
  expectRun(runTool(kernel + " --m=9 --check --device=gpu", "FAKE_GPU_FAULT=nothing FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU),
            1, " elements beyond their bound, the worst D[");
}

TEST(RunTool, CheckFails) {
  std::string arguments = kernelFile() + " --m=9 --check --device=gpu", fake = "FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU;
  expectRun(runTool(arguments, fake + " FAKE_GPU_FAULT=nothing"), 1, "1224 elements of D are NaN");
  expectRun(runTool(arguments, fake + " FAKE_GPU_FAULT=row"), 1, "elements beyond their bound, the worst D[8, ");
  expectRun(runTool(arguments, fake + " FAKE_GPU_FAULT=guard"), 1, "1 bytes around D's elements were overwritten");
  expectRun(runTool(arguments, fake + " FAKE_GPU_FAULT=input"), 1, "1 bytes of the inputs or around them");
  expectRun(runTool(arguments, fake + " FAKE_GPU_FAULT=unsteady"), 1, "1 elements differ between two runs");
}

TEST(RunTool, Bench) {
  // The fake's events are 10, 11, 12 ... us apart; the first two calls warm up.
  expectRun(runTool(kernelFile() + " --m=4 --bench"), 0, "bench    17.50 us, 0 TFLOPS (median of 12 launches");
}

TEST(RunTool, Json) {
  Outcome outcome = runTool(kernelFile() + " --m=4 --check --bench --json --seed=3");
  expectRun(outcome, 0,
            "{\"kernel\": \"gemm_test\", \"device\": \"gpu\", \"device_name\": \"Fake GPU, 132 SMs\", \"m\": 4, "
            "\"n\": 136, \"k\": 272, \"seed\": 3, \"pad_bytes\": 0, \"check\": {\"held\": true, \"rows\": 4, ");
  expectRun(outcome, 0, "\"bench\": {\"us\": 17.5, ");
  expectRun(runTool(kernelFile() + " --m=4 --check --json", "FAKE_GPU_FAULT=nothing FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU),
            1, "\"held\": false, \"rows\": 4, \"worst_error_over_bound\": null");
}

std::string debugKernel() {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/runtime-run-debug.cubin";
  ManifestSpec manifest;
  manifest.n = 136, manifest.k = 272;
  manifest.debug.limitMs = 1000;
  std::ofstream(path, std::ios::binary) << makeKernelFile(manifest);
  return path;
}

TEST(RunTool, JsonHoldsAnyBytes) {
  using fp8gemm::run::quoted;
  EXPECT_EQ(quoted("a\"b\\\n"), R"("a\"b\\\u000a")");
  EXPECT_EQ(quoted("\xc3\xa4\xf0\x9f\x98\x80"), "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  // A byte that begins nothing, a cut character, a longer form of '/', half of a surrogate.
  EXPECT_EQ(quoted("\xff" "a"), R"("\ufffda")");
  EXPECT_EQ(quoted("\xe2\x82"), R"("\ufffd\ufffd")");
  EXPECT_EQ(quoted("\xe0\x80\xaf"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
}

TEST(RunTool, TrapsAreExplained) {
  const std::string fake = "FAKE_GPU_FAULT=trap FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU;
  Outcome outcome = runTool(debugKernel() + " --m=4 --check", fake);
  expectRun(outcome, 2, "fp8gemm-run: error: cuStreamSynchronize failed: ");
  expectRun(outcome, 2,
            "\nkernel 'gemm_test' waited for more than 1000 ms:\n"
            "  producer, cta 5: waits until stage 2 of ring 0 is empty (phase true), at gemm.mlir:12:9\n");
  Outcome plain = runTool(kernelFile() + " --m=4 --check", fake);
  expectRun(plain, 2, "fp8gemm-run: error: cuStreamSynchronize failed: ");
  EXPECT_EQ(plain.output.find("debug-rings"), std::string::npos) << plain.output;
}

TEST(RunTool, WatchdogEndsAHang) {
  const std::string fake = "FAKE_GPU_FAULT=hang FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_GPU;
  Outcome outcome = runTool(kernelFile() + " --m=4 --watchdog=1", fake);
  expectRun(outcome, 2, "error: expected the GPU to be done within 1 s (--watchdog), but it still runs\n");
  expectRun(outcome, 2, "kernel 'gemm_test' was compiled without --debug-rings; compile it with that option");
  expectRun(runTool(debugKernel() + " --m=4 --watchdog=1", fake), 2,
            "no warp waited at a ring for more than 1000 ms: if it hangs, then elsewhere, such as at a named");
  expectRun(runTool(kernelFile() + " --m=4 --check --watchdog=0"), 0, "check    held");
}

TEST(RunTool, StaticM) {
  expectRun(runTool(kernelFile(64) + " --check"), 0, "held: 64 of 64 rows");
  expectRun(runTool(kernelFile(64) + " --m=65"), 2,
            "expected --m=64, the only one that kernel 'gemm_test' was compiled for");
}

TEST(RunTool, RefusesGroupedKernels) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/runtime-run-grouped.cubin";
  ManifestSpec manifest;
  manifest.op = "grouped_gemm";
  manifest.grouping = format::Grouping::RowEnd;
  manifest.params[1].box = {1, 128, 128};
  std::ofstream(path, std::ios::binary) << makeKernelFile(manifest);
  expectRun(runTool(path + " --m=4"), 2, "expected a kernel of one product, got 'gemm_test' of a grouped one");
}

TEST(RunTool, NoGpu) {
  expectRun(runTool(kernelFile() + " --m=4 --device=gpu", "FP8GEMM_LIBCUDA=/nonexistent.so"), 2,
            "error: expected a CUDA driver, got none");
  expectRun(runTool(kernelFile() + " --m=4 --bench", "FP8GEMM_LIBCUDA=/nonexistent.so"), 2,
            "error: --bench times the GPU kernel, but runs on the CPU");
}

// The product's other meaning, through linalg, agrees with this reference.
TEST(RunTool, Cpu) {
#ifndef FP8GEMM_HAS_CPU
  GTEST_SKIP() << "--device=cpu needs the compiler, which is not built";
#endif
  expectRun(runTool(kernelFile() + " --m=33 --check --pad=16 --device=cpu"), 0, "device   cpu: through linalg\n");
  expectRun(runTool(kernelFile() + " --m=5 --check", "FP8GEMM_LIBCUDA=/nonexistent.so"), 0,
            "device   cpu: through linalg, since no GPU can run it (expected a CUDA driver, got none");
  expectRun(runTool(inPlaceF32("runtime-run-e5m2", format::ElementType::F8E5M2) + " --m=33 --check --device=cpu"), 0,
            "check    held: 33 of 33 rows");
}

TEST(RunTool, BadInputs) {
  std::string kernel = kernelFile(), plain = std::string(FP8GEMM_TEST_DIR) + "/runtime-run-plain.cubin";
  std::ofstream(plain, std::ios::binary) << makeCubin();
  expectRun(runTool(plain + " --m=1"), 2, "got a plain cubin without a manifest");
  expectRun(runTool("/nonexistent.cubin --m=1"), 2, "cannot open '/nonexistent.cubin'");
  expectRun(runTool(""), 2, "expected a kernel file");
  expectRun(runTool(kernel), 2, "expected --m=N: kernel 'gemm_test' serves any M");
  expectRun(runTool(kernel + " --m=-1"), 2, "expected --m=N, an integer from 0 to 2147483647, got '-1'");
  expectRun(runTool(kernel + " --m=2147483647 --device=cpu"), 2, "expected operands that fit this machine's");
  expectRun(runTool(kernel + " --m=4x"), 2, "expected --m=N, an integer from 0 to 2147483647, got '4x'");
  expectRun(runTool(kernel + " --m=4 --watchdog=-1"), 2, "expected --watchdog=N, an integer from 0 to 4294967295, got '-1'");
  expectRun(runTool(kernel + " --m=4 --pad=8"), 2, "expected --pad to be a multiple of 16 bytes");
  expectRun(runTool(kernel + " --m=4 --pad=1099511627776"), 2, "expected --pad=N, an integer from 0 to 1099511627760");
  // One row of D is enough.
  expectRun(runTool(kernel + " --m=4 --pad=1099511627760 --device=cpu"), 2,
            "expected operands that fit this machine's");
  expectRun(runTool(kernel + " --m=4 --device=tpu"), 2, "expected --device=gpu, cpu or sim, got 'tpu'");
  expectRun(runTool(kernel + " --mm=4"), 2, "unknown option '--mm=4'");
  expectRun(runTool(kernel + " " + kernel), 2, "expected one kernel file");
  expectRun(runTool(kernel + " --check=yes"), 2, "expected --check without a value");
  expectRun(runTool("--help"), 0, "usage: fp8gemm-run KERNEL");
}

} // namespace
