// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Subject.h"

#include "IrChanges.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Target/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

void Progress::keep(const std::string &changed) {
  size_t size = std::min(changed.size(), kMaxText - 1);
  std::memcpy(text, changed.data(), size);
  text[size] = '\0';
}

namespace {

[[noreturn]] void fail(Progress &progress, const std::string &finding) {
  std::strncpy(progress.finding, finding.c_str(), sizeof(progress.finding) - 1);
  _exit(kFoundStatus);
}

const DialectRegistry &dialects() {
  static const DialectRegistry all = [] {
    DialectRegistry registry;
    registerDialects(registry);
    target::registerTranslations(registry);
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
    if (pass->getArgument() == "hopper-check-rings")
      progress.reached |= Checked;
  }
  void runAfterPassFailed(Pass *pass, Operation *) override {
    if (diagnostics.errors == 0)
      fail(progress, "the pass failed without an error");
  }

  Progress &progress;
  Diagnostics &diagnostics;
};

std::string print(ModuleOp module, OpPrintingFlags flags = {}) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os, flags);
  return text;
}

/// Null if the text isn't parsed or verified; `reached` says which.
OwningOpRef<ModuleOp> parse(MLIRContext &context, llvm::StringRef text, uint8_t *reached = nullptr) {
  // Not the template of one module: its frames would be of this program.
  auto module = ModuleOp::create(UnknownLoc::get(&context));
  OwningOpRef<ModuleOp> owner(module);
  if (failed(parseSourceString(text, module.getBody(), ParserConfig(&context, /*verifyAfterParse=*/false))))
    return nullptr;
  if (reached)
    *reached |= Parsed;
  auto inner = module.getOps<ModuleOp>();
  if (llvm::hasSingleElement(*module.getBody()) && !inner.empty()) {
    OwningOpRef<ModuleOp> only(*inner.begin());
    (*only)->remove();
    owner = std::move(only);
  }
  if (failed(verify(*owner)))
    return nullptr;
  if (reached)
    *reached |= Verified;
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

/// Changes the IR of a text some times, so that it verifies again each time. Texts that don't are left, though the
/// verifier may have crashed on them: so each one is kept first.
std::string changeSomeIr(MLIRContext &context, const Case &input, Progress &progress) {
  context.loadDialect<arith::ArithDialect, scf::SCFDialect>(); // that changeIr makes operations of
  Diagnostics ignored(context, nullptr);
  Random random(input.seed);
  std::string text = input.text;
  OwningOpRef<ModuleOp> module = parse(context, text);
  size_t count = 1;
  while (count < 6 && random.oneIn(2))
    ++count;
  for (size_t tries = 0; module && count > 0 && tries < 16; ++tries) {
    progress.at("change the IR");
    OwningOpRef<ModuleOp> copy(module->clone());
    if (!changeIr(*copy, *input.mutator, random))
      continue;
    std::string changed = print(*copy, OpPrintingFlags().printGenericOpForm());
    if (changed.size() >= kMaxText)
      continue;
    progress.keep(changed);
    progress.at("parse");
    if (OwningOpRef<ModuleOp> next = parse(context, changed)) {
      module = std::move(next);
      text = std::move(changed);
      --count;
    } else {
      ++progress.refusedChanges;
    }
  }
  progress.keep(text);
  return text;
}

/// Each kernel to PTX, or on to a kernel file.
LogicalResult translate(ModuleOp module, const Options &options, Progress &progress) {
  bool translated = false;
  target::SerializeOptions serialize;
  serialize.allowSpills = true;
  for (auto kernel : module.getOps<gpu::GPUModuleOp>()) {
    progress.at("translate to PTX");
    if (failed(target::translate(kernel, serialize)))
      return failure();
    translated = true;
    progress.at("run ptxas");
    if (options.until == Options::Cubin && failed(target::serialize(kernel, serialize)))
      return failure();
  }
  if (translated)
    progress.reached |= Translated | (options.until == Options::Cubin ? Assembled : 0);
  return success();
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
         " explain=" + std::to_string(explain) + " until=" + std::to_string(until) + "\n";
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
  options.until = Until(std::min(std::strtoul(value("until=", '\n').c_str(), nullptr, 10), 2ul));
  return options;
}

void runCase(const Case &input, Progress &progress) {
  progress.at("make a context");
  MLIRContext context(dialects(), MLIRContext::Threading::DISABLED);
  std::string text = input.mutator ? changeSomeIr(context, input, progress) : input.text;
  Diagnostics diagnostics(context, &progress);
  progress.at("parse");
  OwningOpRef<ModuleOp> module = parse(context, text, &progress.reached);
  if (!module) {
    if (diagnostics.errors == 0)
      fail(progress, "the text was refused without an error");
    return;
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
    return;
  }
  progress.at("print");
  print(*module);
  progress.reached |= Lowered;
  if (!input.options.cpu && input.options.until != Options::Llvm && failed(translate(*module, input.options, progress)) && diagnostics.errors == 0)
    fail(progress, "a kernel was refused without an error");
  progress.at("clean up");
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
