// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm-c/Compile.h"

#include "fp8gemm/Pipelines/PackBuilder.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>
#include <memory>

using namespace llvm;
using namespace fp8gemm;

struct Fp8GemmResult {
  Fp8GemmStatus status = Fp8GemmSuccess;
  std::string message;
  std::unique_ptr<MemoryBuffer> data;
};

namespace {

/// Cubins of a pack lie at multiples of this.
constexpr uint64_t kDataAlignment = 64;

Fp8GemmStatus statusOf(PackError::Kind kind) {
  switch (kind) {
  case PackError::Kind::Problem:
    return Fp8GemmInvalidProblem;
  case PackError::Kind::Ptxas:
    return Fp8GemmNoPtxas;
  case PackError::Kind::Compile:
    return Fp8GemmCompileError;
  case PackError::Kind::System:
    break;
  }
  return Fp8GemmSystemError;
}

Fp8GemmResult *failure(Fp8GemmStatus status, const Twine &message) {
  auto *result = new Fp8GemmResult;
  result->status = status;
  result->message = message.str();
  return result;
}

Fp8GemmResult *resultOf(Expected<std::string> bytes) {
  auto result = std::make_unique<Fp8GemmResult>();
  if (bytes) {
    // A buffer ends in a null byte behind its size.
    auto data = WritableMemoryBuffer::getNewUninitMemBuffer(bytes->size(), "", Align(kDataAlignment));
    if (!data)
      return failure(Fp8GemmSystemError, "cannot get " + Twine(bytes->size()) + " bytes of memory");
    std::memcpy(data->getBufferStart(), bytes->data(), bytes->size());
    result->data = std::move(data);
    return result.release();
  }
  // The first error's status, all messages.
  auto add = [&](Fp8GemmStatus status, const std::string &message) {
    if (result->status == Fp8GemmSuccess)
      result->status = status;
    result->message += (result->message.empty() ? "" : "\n") + message;
  };
  handleAllErrors(
      bytes.takeError(), [&](const PackError &error) { add(statusOf(error.kind), error.message); },
      [&](const ErrorInfoBase &error) { add(Fp8GemmSystemError, error.message()); });
  return result.release();
}

StringRef orEmpty(const char *text) { return text ? text : ""; }

/// What `answer` says of the one problem that is given.
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

} // namespace

Fp8GemmStatus fp8gemmResultGetStatus(const Fp8GemmResult *result) {
  return result ? result->status : Fp8GemmInvalidArgument;
}

const char *fp8gemmResultGetMessage(const Fp8GemmResult *result) {
  return result ? result->message.c_str() : "expected a result, got null";
}

const void *fp8gemmResultGetData(const Fp8GemmResult *result) {
  return result && result->data ? result->data->getBufferStart() : nullptr;
}

size_t fp8gemmResultGetSize(const Fp8GemmResult *result) {
  return result && result->data ? result->data->getBufferSize() : 0;
}

void fp8gemmResultDestroy(Fp8GemmResult *result) { delete result; }

Fp8GemmResult *fp8gemmCompile(const char *problems, size_t length, const Fp8GemmCompileOptions *options) {
  if (!problems)
    return failure(Fp8GemmInvalidArgument, "expected problems, got null");
  Fp8GemmCompileOptions usual = {};
  usual.size = sizeof(usual);
  if (!options)
    options = &usual;
  if (options->size != sizeof(*options))
    return failure(Fp8GemmInvalidArgument, "expected size = " + Twine(sizeof(*options)) +
                                               " in Fp8GemmCompileOptions, got " + Twine(options->size));
  Expected<PackProblems> read = readPackProblems({problems, length}, /*name=*/"", orEmpty(options->gpu));
  if (!read)
    return resultOf(read.takeError());
  PackOptions build;
  build.cache = orEmpty(options->cache).str();
  build.ptxas = orEmpty(options->ptxas).str();
  build.jobs = options->jobs;
  build.allowSpills = options->allowSpills;
  return resultOf(buildPack(*read, build));
}

Fp8GemmResult *fp8gemmPlan(const char *problem, size_t length, const char *gpu, Fp8GemmForm form) {
  return ask(problem, length, gpu, [&](const PackProblems &problems) {
    return planProblem(problems, form == Fp8GemmJson ? Answer::Json : Answer::Text);
  });
}

Fp8GemmResult *fp8gemmExplain(const char *problem, size_t length, const char *gpu, int64_t m, unsigned candidates,
                              Fp8GemmForm form) {
  return ask(problem, length, gpu, [&](const PackProblems &problems) {
    return explainProblem(problems, m, candidates, form == Fp8GemmJson ? Answer::Json : Answer::Text);
  });
}

const char *fp8gemmVersion(void) { return "fp8gemm " FP8GEMM_VERSION ", LLVM " LLVM_VERSION_STRING; }
