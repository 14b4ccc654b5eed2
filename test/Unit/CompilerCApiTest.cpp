// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libfp8gemm through its C API: packs that the runtime opens, answers, errors, threads.

#include "fp8gemm-c/Compile.h"
#include "fp8gemm/runtime.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Destroy {
  void operator()(Fp8GemmResult *result) const { fp8gemmResultDestroy(result); }
};
using Result = std::unique_ptr<Fp8GemmResult, Destroy>;

std::string dataOf(const Result &result) {
  const void *data = fp8gemmResultGetData(result.get());
  return data ? std::string(static_cast<const char *>(data), fp8gemmResultGetSize(result.get())) : "";
}

/// One gemm for any M, of few kernels.
std::string gemm(int n) { return R"({"op": "gemm", "k": 256, "max_m": 2, "n": )" + std::to_string(n) + "}"; }

Fp8GemmCompileOptions usualOptions() {
  Fp8GemmCompileOptions options = {};
  options.size = sizeof(options);
  return options;
}

Result compile(const std::string &problems, const Fp8GemmCompileOptions *options = nullptr) {
  return Result(fp8gemmCompile(problems.data(), problems.size(), options));
}

/// Status and message of a failure.
void expectFailure(const Result &result, Fp8GemmStatus status, const std::string &message) {
  EXPECT_EQ(fp8gemmResultGetStatus(result.get()), status);
  EXPECT_NE(std::string(fp8gemmResultGetMessage(result.get())).find(message), std::string::npos)
      << fp8gemmResultGetMessage(result.get());
  EXPECT_EQ(fp8gemmResultGetData(result.get()), nullptr);
  EXPECT_EQ(fp8gemmResultGetSize(result.get()), 0u);
}

/// Nothing may come out on stderr while one of these is there.
class Quiet {
public:
  Quiet() { testing::internal::CaptureStderr(); }
  ~Quiet() { EXPECT_EQ(testing::internal::GetCapturedStderr(), ""); }
};

class CompilerCApi : public testing::Test {};

class CompilerCApiWithPtxas : public testing::Test {
protected:
  void SetUp() override {
    Result result = compile(gemm(64));
    if (fp8gemmResultGetStatus(result.get()) == Fp8GemmNoPtxas)
      GTEST_SKIP() << fp8gemmResultGetMessage(result.get());
  }
};

TEST_F(CompilerCApiWithPtxas, MakesPackThatTheRuntimeOpens) {
  Quiet quiet;
  Result result = compile(R"({"gpu": "h200-sxm", "problems": [)" + gemm(64) + ", " + gemm(72) + "]}");
  ASSERT_EQ(fp8gemmResultGetStatus(result.get()), Fp8GemmSuccess) << fp8gemmResultGetMessage(result.get());
  EXPECT_STREQ(fp8gemmResultGetMessage(result.get()), "");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(fp8gemmResultGetData(result.get())) % 64, 0u);
  fp8gemm_pack *pack = nullptr;
  ASSERT_EQ(fp8gemm_pack_open_memory(fp8gemmResultGetData(result.get()), fp8gemmResultGetSize(result.get()), &pack),
            FP8GEMM_OK)
      << fp8gemm_last_error();
  EXPECT_EQ(fp8gemm_pack_problem_count(pack), 2u);
  fp8gemm_problem problem = {};
  problem.size = sizeof(problem);
  ASSERT_EQ(fp8gemm_pack_get_problem(pack, 1, &problem), FP8GEMM_OK);
  EXPECT_EQ(problem.n, 72);
  EXPECT_NE(fp8gemm_pack_find(pack, &problem, 1000), nullptr) << fp8gemm_last_error();
  fp8gemm_pack_close(pack);
}

TEST_F(CompilerCApiWithPtxas, ThreadsMakeTheBytesThatOneMakes) {
  Quiet quiet;
  Fp8GemmCompileOptions alone = usualOptions();
  alone.jobs = 1;
  std::vector<std::string> expected, got(4);
  for (int i = 0; i < 4; ++i)
    expected.push_back(dataOf(compile(gemm(64 + 8 * i), &alone)));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { got[i] = dataOf(compile(gemm(64 + 8 * i))); });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(expected[i].empty());
    EXPECT_EQ(got[i], expected[i]);
  }
}

TEST_F(CompilerCApi, SaysWhatIsWrongWithProblems) {
  Quiet quiet;
  expectFailure(compile("{"), Fp8GemmInvalidProblem, "line 1, column 2: expected JSON, got something else: Expected object key");
  expectFailure(compile("[]"), Fp8GemmInvalidProblem, "expected an object with 'gpu' and 'problems'");
  expectFailure(compile(R"({"op": "gemm", "n": 64})"), Fp8GemmInvalidProblem,
                "the problem: expected 'k' with op gemm, got none");
  Fp8GemmCompileOptions options = usualOptions();
  options.gpu = "a100";
  expectFailure(compile(gemm(64), &options), Fp8GemmInvalidProblem, "expected 'gpu' to be one of h100-sxm, ");
  Result null(fp8gemmCompile(nullptr, 0, nullptr));
  expectFailure(null, Fp8GemmInvalidArgument, "expected problems, got null");
  options.size = 4;
  expectFailure(compile(gemm(64), &options), Fp8GemmInvalidArgument, "in Fp8GemmCompileOptions, got 4");
  EXPECT_EQ(fp8gemmResultGetStatus(nullptr), Fp8GemmInvalidArgument);
  fp8gemmResultDestroy(nullptr);
}

TEST_F(CompilerCApi, SaysWhatIsWrongWithTheMachine) {
  Quiet quiet;
  Fp8GemmCompileOptions options = usualOptions();
  options.ptxas = "/none";
  expectFailure(compile(gemm(64), &options), Fp8GemmNoPtxas, "expected the path of ptxas, got '/none'");
  options.ptxas = "/bin/true";
  expectFailure(compile(gemm(64), &options), Fp8GemmNoPtxas, "expected '/bin/true --version' to tell its version");
  options.ptxas = FP8GEMM_SOURCE_DIR "/test/Tools/Inputs/failing-ptxas.sh";
  expectFailure(compile(gemm(64), &options), Fp8GemmCompileError, "failed with exit code 255");
  options.cache = FP8GEMM_SOURCE_DIR "/README.md";
  expectFailure(compile(gemm(64), &options), Fp8GemmSystemError, "expected a folder to keep kernels in, got");
}

TEST_F(CompilerCApiWithPtxas, TellsWhatIsInAFile) {
  Quiet quiet;
  Result pack = compile(gemm(64));
  auto inspect = [](const void *bytes, size_t size, Fp8GemmForm form) {
    return Result(fp8gemmInspect(bytes, size, form));
  };
  const void *bytes = fp8gemmResultGetData(pack.get());
  size_t size = fp8gemmResultGetSize(pack.get());
  std::string text = dataOf(inspect(bytes, size, Fp8GemmText));
  EXPECT_NE(text.find(R"({"op": "gemm", "n": 64, "k": 256})"), std::string::npos) << text;
  EXPECT_NE(text.find("kernel  registers  spilled  smem bytes"), std::string::npos) << text;
  // From any address on.
  std::string moved = "x" + dataOf(pack);
  EXPECT_EQ(dataOf(inspect(moved.data() + 1, size, Fp8GemmText)), text);
  std::string json = dataOf(inspect(bytes, size, Fp8GemmJson));
  EXPECT_NE(json.find("\"registers\": "), std::string::npos) << json;
  expectFailure(inspect(bytes, size - 1, Fp8GemmText), Fp8GemmInvalidFile, "it is truncated");
  expectFailure(inspect("\x7f"
                        "ELF",
                        4, Fp8GemmText),
                Fp8GemmInvalidFile, "kernel file is truncated");
  expectFailure(inspect(nullptr, 0, Fp8GemmText), Fp8GemmInvalidArgument, "expected a file, got null");
}

TEST_F(CompilerCApiWithPtxas, ResultsHaveFiles) {
  Result pack = compile(gemm(64));
  EXPECT_EQ(fp8gemmResultGetFileCount(pack.get()), 1u);
  size_t size = 0;
  EXPECT_EQ(fp8gemmResultGetFile(pack.get(), 0, &size), fp8gemmResultGetData(pack.get()));
  EXPECT_EQ(size, fp8gemmResultGetSize(pack.get()));
  EXPECT_EQ(fp8gemmResultGetFile(pack.get(), 1, &size), nullptr);
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(fp8gemmResultGetFileCount(nullptr), 0u);
}

TEST_F(CompilerCApi, TellsThePlanOfAProblem) {
  Quiet quiet;
  const std::string problem = gemm(2112);
  Result text(fp8gemmPlan(problem.data(), problem.size(), "h200-sxm", Fp8GemmText));
  EXPECT_NE(dataOf(text).find("N = 2112, K = 256 on h200-sxm: "), std::string::npos) << dataOf(text);
  EXPECT_NE(dataOf(text).find("fp8gemm_1d2d_e4m3_bf16_many_n2112_k256"), std::string::npos) << dataOf(text);
  EXPECT_EQ(std::strlen(static_cast<const char *>(fp8gemmResultGetData(text.get()))), fp8gemmResultGetSize(text.get()));
  Result json(fp8gemmPlan(problem.data(), problem.size(), nullptr, Fp8GemmJson));
  EXPECT_NE(dataOf(json).find("\"gpu\": \"h100-sxm\""), std::string::npos) << dataOf(json);
  const std::string two = R"({"gpu": "h20", "problems": [)" + gemm(64) + ", " + gemm(72) + "]}";
  Result tooMany(fp8gemmPlan(two.data(), two.size(), nullptr, Fp8GemmText));
  expectFailure(tooMany, Fp8GemmInvalidProblem, "expected one problem, got 2");
}

TEST_F(CompilerCApi, ExplainsAChoice) {
  Quiet quiet;
  const std::string problem = gemm(2112);
  Result text(fp8gemmExplain(problem.data(), problem.size(), "h200-sxm", 128, 3, Fp8GemmText));
  EXPECT_NE(dataOf(text).find("M = any (128 modelled), N = 2112, K = 256 on h200-sxm: 3 of "), std::string::npos)
      << dataOf(text);
  Result none(fp8gemmExplain(problem.data(), problem.size(), "h200-sxm", 0, 3, Fp8GemmText));
  expectFailure(none, Fp8GemmInvalidProblem, "expected 'expected-m' to be a positive number of rows, got 0");
}

TEST_F(CompilerCApi, IsForC) {
  EXPECT_EQ(std::string(fp8gemmVersion()).rfind("fp8gemm ", 0), 0u);
  EXPECT_EQ(std::system("\"" FP8GEMM_C_PROGRAM "\" >/dev/null"), 0);
}

} // namespace
