// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Result.h"

#include "fp8gemm/Pack/PackBuilder.h"

#include <cstring>

using namespace llvm;

namespace fp8gemm {

/// Cubins of a pack lie at multiples of this.
constexpr uint64_t kDataAlignment = 64;

static Fp8GemmStatus statusOf(PackError::Kind kind) {
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

Fp8GemmResult *resultOf(ArrayRef<StringRef> files) {
  auto result = std::make_unique<Fp8GemmResult>();
  for (StringRef file : files) {
    // A buffer has a null byte after its end.
    auto data = WritableMemoryBuffer::getNewUninitMemBuffer(file.size(), "", Align(kDataAlignment));
    if (!data)
      return failure(Fp8GemmSystemError, "cannot get " + Twine(file.size()) + " bytes of memory");
    std::memcpy(data->getBufferStart(), file.data(), file.size());
    result->files.push_back(std::move(data));
  }
  return result.release();
}

Fp8GemmResult *resultOf(Expected<std::string> bytes) {
  if (bytes)
    return resultOf(ArrayRef<StringRef>(StringRef(*bytes)));
  auto result = std::make_unique<Fp8GemmResult>();
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

Fp8GemmResult *checkOptions(const Fp8GemmCompileOptions *&options, Fp8GemmCompileOptions &usual) {
  usual = {};
  usual.size = sizeof(usual);
  if (!options)
    options = &usual;
  if (options->size == sizeof(*options))
    return nullptr;
  return failure(Fp8GemmInvalidArgument, "expected size = " + Twine(sizeof(*options)) +
                                             " in Fp8GemmCompileOptions, got " + Twine(options->size));
}

} // namespace fp8gemm

Fp8GemmStatus fp8gemmResultGetStatus(const Fp8GemmResult *result) {
  return result ? result->status : Fp8GemmInvalidArgument;
}

const char *fp8gemmResultGetMessage(const Fp8GemmResult *result) {
  return result ? result->message.c_str() : "expected a result, got null";
}

const void *fp8gemmResultGetData(const Fp8GemmResult *result) { return fp8gemmResultGetFile(result, 0, nullptr); }

size_t fp8gemmResultGetSize(const Fp8GemmResult *result) {
  size_t size = 0;
  fp8gemmResultGetFile(result, 0, &size);
  return size;
}

size_t fp8gemmResultGetFileCount(const Fp8GemmResult *result) { return result ? result->files.size() : 0; }

const void *fp8gemmResultGetFile(const Fp8GemmResult *result, size_t index, size_t *size) {
  const MemoryBuffer *file = index < fp8gemmResultGetFileCount(result) ? result->files[index].get() : nullptr;
  if (size)
    *size = file ? file->getBufferSize() : 0;
  return file ? file->getBufferStart() : nullptr;
}

void fp8gemmResultDestroy(Fp8GemmResult *result) { delete result; }
