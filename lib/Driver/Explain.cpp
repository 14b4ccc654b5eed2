// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Explain.h"

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace fp8gemm {

std::vector<Question> openQuestions(mlir::ModuleOp module, const PipelineOptions &options) {
  std::vector<Question> questions;
  module.walk([&](ProductOpInterface op) {
    if (op.getConfigAttr() || op.getKernelAttr())
      return;
    std::string location = "?";
    if (auto file = dyn_cast<mlir::FileLineColLoc>(op.getLoc()))
      location = formatv("{0}:{1}:{2}", file.getFilename().getValue(), file.getLine(), file.getColumn());
    questions.push_back({op, location, problemOf(op)});
    questions.back().problem.batchInvariant = options.batchInvariant;
  });
  return questions;
}

/// The choice, then the best of the others, as many as requested.
static std::vector<config::Candidate> shown(const config::Choice &choice, unsigned count) {
  std::vector<config::Candidate> all = choice.candidates;
  erase_if(all, [&](const config::Candidate &candidate) { return candidate.config == choice.chosen.config; });
  all.insert(all.begin(), choice.chosen);
  if (count && count < all.size())
    all.resize(count);
  return all;
}

static std::string rows(const config::Problem &problem, int64_t expectedM) {
  return problem.m ? std::to_string(*problem.m) : "any (" + std::to_string(expectedM) + " modelled)";
}

ConfigColumns::ConfigColumns(ArrayRef<config::Config> configs) {
  for (const config::Field &field : config::kFields)
    if (any_of(configs, [&](const config::Config &config) { return config.*field.member != field.usual; }))
      fields.push_back(field);
}

void ConfigColumns::printHead(raw_ostream &os) const {
  for (const config::Field &field : fields)
    os << "  " << field.name;
}

void ConfigColumns::print(raw_ostream &os, const config::Config &config) const {
  for (const config::Field &field : fields)
    os << "  " << format_decimal(config.*field.member, StringRef(field.name).size());
}

void printConfig(json::OStream &json, const config::Config &config) {
  json.attributeObject("config", [&] {
    for (const config::Field &field : config::kFields)
      json.attribute(field.name, config.*field.member);
  });
}

static void printTable(raw_ostream &os, ArrayRef<config::Candidate> candidates, const config::Config &chosen) {
  SmallVector<config::Config> configs(
      map_range(candidates, [](const config::Candidate &candidate) { return candidate.config; }));
  ConfigColumns columns(configs);
  os << "        us";
  columns.printHead(os);
  os << "  modelled\n";
  for (const config::Candidate &candidate : candidates) {
    os << (candidate.config == chosen ? "* " : "  ") << llvm::format("%8.1f", candidate.microseconds);
    columns.print(os, candidate.config);
    os << "  " << candidate.reason << '\n';
  }
}

static void printJson(json::OStream &json, const config::Candidate &candidate, const config::Config &chosen) {
  json.object([&] {
    printConfig(json, candidate.config);
    json.attribute("modelled_us", candidate.microseconds);
    json.attribute("modelled", candidate.reason);
    json.attribute("chosen", candidate.config == chosen);
  });
}

namespace {
struct Answered {
  const Question &question;
  config::Choice choice;
};
} // namespace

static std::string explainAsText(const std::vector<Answered> &answers, const Selection &selection, unsigned most) {
  std::string text;
  raw_string_ostream os(text);
  bool isGiven = selection.given != config::Config();
  for (const auto &[question, choice] : answers) {
    std::vector<config::Candidate> candidates = shown(choice, most);
    os << formatv("{0}: M = {1}, N = {2}, K = {3} on {4}: {5} of {6} schedules, * is the one {7}\n", question.location,
                  rows(question.problem, selection.expectedM), question.problem.n, question.problem.k,
                  selection.gpu->name, candidates.size(), choice.candidates.size(), isGiven ? "given" : "chosen");
    printTable(os, candidates, choice.chosen.config);
  }
  return text;
}

static std::string explainAsJson(const std::vector<Answered> &answers, const Selection &selection, unsigned most) {
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, /*IndentSize=*/1);
  json.array([&] {
    for (const Answered &answer : answers) {
      const config::Problem &problem = answer.question.problem;
      json.object([&] {
        json.attribute("location", json::fixUTF8(answer.question.location)); // the name of a file may be anything
        json.attribute("m", problem.m ? json::Value(*problem.m) : json::Value(nullptr));
        json.attribute("modelled_m", problem.m.value_or(selection.expectedM));
        json.attribute("n", problem.n);
        json.attribute("k", problem.k);
        json.attribute("gpu", selection.gpu->name);
        json.attributeArray("candidates", [&] {
          for (const config::Candidate &candidate : shown(answer.choice, most))
            printJson(json, candidate, answer.choice.chosen.config);
        });
      });
    }
  });
  os << '\n';
  return text;
}

mlir::FailureOr<std::string> explain(mlir::MLIRContext *context, std::vector<Question> &questions,
                                     const PipelineOptions &options, unsigned candidates, Answer form) {
  Selection selection;
  std::string error = selection.set(options.gpu, options.expectedM, options.config, options.batchInvariant);
  if (!error.empty())
    return mlir::emitError(mlir::UnknownLoc::get(context)) << error;
  std::vector<Answered> answers;
  for (Question &question : questions) {
    mlir::FailureOr<config::Choice> choice = selection.select(question.op);
    if (failed(choice))
      return mlir::failure();
    answers.push_back({question, std::move(*choice)});
  }
  return (form == Answer::Json ? explainAsJson : explainAsText)(answers, selection, candidates);
}

} // namespace fp8gemm
