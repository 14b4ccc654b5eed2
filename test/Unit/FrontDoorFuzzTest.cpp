// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of test/Fuzz, with a compiler that fails on order.

#include "test/Fuzz/Mutator.h"
#include "test/Fuzz/Triage.h"

#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace fp8gemm::fuzz;

namespace fp8gemm::fuzz {

__attribute__((noinline)) void Progress::at(const char *name) { std::strncpy(step, name, sizeof(step) - 1); }

} // namespace fp8gemm::fuzz

/// Outside of the fuzzer's namespace, as the compiler is.
__attribute__((noinline)) static void compile(const std::string &text) {
  if (text.find("crash") != std::string::npos)
    *static_cast<volatile int *>(nullptr) = 1;
  for (volatile int i = 0; text.find("hang") != std::string::npos; i = i + 1)
    ;
  std::vector<std::string> kept;
  while (text.find("eat") != std::string::npos)
    kept.emplace_back(1 << 20, 'x');
}

void Progress::keep(const std::string &) {}

void fp8gemm::fuzz::runCase(const Case &input, Progress &progress) {
  progress.at("compile");
  if (input.text.find("promise") != std::string::npos) {
    std::strcpy(progress.finding, "broken: here");
    _exit(kFoundStatus);
  }
  compile(input.text);
  progress.reached = input.text.find("good") != std::string::npos ? Lowered : 0;
}

namespace {

const std::string kText = "func.func @f(%a: memref<?x128xf32, strided<[?, 1]>, 3>) {\n"
                          "  // a comment\n"
                          "  %r:2 = a.b \"x{\" %a[%c0] {k = -1.5e+3 : f32} : !hopper.ring<stages = 2> -> i32\n"
                          "  return\n}\n";

TEST(FrontDoorFuzz, TokensAreTheText) {
  std::string text = toText(tokenize(kText));
  EXPECT_EQ(text.find("// a comment"), std::string::npos);
  EXPECT_EQ(toText(tokenize(text)), text);
  Tokens shape = tokenize("memref<?x128xf32>");
  ASSERT_EQ(shape.size(), 8u);
  EXPECT_EQ(shape[4].text, "128");
  EXPECT_EQ(shape[6].text, "f32");
  EXPECT_EQ(closingBracket(shape, 1), 7u);
}

TEST(FrontDoorFuzz, LinesBalance) {
  Tokens tokens = tokenize("a {\n  b {\n  }\n}\nc\n");
  auto all = lines(tokens);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(balancedEnd(tokens, all, 0), 4u);
  EXPECT_EQ(balancedEnd(tokens, all, 1), 3u);
  EXPECT_EQ(balancedEnd(tokens, all, 2), 0u);
}

TEST(FrontDoorFuzz, SameSeedSameTexts) {
  Mutator mutator;
  mutator.learn(kText);
  Random one(7), again(7), other(8);
  unsigned different = 0;
  for (int i = 0; i < 200; ++i) {
    std::string text = mutator.mutate(kText, one);
    EXPECT_EQ(text, mutator.mutate(kText, again));
    different += text != mutator.mutate(kText, other);
  }
  EXPECT_GT(different, 150u);
}

struct FrontDoorFuzzWorker : ::testing::Test {
  Worker worker{{/*seconds=*/0.3, /*megabytes=*/200}};
  Triage triage{FP8GEMM_SYMBOLIZER};

  Failure failureOf(const std::string &text) { return failureOf(text, worker); }
  Failure failureOf(const std::string &text, Worker &worker) {
    Failure failure;
    EXPECT_EQ(worker.run({{"good", {}}, {text, {}}, {"good", {}}}, 0, failure), 1u);
    EXPECT_EQ(worker.reached(0), Lowered);
    EXPECT_EQ(failure.step, "compile");
    return failure;
  }
};

TEST_F(FrontDoorFuzzWorker, WellBehaved) {
  Failure failure;
  EXPECT_EQ(worker.run({{"good", {}}, {"bad", {}}}, 0, failure), 2u);
  EXPECT_EQ(failure.ending, Ending::Passed);
  EXPECT_EQ(worker.reached(1), 0);
}

TEST_F(FrontDoorFuzzWorker, Crash) {
  Failure failure = failureOf("crash");
  EXPECT_EQ(failure.ending, Ending::Crashed);
  EXPECT_EQ(failure.signal, SIGSEGV);
  EXPECT_FALSE(failure.stack.empty());
  EXPECT_EQ(triage.judge(failure).upstream, "") << triage.judge(failure).report;
}

TEST_F(FrontDoorFuzzWorker, Hang) { EXPECT_EQ(failureOf("hang").ending, Ending::TooSlow); }

TEST_F(FrontDoorFuzzWorker, Memory) {
  Worker patient{{/*seconds=*/20, /*megabytes=*/200}}; // a busy machine takes a while to give 200 MB
  EXPECT_EQ(failureOf("eat", patient).ending, Ending::TooLarge);
}

TEST_F(FrontDoorFuzzWorker, BrokenPromise) {
  Failure failure = failureOf("promise");
  EXPECT_EQ(failure.ending, Ending::Found);
  EXPECT_EQ(triage.judge(failure).key, "broken promise in compile: broken");
}

TEST_F(FrontDoorFuzzWorker, Shrinks) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "line " + std::to_string(i) + (i == 23 ? " crash\n" : "\n");
  Failure failure = failureOf(text);
  Case small = shrink({text, {}}, triage.judge(failure).key, worker, triage, 60);
  EXPECT_EQ(small.text, "crash");
}

} // namespace
