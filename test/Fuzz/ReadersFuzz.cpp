// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer against the compiler's readers of inputs that are not MLIR: lists of problems, schedules, reports of ptxas,
// kernel files and packs. The first byte chooses the reader. For a file, the rest describes changes to a valid one. Built
// where the compiler is under a sanitizer (docs/Fuzzing.md).

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Driver/Answers.h"
#include "fp8gemm/Pack/Inspect.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Target/CudaTools.h"
#include "test/Unit/RuntimeMend.h"
#include "test/Unit/RuntimeTestPack.h"

#include <cstdlib>

using namespace fp8gemm;
using namespace fp8gemm::test;

/// Ends the process, which libFuzzer reports.
static void require(bool holds) {
  if (!holds)
    std::abort();
}

template <typename T> static bool accepted(llvm::Expected<T> answer) {
  if (answer)
    return true;
  require(!llvm::toString(answer.takeError()).empty());
  return false;
}

static void readProblems(llvm::StringRef text) {
  llvm::Expected<PackProblems> problems = readPackProblems(text, "list.json", "");
  if (!accepted(readPackProblems(text, "list.json", "h20")) || !problems)
    return llvm::consumeError(problems.takeError());
  require(!problems->problems.empty());
  // A plan for many rows takes long.
  for (PackProblem &problem : problems->problems)
    problem.maxM = std::min<int64_t>(problem.maxM, 64);
  problems->problems.resize(1);
  accepted(planProblem(*problems, Answer::Json));
  accepted(explainProblem(*problems, 128, 3, Answer::Text));
}

static void readSchedule(llvm::StringRef text) {
  config::Config config, again;
  if (!config::parse(text.str(), config).empty())
    return;
  require(config::parse(config::toString(config), again).empty() && config == again);
  config::Problem problem;
  problem.n = 512, problem.k = 512;
  config::choose(problem, config::knownGpus().front(), 128, config);
}

static const std::vector<std::string> &goodFiles() {
  static const std::vector<std::string> files = [] {
    ManifestSpec added, debug;
    added.c = format::CUse::InPlace;
    added.d = added.params[5].element = format::ElementType::F32;
    debug.debug.limitMs = 1000;
    return std::vector<std::string>{
        makePack(twoProblems()),
        makeMatchingKernelFile(added),
        makeKernelFile(debug),
        makeMatchingKernelFile(grouped(format::Grouping::RowEnd)),
    };
  }();
  return files;
}

/// Each change is four bytes: where, what is put there, and how.
static void readFile(size_t which, llvm::StringRef changes) {
  which %= goodFiles().size();
  std::string bytes = goodFiles()[which];
  for (; changes.size() >= 4 && !bytes.empty(); changes = changes.drop_front(4)) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(changes[i]); };
    // A kernel file's description is at its end, a pack's at its beginning.
    size_t at = (byte(0) | size_t(byte(1)) << 8) % bytes.size();
    if (which != 0 && byte(3) & 1)
      at = bytes.size() - 1 - at;
    if (byte(3) % 32 == 2)
      bytes.resize(at);
    else
      bytes[at] = char(byte(2));
  }
  // In a buffer of its exact size, so that the sanitizer sees a read past the end.
  size_t size = bytes.size();
  std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);
  std::memcpy(exact.get(), bytes.data(), size);
  (which == 0 ? mendPack : mendKernelFile)(exact.get(), size);
  for (Answer form : {Answer::Text, Answer::Json})
    accepted(describeFile({reinterpret_cast<const char *>(exact.get()), size}, "a.file", form));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  if (size < 1)
    return 0;
  llvm::StringRef text(reinterpret_cast<const char *>(input) + 1, size - 1);
  switch (input[0] % 8) {
  case 0:
  case 1:
    readProblems(text);
    break;
  case 2:
    readSchedule(text);
    break;
  case 3:
    target::parsePtxasReport(text);
    break;
  default:
    readFile(input[0] % 8 - 4, text);
  }
  return 0;
}
