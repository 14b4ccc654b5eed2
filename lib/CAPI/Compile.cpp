// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Result.h"
#include "fp8gemm/Driver/Answers.h"
#include "fp8gemm/Pack/Inspect.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "llvm/Config/llvm-config.h"

using namespace llvm;
using namespace fp8gemm;

namespace {

/// The result of `answer` for the single given problem.
Fp8GemmResult *ask(const char *problem, size_t length, const char *gpu,
                   function_ref<Expected<std::string>(const PackProblems &)> answer) {
  if (!problem)
    return failure(Fp8GemmInvalidArgument, "expected a problem, got null");
  Expected<PackProblems> problems = readPackProblems({problem, length}, /*name=*/"", orEmpty(gpu));
  if (!problems)
    return resultOf(problems.takeError());
  if (problems->problems.size() != 1)
    return failure(Fp8GemmInvalidProblem, "expected one problem, got " + Twine(problems->problems.size()));
  return resultOf(answer(*problems));
}

Answer answerOf(Fp8GemmForm form) { return form == Fp8GemmJson ? Answer::Json : Answer::Text; }

} // namespace

Fp8GemmResult *fp8gemmCompile(const char *problems, size_t length, const Fp8GemmCompileOptions *options) {
  if (!problems)
    return failure(Fp8GemmInvalidArgument, "expected problems, got null");
  Fp8GemmCompileOptions usual = {};
  if (Fp8GemmResult *wrong = checkOptions(options, usual))
    return wrong;
  Expected<PackProblems> read = readPackProblems({problems, length}, /*name=*/"", orEmpty(options->gpu));
  if (!read)
    return resultOf(read.takeError());
  PackOptions build;
  build.cache = orEmpty(options->cache).str();
  build.ptxas = orEmpty(options->ptxas).str();
  build.jobs = options->jobs;
  build.allowSpills = options->allowSpills;
  std::string warnings;
  build.warn = [&](const std::string &text) { warnings += (warnings.empty() ? "" : "\n") + text; };
  Fp8GemmResult *result = resultOf(buildPack(*read, build));
  if (result->status == Fp8GemmSuccess)
    result->message = std::move(warnings);
  return result;
}

Fp8GemmResult *fp8gemmPlan(const char *problem, size_t length, const char *gpu, Fp8GemmForm form) {
  return ask(problem, length, gpu, [&](const PackProblems &problems) { return planProblem(problems, answerOf(form)); });
}

Fp8GemmResult *fp8gemmExplain(const char *problem, size_t length, const char *gpu, int64_t m, unsigned candidates,
                              Fp8GemmForm form) {
  return ask(problem, length, gpu,
             [&](const PackProblems &problems) { return explainProblem(problems, m, candidates, answerOf(form)); });
}

Fp8GemmResult *fp8gemmInspect(const void *bytes, size_t size, Fp8GemmForm form) {
  if (!bytes)
    return failure(Fp8GemmInvalidArgument, "expected a file, got null");
  Expected<std::string> text = describeFile({static_cast<const char *>(bytes), size}, /*name=*/"", answerOf(form));
  return text ? resultOf(std::move(text)) : failure(Fp8GemmInvalidFile, toString(text.takeError()));
}

const char *fp8gemmVersion(void) { return "fp8gemm " FP8GEMM_VERSION ", LLVM " LLVM_VERSION_STRING; }
