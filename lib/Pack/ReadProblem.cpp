// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pack/ReadProblem.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>

using namespace llvm;
using namespace fp8gemm::format;

namespace fp8gemm {

static std::string jsonOf(const json::Value &value) {
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

static Expected<int64_t> expectNumber(const Twine &name, const json::Value &value, int64_t least, StringRef orElse,
                                      const Twine &got) {
  std::optional<int64_t> number = value.getAsInteger();
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (number && *number >= least && *number <= kMost)
    return *number;
  return createStringError("expected " + name + " to be an integer from " + Twine(least) + " to " + Twine(kMost) +
                           orElse + ", got " + got);
}

namespace {

class Reader {
public:
  Reader(const json::Object &object, FieldSource source) : object(object), source(source) {}

  Expected<Problem> run(ArrayRef<StringRef> others);

private:
  /// 'align' or --align.
  std::string named(StringRef name) const {
    if (source == FieldSource::List)
      return ("'" + name + "'").str();
    std::string option = ("--" + name).str();
    llvm::replace(option, '_', '-');
    return option;
  }
  /// "op gemm or k_grouped_gemm", or "--op=gemm or --op=k_grouped_gemm".
  std::string settings(StringRef name, ArrayRef<StringRef> values) const {
    std::string option = named(name) + "=";
    return source == FieldSource::List ? (name + " " + join(values, " or ")).str()
                                       : option + join(values, " or " + option);
  }
  std::string printed(const json::Value &value) const {
    if (source == FieldSource::List)
      return jsonOf(value);
    std::optional<StringRef> text = value.getAsString();
    return "'" + (text ? text->str() : jsonOf(value)) + "'";
  }

  Error readOp();
  Error readGrouping();
  Error checkKeys(ArrayRef<StringRef> others);
  Error readField(const Field &field);
  Expected<int64_t> valueOf(const Field &field, const json::Value &value);
  /// What goes with a field: ops, or groupings where it goes with some of an op's only.
  std::string goesWith(const Field &field) const;
  bool mayHave(const Field &field) const {
    return field.mayHave & setOf(problem) || (field.name == StringRef("m") && source == FieldSource::Options);
  }

  const json::Object &object;
  FieldSource source;
  StringRef op;
  GroupingSet ofOp = 0; ///< the op's groupings
  Problem problem;
};

} // namespace

static GroupingSet groupingsOf(StringRef op) {
  GroupingSet groupings = 0;
  for (const Problem &usual : usualProblems())
    if (op == factsOf(usual).op)
      groupings |= setOf(usual);
  return groupings;
}

static SmallVector<StringRef> opsOf(GroupingSet groupings) {
  SmallVector<StringRef> ops;
  for (const Problem &usual : usualProblems())
    if (StringRef op = factsOf(usual).op; groupings & setOf(usual) && !is_contained(ops, op))
      ops.push_back(op);
  return ops;
}

static SmallVector<StringRef> wordsOf(const Field &field, GroupingSet groupings) {
  bool isGrouping = field.name == StringRef("grouping");
  SmallVector<StringRef> words;
  for (const Word &word : field.words)
    if (!isGrouping || groupings & setOf(Grouping(word.value)))
      words.push_back(word.name);
  return words;
}

Error Reader::readOp() {
  const json::Value *given = object.get("op");
  SmallVector<StringRef> ops = opsOf(kAll | kQuantize);
  if (!given)
    return createStringError("expected " + named("op") + " (gemm, grouped_gemm, k_grouped_gemm or quantize), got none");
  op = given->getAsString().value_or("");
  ofOp = groupingsOf(op);
  if (!ofOp)
    return createStringError("expected " + named("op") + " to be one of " + join(ops, ", ") + ", got " +
                             printed(*given));
  return Error::success();
}

Error Reader::readGrouping() {
  const Field &field = *findField("grouping");
  const json::Value *given = object.get(field.name);
  SmallVector<StringRef> words = wordsOf(field, ofOp);
  if (words.size() <= 1) {
    for (const Problem &usual : usualProblems())
      if (ofOp & setOf(usual))
        problem = usual;
    return given ? createStringError("expected " + named(field.name) + " only with " + goesWith(field))
                 : Error::success();
  }
  if (!given)
    return createStringError("expected " + named(field.name) + " (" + join(words, ", ") + ") with " +
                             settings("op", op) + ", got none");
  for (const Word &word : kGroupingWords)
    if (is_contained(words, word.name) && given->getAsString() == StringRef(word.name)) {
      problem = usualProblem(Grouping(word.value));
      return Error::success();
    }
  return createStringError("expected " + named(field.name) + " to be one of " + join(words, ", ") + ", got " +
                           printed(*given));
}

Error Reader::checkKeys(ArrayRef<StringRef> others) {
  SmallVector<StringRef> known{"op"}, keys;
  for (const Field &field : kFields)
    if (field.mayHave & ofOp)
      known.push_back(field.name);
  append_range(known, others);
  for (const auto &entry : object)
    keys.push_back(entry.first);
  sort(keys); // the object's order is that of a hash
  for (StringRef key : keys)
    if (!is_contained(known, key) && !findField(key))
      return createStringError("expected only " + join(known, ", ") + " with " + settings("op", op) + ", got '" + key +
                               "'");
  return Error::success();
}

std::string Reader::goesWith(const Field &field) const {
  SmallVector<StringRef> ops = opsOf(field.mayHave);
  bool isWhole = all_of(ops, [&](StringRef op) { return !(groupingsOf(op) & ~field.mayHave); });
  return isWhole ? settings("op", ops) : settings("grouping", wordsOf(*findField("grouping"), field.mayHave));
}

Expected<int64_t> Reader::valueOf(const Field &field, const json::Value &value) {
  const std::string name = named(field.name);
  switch (field.kind) {
  case Kind::Flag:
    if (std::optional<bool> flag = value.getAsBoolean())
      return *flag;
    return createStringError("expected " + name + " to be true or false, got " + printed(value));
  case Kind::Word:
    for (const Word &word : field.words)
      if (value.getAsString() == StringRef(word.name))
        return word.value;
    return createStringError("expected " + name + " to be one of " + join(wordsOf(field, kAll), ", ") + ", got " +
                             printed(value));
  case Kind::Number:
    break;
  }
  // An extent that may be any: -1.
  bool mayBeAny = get(problem, field) == -1 && !(field.mustHave & setOf(problem));
  if (mayBeAny && value.getAsString() == StringRef("any"))
    return -1;
  bool mayBeNone = field.name == StringRef("m") && problem.grouping != Grouping::KCount;
  return expectNumber(name, value, mayBeNone ? 0 : 1, mayBeAny ? " or 'any'" : "", printed(value));
}

Error Reader::readField(const Field &field) {
  const json::Value *given = object.get(field.name);
  const GroupingSet groupings = setOf(problem);
  if (!given) {
    if (!(field.mustHave & groupings))
      return Error::success();
    bool isOfOp = !(ofOp & ~field.mustHave);
    StringRef grouping = wordOf(*findField("grouping"), int64_t(problem.grouping))->name;
    return createStringError("expected " + named(field.name) + " with " +
                             (isOfOp ? settings("op", op) : settings("grouping", grouping)) + ", got none");
  }
  Expected<int64_t> value = valueOf(field, *given);
  if (!value)
    return value.takeError();
  // What it has anyway may be said.
  if (!mayHave(field) && *value != get(problem, field))
    return createStringError("expected " + named(field.name) + " only with " + goesWith(field));
  set(problem, field, *value);
  return Error::success();
}

Expected<Problem> Reader::run(ArrayRef<StringRef> others) {
  if (Error error = readOp())
    return error;
  if (Error error = checkKeys(others))
    return error;
  if (Error error = readGrouping())
    return error;
  for (const Field &field : kFields)
    if (field.name != StringRef("grouping"))
      if (Error error = readField(field))
        return error;
  return problem;
}

Expected<Problem> readProblem(const json::Object &object, FieldSource source, ArrayRef<StringRef> others) {
  return Reader(object, source).run(others);
}

Expected<int64_t> readCount(const json::Object &object, StringRef key, int64_t orElse) {
  const json::Value *value = object.get(key);
  return value ? expectNumber("'" + key + "'", *value, 1, "", jsonOf(*value)) : orElse;
}

} // namespace fp8gemm
