// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProblemOptions.h"

#include "fp8gemm/Pack/ReadProblem.h"

#include <algorithm>

using namespace llvm;
using namespace fp8gemm;

namespace {

struct Op {
  const char *name, *doc;
};
constexpr Op kOps[] = {{"gemm", "D[m,n] = C + A[m,k] * B[n,k]^T, block-scaled"},
                       {"grouped_gemm", "groups of rows of A, each with its own B"},
                       {"k_grouped_gemm", "groups along K, each with its own C and D"},
                       {"quantize", "A and its scales of a product, from bf16, f16 or f32"}};

} // namespace

ProblemOptions::ProblemOptions(cl::OptionCategory &category)
    : op("op", cl::desc("a problem instead of a file"), cl::cat(category)) {
  for (const Op &known : kOps)
    op.getParser().addLiteralOption(known.name, Choice(&known - kOps), known.doc);
  fields.reserve(std::size(format::kFields)); // an option refers to its name
  for (const format::Field &field : format::kFields) {
    if (!field.inManifest)
      continue; // of a plan, which has an option for it
    FieldOption &option = fields.emplace_back(FieldOption{field, field.name, nullptr, nullptr, nullptr});
    std::replace(option.name.begin(), option.name.end(), '_', '-');
    cl::desc doc(field.doc);
    StringRef name = option.name;
    switch (field.kind) {
    case format::Kind::Number:
      option.number = std::make_unique<cl::opt<std::string>>(name, doc, cl::value_desc("integer"), cl::cat(category));
      break;
    case format::Kind::Flag:
      option.flag = std::make_unique<cl::opt<bool>>(name, doc, cl::cat(category));
      break;
    case format::Kind::Word:
      option.word = std::make_unique<ChoiceOption>(name, doc, cl::cat(category));
      for (const format::Word &word : field.words)
        if (&field != format::findField("grouping") || field.mayHave & setOf(format::Grouping(word.value)))
          option.word->getParser().addLiteralOption(word.name, Choice(&word - field.words.begin()), word.doc);
      break;
    }
  }
}

StringRef ProblemOptions::givenField() const {
  for (const FieldOption &option : fields)
    if ((option.number && option.number->getNumOccurrences()) || (option.flag && option.flag->getNumOccurrences()) ||
        (option.word && option.word->getNumOccurrences()))
      return option.name;
  return "";
}

Expected<format::Problem> ProblemOptions::read() const {
  json::Object object{{"op", kOps[unsigned(op.getValue())].name}};
  for (const FieldOption &option : fields) {
    if (option.number && option.number->getNumOccurrences()) {
      int64_t number = 0;
      const std::string &text = *option.number;
      bool isNumber = !StringRef(text).getAsInteger(10, number);
      object[option.field.name] = isNumber ? json::Value(number) : json::Value(text);
    } else if (option.flag && option.flag->getNumOccurrences()) {
      object[option.field.name] = bool(*option.flag);
    } else if (option.word && option.word->getNumOccurrences()) {
      object[option.field.name] = option.field.words.begin()[unsigned(option.word->getValue())].name;
    }
  }
  return readProblem(object, FieldSource::Options);
}
