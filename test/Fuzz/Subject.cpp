// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Subject.h"

#include "Mutator.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"

#include <cstring>
#include <unistd.h>

using namespace mlir;

namespace fp8gemm::fuzz {

void Progress::at(const char *name) { std::strncpy(step, name, sizeof(step) - 1); }

namespace {

[[noreturn]] void fail(Progress &progress, const std::string &finding) {
  std::strncpy(progress.finding, finding.c_str(), sizeof(progress.finding) - 1);
  _exit(kFoundStatus);
}

const DialectRegistry &dialects() {
  static const DialectRegistry all = [] {
    DialectRegistry registry;
    registerDialects(registry);
    execution::registerCpuDialects(registry);
    return registry;
  }();
  return all;
}

/// Swallows diagnostics, but puts them together: what they print are values that a text chose.
struct Diagnostics {
  Diagnostics(MLIRContext &context, Progress *progress)
      : handler(&context, [this, progress](Diagnostic &diagnostic) {
          bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
          last = diagnostic.str();
          if (isError && errors++ == 0 && progress)
            std::strncpy(progress->refusal, last.c_str(), sizeof(progress->refusal) - 1);
          for (Diagnostic &note : diagnostic.getNotes())
            (void)note.str();
        }) {}

  size_t errors = 0;
  std::string last;
  ScopedDiagnosticHandler handler;
};

/// Names the pass that runs, and verifies what it made: the pass manager would give an error that looks as if the
/// input were wrong.
struct Watch : PassInstrumentation {
  Watch(Progress &progress, Diagnostics &diagnostics) : progress(progress), diagnostics(diagnostics) {}

  static bool isAdaptor(Pass *pass) { return pass->getArgument().empty(); }
  void runBeforePass(Pass *pass, Operation *) override {
    if (!isAdaptor(pass))
      progress.at(pass->getArgument().str().c_str());
  }
  void runAfterPass(Pass *pass, Operation *op) override {
    if (!isAdaptor(pass) && failed(verify(op)))
      fail(progress, "the pass made invalid IR: " + diagnostics.last);
  }
  void runAfterPassFailed(Pass *pass, Operation *) override {
    if (diagnostics.errors == 0)
      fail(progress, "the pass failed without an error");
  }

  Progress &progress;
  Diagnostics &diagnostics;
};

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os);
  return text;
}

OwningOpRef<ModuleOp> parse(MLIRContext &context, llvm::StringRef text) {
  // Not the template of one module: its frames would be of this program.
  auto module = ModuleOp::create(UnknownLoc::get(&context));
  OwningOpRef<ModuleOp> owner(module);
  if (failed(parseSourceString(text, module.getBody(), ParserConfig(&context))))
    return nullptr;
  auto inner = module.getOps<ModuleOp>();
  if (llvm::hasSingleElement(*module.getBody()) && !inner.empty()) {
    OwningOpRef<ModuleOp> only(*inner.begin());
    (*only)->remove();
    return only;
  }
  if (failed(verify(module)))
    return nullptr;
  return owner;
}

void checkPrint(MLIRContext &context, ModuleOp module, Progress &progress, Diagnostics &diagnostics) {
  progress.at("print");
  std::string printed = print(module);
  progress.at("parse what was printed");
  OwningOpRef<ModuleOp> again = parse(context, printed);
  if (!again)
    fail(progress, "what is printed can't be parsed: " + diagnostics.last);
  progress.at("print what was printed");
  if (print(*again) != printed)
    fail(progress, "what is printed prints otherwise once it is parsed");
}

using Build = void (*)(OpPassManager &, const PipelineOptions &);
constexpr Build kBuilds[] = {buildConfigPipeline, buildHopperPipeline, buildNVVMPipeline, buildLLVMPipeline};

} // namespace

Options Options::draw(const std::string &text, Random &random) {
  Options options;
  if (!random.oneIn(3))
    return options;
  options.cpu = random.oneIn(3) && text.find(" fp8gemm.") != std::string::npos;
  options.batchInvariant = random.oneIn(3);
  options.explain = random.oneIn(4);
  static constexpr const char *gpus[] = {"h100-sxm", "h100-pcie", "h200-sxm", "h20", "", "b200"};
  options.gpu = gpus[random.below(random.oneIn(8) ? std::size(gpus) : 4)];
  if (random.oneIn(3))
    options.expectedM = std::strtoll(Mutator::number("128", random).c_str(), nullptr, 10);
  if (random.oneIn(2)) {
    static constexpr const char *fields[] = {
        "tile_m",       "tile_n",    "stages",    "consumers", "producer_registers", "consumer_registers",
        "raster_group", "cluster_m", "cluster_n", "split_k",   "partials",           "swap_ab"};
    for (size_t count = 1 + random.below(4); count > 0; --count) {
      options.config += (options.config.empty() ? "" : ", ") + std::string(fields[random.below(std::size(fields))]) +
                        " = " + Mutator::number("64", random);
    }
  }
  return options;
}

std::string Options::toLine() const {
  return std::string("// ") + (cpu ? "cpu" : "gpu") + " config='" + config + "' gpu='" + gpu +
         "' expected-m=" + std::to_string(expectedM) + " batch-invariant=" + std::to_string(batchInvariant) +
         " explain=" + std::to_string(explain) + "\n";
}

Options Options::fromText(const std::string &text) {
  Options options;
  std::string line = text.substr(0, text.find('\n'));
  if (line.rfind("// cpu ", 0) != 0 && line.rfind("// gpu ", 0) != 0)
    return options;
  auto value = [&](const std::string &key, char end) {
    size_t start = line.find(key);
    if (start == std::string::npos)
      return std::string();
    start += key.size();
    return line.substr(start, line.find(end, start) - start);
  };
  options.cpu = line[3] == 'c';
  options.config = value("config='", '\'');
  options.gpu = value("gpu='", '\'');
  options.expectedM = std::strtoll(value("expected-m=", ' ').c_str(), nullptr, 10);
  options.batchInvariant = value("batch-invariant=", ' ') == "1";
  options.explain = value("explain=", ' ') == "1";
  return options;
}

Reached runCase(const Case &input, Progress &progress) {
  progress.at("make a context");
  std::memset(progress.refusal, 0, sizeof(progress.refusal));
  MLIRContext context(dialects(), MLIRContext::Threading::DISABLED);
  Diagnostics diagnostics(context, &progress);
  progress.at("parse");
  OwningOpRef<ModuleOp> module = parse(context, input.text);
  if (!module) {
    if (diagnostics.errors == 0)
      fail(progress, "the text was refused without an error");
    return Reached::NotParsed;
  }
  diagnostics.errors = 0; // of upstream's parser: some are withdrawn
  checkPrint(context, *module, progress, diagnostics);

  PassManager manager(&context);
  manager.enableVerifier(false); // Watch does
  manager.addInstrumentation(std::make_unique<Watch>(progress, diagnostics));
  PipelineOptions options;
  options.gpu = input.options.gpu;
  options.config = input.options.config;
  options.expectedM = input.options.expectedM;
  options.batchInvariant = input.options.batchInvariant;
  options.explain = input.options.explain;
  if (input.options.cpu)
    execution::buildCpuPipeline(manager);
  else
    for (Build build : kBuilds)
      build(manager, options);
  progress.at("start the passes");
  if (failed(manager.run(*module))) {
    if (diagnostics.errors == 0)
      fail(progress, "the passes failed without an error");
    return Reached::Parsed;
  }
  progress.at("print");
  print(*module);
  progress.at("clean up");
  return Reached::Lowered;
}

/// Each function with what is beside it, as modules.
static void addFunctions(ModuleOp module, std::vector<std::string> &texts) {
  size_t count = 0;
  module.walk([&](FunctionOpInterface) { ++count; });
  for (size_t keep = 0; keep < count; ++keep) {
    OwningOpRef<ModuleOp> copy(module.clone());
    std::vector<Operation *> functions;
    copy->walk([&](FunctionOpInterface function) { functions.push_back(function); });
    for (size_t i = 0; i < functions.size(); ++i)
      if (i != keep)
        functions[i]->erase();
    // A host function has no kernel to refer to then; and a kernel's module that is empty says nothing.
    std::vector<Operation *> empty;
    for (Operation &op : *copy->getBody())
      if (op.getNumRegions() == 1 && op.getRegion(0).hasOneBlock() && op.getRegion(0).front().empty())
        empty.push_back(&op);
    for (Operation *op : empty)
      op->erase();
    if (succeeded(verify(*copy)))
      texts.push_back(print(*copy));
  }
}

std::vector<std::string> levels(const std::string &text, bool lower) {
  MLIRContext context(dialects(), MLIRContext::Threading::DISABLED);
  Diagnostics diagnostics(context, nullptr);
  OwningOpRef<ModuleOp> module = parse(context, text);
  if (!module)
    return {text};
  std::vector<std::string> texts;
  addFunctions(*module, texts);
  if (texts.empty())
    texts.push_back(text);
  for (Build build : kBuilds) {
    PassManager manager(&context);
    build(manager, {});
    if (!lower || failed(manager.run(*module)))
      break;
    if (build != buildLLVMPipeline)
      addFunctions(*module, texts);
  }
  return texts;
}

} // namespace fp8gemm::fuzz
