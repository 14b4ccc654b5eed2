// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Driver/Compile.h"

#include "Explain.h"
#include "Pack.h"
#include "Phases.h"
#include "Plan.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "fp8gemm/Support/Files.h"
#include "fp8gemm/Target/Target.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;

namespace fp8gemm {

namespace {

/// Levels are those of the steps, after the input.
static_assert(int(Emit::Config) == 1 && int(Emit::LLVM) == std::size(kLoweringSteps));

struct Compiler {
  explicit Compiler(CompileOptions &options) : options(options) {}

  LogicalResult run();

private:
  void placeSnapshot();
  LogicalResult checkOutput();
  LogicalResult parse();
  Emit lastLevel() const;
  bool compiles() const { return !options.answers() || !options.output.empty(); }
  LogicalResult lower();
  LogicalResult lowerAndAnswer();
  LogicalResult makeKernels();
  LogicalResult writeLevel();
  LogicalResult writeKernels();
  LogicalResult write(StringRef path, StringRef bytes);
  FailureOr<std::string> text(const target::Kernel &kernel);
  void report(const target::Kernel &kernel, StringRef path);

  LogicalResult error(const Twine &message) {
    llvm::WithColor::error(llvm::errs(), "fp8gemm-compile") << message << '\n';
    return failure();
  }

  CompileOptions &options;
  Phases phases;
  llvm::SourceMgr sources;
  std::unique_ptr<MLIRContext> context; // outlives the module
  OwningOpRef<ModuleOp> module;
  std::vector<target::Kernel> kernels;
};

LogicalResult Compiler::parse() {
  if (options.problem) {
    module = buildModule(*context, *options.problem, "<command line>");
    return success(!!module);
  }
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer = readText(options.input);
  if (!buffer)
    return error(llvm::toString(buffer.takeError()));
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  module = parseSourceFile<ModuleOp>(sources, context.get());
  return success(!!module);
}

/// Line numbers point into a print of the hopper level beside the output: gemm.cubin
/// has gemm.hopper.mlir. Its path is absolute, as profilers look for it from anywhere.
void Compiler::placeSnapshot() {
  PipelineOptions &pipeline = options.pipeline;
  if (!pipeline.lineinfo || !pipeline.lineinfoFile.empty() || options.emit <= Emit::Hopper)
    return;
  SmallString<128> path(options.output == "-" ? "" : options.output);
  if (path.empty() || StringRef(path).ends_with("/"))
    path += "kernels";
  llvm::sys::path::replace_extension(path, ".hopper.mlir");
  llvm::sys::fs::make_absolute(path);
  pipeline.lineinfoFile = path.str().str();
}

/// A plan names its kernels, and they have names where they are built.
Emit Compiler::lastLevel() const {
  Emit needed = options.plan != Answer::None ? Emit::Hopper : Emit::Config;
  return compiles() ? std::max(options.emit, needed) : needed;
}

/// Checks that the output can be written, before any work is done.
LogicalResult Compiler::checkOutput() {
  const std::string &output = options.output, &snapshot = options.pipeline.lineinfoFile;
  bool isFolder = StringRef(output).ends_with("/") || (output.empty() && options.emit == Emit::Cubin);
  llvm::Error failed = llvm::Error::success();
  if (compiles() && isFolder)
    failed = checkOutputFolder(output.empty() ? "./" : output);
  else if (compiles() && !output.empty())
    failed = checkOutputFile(output);
  if (!failed && !snapshot.empty())
    failed = checkOutputFile(snapshot);
  return failed ? error(llvm::toString(std::move(failed))) : success();
}

LogicalResult Compiler::lower() {
  for (const LoweringStep &step : ArrayRef(kLoweringSteps).take_front(size_t(std::min(lastLevel(), Emit::LLVM)))) {
    PassManager manager(context.get());
    step.build(manager, options.pipeline);
    if (failed(phases.run(step.title, [&] { return manager.run(*module); })))
      return failure();
  }
  return success();
}

/// Lowers, and says what was asked about the choice of schedules.
LogicalResult Compiler::lowerAndAnswer() {
  if (options.plan != Answer::None) {
    FailureOr<PlannedProduct> product = planProduct(*module, options.pipeline, options.maxM);
    if (failed(product) || failed(lower()))
      return failure();
    nameKernels(*module, *product);
    return write("-", print(*product, options.plan));
  }
  if (options.explain == Answer::None)
    return lower();
  std::vector<Question> questions = openQuestions(*module, options.pipeline);
  if (questions.empty())
    return error("expected an input with a product whose schedule is not chosen yet, to explain, got none");
  FailureOr<std::string> text =
      explain(context.get(), questions, options.pipeline, options.candidates, options.explain);
  if (failed(text) || failed(lower())) // with the schedules that explain() has set
    return failure();
  return write("-", *text);
}

LogicalResult Compiler::makeKernels() {
  const PipelineOptions &pipeline = options.pipeline;
  target::SerializeOptions serialize{pipeline.ptxas, pipeline.chip, pipeline.allowSpills, pipeline.lineinfo};
  for (auto gpuModule : module->getOps<gpu::GPUModuleOp>()) {
    FailureOr<target::Kernel> kernel =
        options.emit == Emit::Ptx ? target::translate(gpuModule, serialize) : target::serialize(gpuModule, serialize);
    if (failed(kernel))
      return failure();
    phases.add("LLVM", kernel->llvmSeconds);
    if (options.emit != Emit::Ptx)
      phases.add("ptxas", kernel->ptxasSeconds);
    kernels.push_back(std::move(*kernel));
  }
  for (auto binary : module->getOps<gpu::BinaryOp>()) {
    FailureOr<target::Kernel> kernel = target::readKernel(binary);
    if (failed(kernel))
      return failure();
    kernels.push_back(std::move(*kernel));
  }
  if (kernels.empty())
    return error("expected an input with a product of fp8gemm or a kernel, got none");
  return success();
}

LogicalResult Compiler::write(StringRef path, StringRef bytes) {
  if (llvm::Error failed = writeFile(path, bytes))
    return error(llvm::toString(std::move(failed)));
  return success();
}

LogicalResult Compiler::writeLevel() {
  std::string ir;
  llvm::raw_string_ostream os(ir);
  module->print(os, OpPrintingFlags().printNameLocAsPrefix());
  return write(options.output.empty() ? "-" : options.output, ir);
}

FailureOr<std::string> Compiler::text(const target::Kernel &kernel) {
  switch (options.emit) {
  case Emit::Ptx:
    if (kernel.ptx.empty())
      return error("expected an input that still has PTX, got kernel '" + kernel.name + "' assembled");
    return kernel.ptx;
  case Emit::Sass: {
    auto sass = phases.run("disassemble", [&] { return target::disassemble(kernel.cubin.bytes); });
    if (!sass)
      return error(llvm::toString(sass.takeError()));
    return *sass;
  }
  case Emit::Manifest:
    return target::printManifest(kernel.manifest);
  default:
    return kernel.file;
  }
}

LogicalResult Compiler::writeKernels() {
  bool binary = options.emit == Emit::Cubin;
  std::string output = !options.output.empty() ? options.output : binary ? "./" : "-";
  bool folder = StringRef(output).ends_with("/");
  if (!folder && kernels.size() > 1) {
    std::string names;
    for (const target::Kernel &kernel : kernels)
      names += (names.empty() ? "" : ", ") + kernel.name;
    return error("expected -o to be a folder (-o FOLDER/) for " + Twine(kernels.size()) + " kernels: " + names);
  }
  if (folder)
    if (llvm::Error failed = makeFolder(output))
      return error(llvm::toString(std::move(failed)));
  StringRef extension = options.emit == Emit::Ptx        ? ".ptx"
                        : options.emit == Emit::Sass     ? ".sass"
                        : options.emit == Emit::Manifest ? ".json"
                                                         : ".cubin";
  for (const target::Kernel &kernel : kernels) {
    std::string path = folder ? (output + kernel.name + extension).str() : output;
    FailureOr<std::string> bytes = text(kernel);
    if (failed(bytes) || failed(phases.run("write", [&] { return write(path, *bytes); })))
      return failure();
    if (options.report && !kernel.manifest.empty())
      report(kernel, path);
  }
  return success();
}

void Compiler::report(const target::Kernel &kernel, StringRef path) {
  target::printReport(kernel, llvm::errs());
  if (path != "-")
    llvm::errs() << "  file        " << path << "\n";
}

LogicalResult Compiler::run() {
  if (options.pipeline.chip.getValue() != target::kChip)
    return error("expected chip " + target::kChip + ", got " + options.pipeline.chip.getValue());
  placeSnapshot();
  if (failed(checkOutput()))
    return failure();
  // One kernel is one thread's work: a pool would only cost its start.
  context = std::make_unique<MLIRContext>(allInputDialects(), MLIRContext::Threading::DISABLED);
  context->printOpOnDiagnostic(false); // a location is enough
  SourceMgrDiagnosticHandler diagnostics(sources, context.get());
  // Of an option, not of a place in the input.
  context->getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    if (!isa<UnknownLoc>(diagnostic.getLocation()) || diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    llvm::WithColor::error(llvm::errs(), "fp8gemm-compile") << diagnostic.str() << '\n';
    return success();
  });
  if (failed(phases.run("parse", [&] { return parse(); })))
    return failure();
  if (failed(lowerAndAnswer()))
    return failure();
  LogicalResult result = success();
  if (compiles())
    result = options.emit <= Emit::LLVM ? phases.run("write", [&] { return writeLevel(); })
                                        : success(succeeded(makeKernels()) && succeeded(writeKernels()));
  if (options.time)
    phases.print(llvm::errs());
  return result;
}

} // namespace

bool runCompileTool(CompileOptions &options) {
  const bool isPack = !options.pack.empty() || !options.model.empty();
  return isPack ? writePack(options) : succeeded(Compiler(options).run());
}

} // namespace fp8gemm
