// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A list of problems from JSON. The format is described in docs/Runtime.md.

#include "Json.h"
#include "PackFiles.h"
#include "fp8gemm/Pipelines/PackBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using fp8gemm::config::Grouping;

namespace fp8gemm {

namespace {

using F8 = GemmProblem::F8;

std::string print(const json::Value &value) {
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

/// Reads the keys of an object; keeps the first complaint, which starts with the object's place.
class Fields {
public:
  Fields(const json::Object &object, std::string place) : object(object), place(std::move(place)) {}

  void complain(const Twine &message) {
    if (complaint.empty())
      complaint = (place + ": " + message).str();
  }
  Error take() { return complaint.empty() ? Error::success() : createStringError(complaint); }
  bool has(StringRef key) const { return object.get(key); }

  /// There must be all that is needed, and nothing but that and what is possible.
  void checkKeys(ArrayRef<StringRef> needed, ArrayRef<StringRef> possible, const Twine &with = "") {
    for (StringRef key : needed)
      if (!has(key))
        complain("expected '" + key + "'" + with + ", got none");
    SmallVector<StringRef> known(needed);
    append_range(known, possible);
    SmallVector<StringRef> keys;
    for (const auto &entry : object)
      keys.push_back(entry.first);
    sort(keys); // the object's order is that of a hash
    for (StringRef key : keys)
      if (!is_contained(known, key))
        complain("expected only " + join(known, ", ") + with + ", got '" + key + "'");
  }

  /// The number of `key`, if it is there.
  std::optional<int64_t> number(StringRef key, int64_t least = 1) {
    const json::Value *value = object.get(key);
    if (!value)
      return std::nullopt;
    std::optional<int64_t> number = value->getAsInteger();
    if (!number || *number < least || *number > std::numeric_limits<int32_t>::max())
      complain("expected '" + key + "' to be an integer from " + Twine(least) + " to 2^31 - 1, got " + print(*value));
    return number;
  }

  void flag(StringRef key, bool &flag) {
    const json::Value *value = object.get(key);
    if (!value)
      return;
    if (std::optional<bool> given = value->getAsBoolean())
      flag = *given;
    else
      complain("expected '" + key + "' to be true or false, got " + print(*value));
  }

  template <typename T> struct Word {
    StringRef name;
    T value;
  };
  template <typename T> void choice(StringRef key, T &chosen, std::initializer_list<Word<T>> words) {
    const json::Value *value = object.get(key);
    if (!value)
      return;
    SmallVector<StringRef> names;
    for (const Word<T> &word : words) {
      if (value->getAsString() == word.name) {
        chosen = word.value;
        return;
      }
      names.push_back(word.name);
    }
    complain("expected '" + key + "' to be one of " + join(names, ", ") + ", got " + print(*value));
  }

private:
  const json::Object &object;
  std::string place, complaint;
};

/// Which keys go with which operation.
void checkKeys(Fields &fields, Grouping op) {
  SmallVector<StringRef> needed{"op", "n"};
  SmallVector<StringRef> possible{"a_type", "b_type", "d_type", "sfa", "sfb", "batch_invariant"};
  if (op == Grouping::None) {
    needed.append({"k"});
    possible.append({"recipe", "c", "max_m"});
    return fields.checkKeys(needed, possible, " with op gemm");
  }
  needed.append({"groups"});
  if (op == Grouping::KCount) {
    needed.append({"m"});
    possible.append({"k", "c", "flattened"});
    return fields.checkKeys(needed, possible, " with op k_grouped_gemm");
  }
  needed.append({"k", "grouping"});
  possible.append({"recipe", "align", "max_m"});
  fields.checkKeys(needed, possible, " with op grouped_gemm");
}

void readGroups(Fields &fields, GemmProblem &problem) {
  if (problem.grouping != Grouping::KCount)
    fields.choice<Grouping>("grouping", problem.grouping,
                            {{"row_index", Grouping::RowIndex},
                             {"row_end", Grouping::RowEnd},
                             {"row_count", Grouping::RowCount},
                             {"batched", Grouping::Batched}});
  problem.groups = fields.number("groups").value_or(1);
  problem.align = fields.number("align").value_or(1);
  fields.flag("flattened", problem.flattened);
  bool described = problem.grouping == Grouping::RowIndex || problem.grouping == Grouping::RowEnd;
  if (fields.has("align") && !described)
    fields.complain("expected 'align' only with grouping row_index or row_end");
  if (problem.grouping == Grouping::RowIndex && !fields.has("align"))
    fields.complain("expected 'align' with grouping row_index, such as 128, got none");
}

Error readProblem(const json::Value &value, PackProblem &entry) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return createStringError(entry.place + ": expected an object, got " + print(value));
  Fields fields(*object, entry.place);
  GemmProblem &problem = entry.problem;
  // RowIndex stands for any grouping of rows until it is read.
  fields.choice<Grouping>(
      "op", problem.grouping,
      {{"gemm", Grouping::None}, {"grouped_gemm", Grouping::RowIndex}, {"k_grouped_gemm", Grouping::KCount}});
  if (!fields.has("op"))
    fields.complain("expected 'op' (gemm, grouped_gemm or k_grouped_gemm), got none");
  checkKeys(fields, problem.grouping);
  using Recipe = GemmProblem::Recipe;
  problem.recipe = problem.grouping == Grouping::KCount ? Recipe::OneD1D : Recipe::OneD2D;
  fields.choice<Recipe>("recipe", problem.recipe, {{"1d2d", Recipe::OneD2D}, {"1d1d", Recipe::OneD1D}});
  problem.m = fields.number("m");
  problem.n = fields.number("n").value_or(1);
  problem.k = fields.number("k");
  fields.choice<F8>("a_type", problem.a, {{"e4m3", F8::E4M3}, {"e5m2", F8::E5M2}});
  fields.choice<F8>("b_type", problem.b, {{"e4m3", F8::E4M3}, {"e5m2", F8::E5M2}});
  using Result = GemmProblem::Result;
  fields.choice<Result>("d_type", problem.d, {{"bf16", Result::BF16}, {"f32", Result::F32}});
  using C = GemmProblem::C;
  fields.choice<C>("c", problem.c, {{"none", C::None}, {"apart", C::Apart}, {"in_place", C::InPlace}});
  fields.choice<bool>("sfa", problem.sfaMnMajor, {{"mn_major", true}, {"k_major", false}});
  fields.choice<bool>("sfb", problem.sfbMnMajor, {{"mn_major", true}, {"k_major", false}});
  if (problem.grouping != Grouping::None)
    readGroups(fields, problem);
  entry.maxM = fields.number("max_m").value_or(entry.maxM);
  fields.flag("batch_invariant", entry.batchInvariant);
  return fields.take();
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
    pack.problems.back().place = "the problem";
    if (Error error = checkGpu(pack.gpu))
      return error;
    return readProblem(value, pack.problems.back());
  }
  Fields fields(*object, "the list");
  SmallVector<StringRef> needed{"problems"};
  if (pack.gpu.empty())
    needed.insert(needed.begin(), "gpu");
  fields.checkKeys(needed, {"gpu"});
  if (Error error = fields.take())
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
    entry.place = "problems[" + std::to_string(index) + "]";
    if (Error error = readProblem(value, entry))
      return error;
    if (Error error = distinct.add(std::move(entry)))
      return error;
  }
  return Error::success();
}

} // namespace

Error DistinctProblems::add(PackProblem entry) {
  auto [known, isNew] = indices.try_emplace({keyOf(entry.problem), entry.batchInvariant}, pack.problems.size());
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
