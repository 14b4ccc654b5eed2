// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Case.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace fp8gemm::schedule {

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

llvm::Expected<Case> fromJson(const llvm::json::Value &value) {
  const llvm::json::Object *object = value.getAsObject();
  const llvm::json::Value *problem = object ? object->get("problem") : nullptr;
  if (!problem)
    return llvm::createStringError("expected an object with 'problem'");
  // Products of a pack serve any M, except for groups along K; a case may have one.
  llvm::json::Value described = *problem;
  std::optional<int64_t> m;
  if (llvm::json::Object *fields = described.getAsObject(); fields && fields->getString("op") != "k_grouped_gemm")
    if ((m = fields->getInteger("m")))
      fields->erase("m");
  llvm::Expected<PackProblems> pack = readPackProblems(described, "", "h100-sxm");
  if (!pack)
    return pack.takeError();
  Case c;
  c.problem = pack->problems.front().problem;
  if (m)
    c.problem.m = *m;
  if (std::optional<llvm::StringRef> text = object->getString("config"); text && !text->empty())
    if (std::string error = config::parse(text->str(), c.config); !error.empty())
      return llvm::createStringError(error);
  c.trial.m = object->getInteger("m").value_or(0);
  c.trial.clusters = object->getInteger("clusters").value_or(0);
  c.trial.padBytes = object->getInteger("pad").value_or(0);
  c.trial.seed = uint64_t(object->getInteger("seed").value_or(1));
  for (const char *key : {"group_sizes", "row_index"})
    if (const llvm::json::Array *numbers = object->getArray(key))
      for (const llvm::json::Value &number : *numbers) {
        if (llvm::StringRef(key) == "group_sizes")
          c.trial.groupSizes.push_back(number.getAsInteger().value_or(0));
        else
          c.trial.rowIndex.push_back(int32_t(number.getAsInteger().value_or(-1)));
      }
  return c;
}

/// The problem's fields that differ from what they are where they are left out, in the words of a pack.
static std::vector<std::pair<std::string, llvm::json::Value>> fieldsOf(const format::Problem &p) {
  const format::Problem usual = format::usualProblem(p.grouping);
  std::vector<std::pair<std::string, llvm::json::Value>> fields{{"op", factsOf(p.grouping).op}};
  for (const format::Field &field : format::kFields) {
    int64_t value = get(p, field);
    bool isNamed = field.mustHave & setOf(p.grouping);
    if (value == get(usual, field) && !isNamed)
      continue;
    const format::Word *word = wordOf(field, value);
    fields.emplace_back(field.name, word                               ? llvm::json::Value(word->name)
                                    : field.kind == format::Kind::Flag ? llvm::json::Value(value != 0)
                                                                       : llvm::json::Value(value));
  }
  return fields;
}

llvm::json::Object toJson(const Case &c) {
  llvm::json::Object problem, object;
  for (auto &[key, value] : fieldsOf(c.problem))
    problem[key] = std::move(value);
  object["problem"] = std::move(problem);
  object["config"] = config::toString(c.config);
  object["m"] = c.trial.m, object["clusters"] = c.trial.clusters, object["pad"] = c.trial.padBytes;
  object["seed"] = int64_t(c.trial.seed);
  return object;
}

/// The same as options: --a-type=e4m3; a flag is true.
std::string compileOptions(const Case &c) {
  std::string text;
  for (auto &[key, value] : fieldsOf(c.problem)) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', '-');
    text += (text.empty() ? "--" : " --") + name;
    if (std::optional<llvm::StringRef> word = value.getAsString())
      text += "=" + word->str();
    else if (std::optional<int64_t> number = value.getAsInteger())
      text += "=" + std::to_string(*number);
  }
  if (std::string schedule = config::toString(c.config); !schedule.empty())
    text += " --config='" + schedule + "'";
  return text;
}

std::string simulateOptions(const Case &c) {
  std::string text = "m=" + std::to_string(c.trial.m) + " seed=" + std::to_string(c.trial.seed) +
                     " clusters=" + std::to_string(c.trial.clusters) + " pad=" + std::to_string(c.trial.padBytes);
  auto list = [&](const char *name, const auto &numbers) {
    for (size_t i = 0; i < numbers.size(); ++i)
      text += (i ? "," : std::string(" ") + name + "=") + std::to_string(numbers[i]);
  };
  list("group-sizes", c.trial.groupSizes);
  list("row-index", c.trial.rowIndex);
  return text;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

Verdict run(const Case &c) {
  Verdict verdict;
  MLIRContext context(allDialects(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  bool complained = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    complained |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    verdict.message += diagnostic.str() + "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      verdict.message += "  " + note.str() + "\n";
    return success();
  });
  auto refused = [&](const char *step) {
    verdict.kind = complained ? Verdict::Kind::Refused : Verdict::Kind::Failed;
    if (!complained)
      verdict.message += std::string("no diagnostic from ") + step;
    return verdict;
  };
  OwningOpRef<ModuleOp> module = buildModule(context, c.problem);
  if (!module)
    return refused("the verifier");
  PipelineOptions options;
  options.config = config::toString(c.config);
  PassManager select(&context);
  buildConfigPipeline(select, options);
  if (failed(select.run(*module)))
    return refused("fp8gemm-select-config");

  // From here on nothing may object.
  PassManager build(&context);
  buildHopperPipeline(build, options);
  OpPassManager &kernelPasses = build.nest<gpu::GPUModuleOp>().nest<hopper::KernelOp>();
  hopper::buildCompleteSchedulePipeline(kernelPasses);
  kernelPasses.addPass(hopper::createCheckRingsPass());
  kernelPasses.addPass(hopper::createCheckResourcesPass());
  LogicalResult built = build.run(*module);
  llvm::raw_string_ostream(verdict.ir) << *module;
  if (failed(built))
    return verdict;
  hopper::KernelOp kernel;
  module->walk([&](hopper::KernelOp func) { kernel = func; });
  FailureOr<simulator::TrialResult> trial = simulator::runTrial(kernel, c.trial);
  if (failed(trial))
    return verdict;
  verdict.trial = *trial;
  PassManager lower(&context);
  buildNVVMPipeline(lower, options);
  if (failed(lower.run(*module)))
    return verdict;
  verdict.kind = Verdict::Kind::Agrees;
  verdict.ir.clear();
  return verdict;
}

} // namespace fp8gemm::schedule
