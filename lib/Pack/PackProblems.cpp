// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A list of problems from JSON. The format is described in docs/Runtime.md.

#include "Json.h"
#include "PackFiles.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Pack/ReadProblem.h"
#include "fp8gemm/Pipelines/Pipelines.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace fp8gemm {

namespace {

std::string print(const json::Value &value) {
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

Error readEntry(const json::Value &value, PackProblem &entry) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return createStringError("expected an object, got " + print(value));
  Expected<format::Problem> problem = readProblem(*object, FieldSource::List, {"max_m"});
  if (!problem)
    return problem.takeError();
  entry.problem = *problem;
  if (object->get("max_m") && (problem->grouping == format::Grouping::KCount || isQuantisation(*problem)))
    return createStringError("expected 'max_m' only with op gemm or grouped_gemm");
  Expected<int64_t> maxM = readCount(*object, "max_m", entry.maxM);
  if (!maxM)
    return maxM.takeError();
  entry.maxM = *maxM;
  return Error::success();
}

Error readEntryAt(StringRef place, const json::Value &value, PackProblem &entry) {
  entry.place = place.str();
  Error error = readEntry(value, entry);
  return error ? createStringError(place + ": " + toString(std::move(error))) : Error::success();
}

/// 'problems', and 'gpu' where nobody else names one.
Error checkKeys(const json::Object &list, bool needsGpu) {
  if (needsGpu && !list.get("gpu"))
    return createStringError("the list: expected 'gpu', got none");
  if (!list.get("problems"))
    return createStringError("the list: expected 'problems', got none");
  SmallVector<StringRef> keys;
  for (const auto &entry : list)
    keys.push_back(entry.first);
  sort(keys); // the object's order is that of a hash
  for (StringRef key : keys)
    if (key != "gpu" && key != "problems")
      return createStringError("the list: expected only gpu, problems, got '" + key + "'");
  return Error::success();
}

Error checkGpu(const std::string &gpu) {
  return config::findGpu(gpu) ? Error::success() : createStringError(config::unknownGpu(gpu));
}

Error readAll(const json::Value &value, PackProblems &pack) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return createStringError("expected an object with 'gpu' and 'problems'");
  if (object->get("op")) { // one problem
    if (pack.gpu.empty())
      pack.gpu = PipelineOptions().gpu;
    pack.problems.emplace_back();
    if (Error error = checkGpu(pack.gpu))
      return error;
    return readEntryAt("the problem", value, pack.problems.back());
  }
  if (Error error = checkKeys(*object, pack.gpu.empty()))
    return error;
  if (pack.gpu.empty()) {
    std::optional<StringRef> gpu = object->getString("gpu");
    if (!gpu)
      return createStringError("expected 'gpu' to be the name of a GPU");
    pack.gpu = gpu->str();
  }
  if (Error error = checkGpu(pack.gpu))
    return error;
  const json::Array *problems = object->getArray("problems");
  if (!problems || problems->empty())
    return createStringError("expected 'problems' to be a list of at least one problem");
  DistinctProblems distinct(pack);
  for (auto [index, value] : enumerate(*problems)) {
    PackProblem entry;
    if (Error error = readEntryAt("problems[" + std::to_string(index) + "]", value, entry))
      return error;
    if (Error error = distinct.add(std::move(entry)))
      return error;
  }
  return Error::success();
}

} // namespace

Error DistinctProblems::add(PackProblem entry) {
  auto [known, isNew] = indices.try_emplace(entry.problem, pack.problems.size());
  if (!isNew) {
    const PackProblem &first = pack.problems[known->second];
    if (first.maxM == entry.maxM)
      return Error::success();
    return createStringError(entry.place + ": expected 'max_m' = " + Twine(first.maxM) + " as in " + first.place +
                             ", which is the same problem, got " + Twine(entry.maxM) + "; remove one of them");
  }
  if (pack.problems.size() == kMaxProblems)
    return createStringError(entry.place + ": expected at most " + Twine(kMaxProblems) +
                             " different problems in a pack, got more; make several packs");
  pack.problems.push_back(std::move(entry));
  return Error::success();
}

static Error problemError(StringRef name, Error cause) {
  return make_error<PackError>(PackError::Kind::Problem,
                               (name + (name.empty() ? "" : ": ") + toString(std::move(cause))).str());
}

Expected<PackProblems> readPackProblems(const json::Value &value, StringRef name, StringRef gpu) {
  PackProblems pack;
  pack.name = name.str();
  pack.gpu = gpu.str();
  if (Error wrong = readAll(value, pack))
    return problemError(name, std::move(wrong));
  return pack;
}

Expected<PackProblems> readPackProblems(StringRef text, StringRef name, StringRef gpu) {
  Expected<json::Value> value = parseJson(text);
  return value ? readPackProblems(*value, name, gpu) : problemError(name, value.takeError());
}

} // namespace fp8gemm
