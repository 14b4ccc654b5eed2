// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 4 threads compile 64 problems, each in a context of its own; the kernel files must be those of one thread that
// compiles them one after the other. Built with ThreadSanitizer, which CompilerThreadsTest watches. With --race the
// threads keep what the diagnostic handlers hear in one place that nothing guards: it must be reported.

#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/IR/Diagnostics.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>

using namespace fp8gemm;

static constexpr size_t kProblems = 64, kThreads = 4;

/// Different in all that a problem can differ in.
static GemmProblem problemOf(size_t index) {
  GemmProblem problem;
  problem.n = 128 + 64 * int64_t(index % 16);
  problem.k = 256 + 128 * int64_t(index / 16);
  if (index % 3 == 1)
    problem.m = 16 << index % 5;
  if (index % 5 == 2)
    problem.recipe = GemmProblem::Recipe::OneD1D;
  if (index % 7 == 3)
    problem.d = GemmProblem::Result::F32, problem.c = GemmProblem::C::InPlace;
  if (index % 11 == 4) {
    problem.m = {}, problem.recipe = GemmProblem::Recipe::OneD2D;
    problem.d = GemmProblem::Result::BF16, problem.c = GemmProblem::C::None;
    problem.grouping = config::Grouping::RowEnd, problem.groups = 4;
  }
  return problem;
}

int main(int argc, char **argv) {
  const bool race = argc > 1 && std::strcmp(argv[1], "--race") == 0;
  size_t heard = 0; // shared, and not guarded
  auto compileOne = [&](size_t index) -> std::string {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    std::string said;
    mlir::ScopedDiagnosticHandler keep(&context, [&](mlir::Diagnostic &diagnostic) {
      said += diagnostic.str();
      if (race)
        ++heard;
    });
    PipelineOptions options;
    options.explain = race; // a remark for each
    mlir::FailureOr<target::Kernel> kernel = compile(context, problemOf(index), options);
    if (succeeded(kernel))
      return kernel->file;
    std::fprintf(stderr, "problem %zu: %s\n", index, said.c_str());
    return "";
  };
  const size_t count = race ? 2 * kThreads : kProblems;

  std::vector<std::string> expected(count), files(count);
  if (!race)
    for (size_t i = 0; i != count; ++i)
      expected[i] = compileOne(i);

  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i != kThreads; ++i)
    threads.emplace_back([&] {
      for (size_t problem; (problem = next++) < count;)
        files[problem] = compileOne(problem);
    });
  for (std::thread &thread : threads)
    thread.join();

  size_t same = 0;
  for (size_t i = 0; i != count; ++i)
    same += !files[i].empty() && files[i] == expected[i];
  std::set<std::string> different(files.begin(), files.end());
  std::printf("%zu of %zu kernel files are those of one thread, %zu different ones\n", same, count, different.size());
  return race || (same == count && different.size() == count) ? 0 : 1;
}
