// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Pack.h"

#include "Explain.h"
#include "KernelCache.h"
#include "Output.h"
#include "PackFile.h"
#include "PackProblems.h"
#include "Problem.h"
#include "fp8gemm/Config/Plan.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "fp8gemm/Target/Target.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/WithColor.h"

#include <atomic>
#include <chrono>
#include <mutex>

using namespace mlir;

namespace fp8gemm {

namespace {

/// A product in a context of its own, so that threads share nothing. What is said of it is kept.
class Product {
public:
  Product(const PackProblem &entry, const PackProblems &pack, const CompileOptions &options)
      : context(registry(), MLIRContext::Threading::DISABLED),
        diagnostics(&context, [this](Diagnostic &diagnostic) { keep(diagnostic); }) {
    context.printOpOnDiagnostic(false);
    pipeline.gpu = pack.gpu;
    pipeline.batchInvariant = entry.batchInvariant;
    pipeline.ptxas = options.pipeline.ptxas.getValue();
    pipeline.allowSpills = options.pipeline.allowSpills.getValue();
    module = buildModule(context, entry.problem);
  }

  bool isValid() const { return !!module; }
  /// Why something failed.
  std::string takeErrors() { return std::exchange(errors, {}); }

  config::Problem question() { return openQuestions(*module, pipeline).front().problem; }
  void choose(const config::Config &config) {
    module->walk([&](ProductOpInterface op) { op.setConfigAttr(attrOf(&context, config)); });
  }
  /// All that the kernel is made of, beside the tools.
  std::string source() {
    std::string text = pipeline.allowSpills ? "// allow spills\n" : "";
    llvm::raw_string_ostream os(text);
    module->print(os);
    return text;
  }
  FailureOr<target::Kernel> compile();

private:
  static const DialectRegistry &registry() {
    static const DialectRegistry all = [] {
      DialectRegistry dialects;
      registerDialects(dialects);
      return dialects;
    }();
    return all;
  }

  void keep(Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += (errors.empty() ? "" : "\n") + diagnostic.str();
  }

  MLIRContext context;
  std::string errors;
  ScopedDiagnosticHandler diagnostics;
  PipelineOptions pipeline;
  OwningOpRef<ModuleOp> module;
};

FailureOr<target::Kernel> Product::compile() {
  PassManager manager(&context);
  buildConfigPipeline(manager, pipeline);
  buildHopperPipeline(manager, pipeline);
  buildNVVMPipeline(manager, pipeline);
  buildLLVMPipeline(manager, pipeline);
  if (failed(manager.run(*module)))
    return failure();
  target::SerializeOptions serialize;
  serialize.ptxas = pipeline.ptxas;
  serialize.allowSpills = pipeline.allowSpills;
  auto modules = module->getOps<gpu::GPUModuleOp>();
  if (!llvm::hasSingleElement(modules))
    return module->emitError("expected one kernel for a product");
  return target::serialize(*modules.begin(), serialize);
}

class Packer {
public:
  explicit Packer(const CompileOptions &options) : options(options) {}

  LogicalResult run();

private:
  struct Kernel {
    size_t entry;
    config::Config config;
    std::string file;
  };
  /// What one entry asks for.
  struct Planned {
    std::string source; ///< without a schedule
    std::vector<config::Config> configs;
    std::vector<format::Interval> intervals; ///< of these configs
  };

  LogicalResult open();
  /// Runs `work` for 0 to `count` - 1 on all threads. An error stops what has not begun.
  LogicalResult forEach(size_t count, llvm::function_ref<llvm::Error(size_t)> work);
  llvm::Error plan(size_t entry);
  LogicalResult checkDistinct();
  void collect();
  llvm::Error compile(size_t kernel);
  LogicalResult write();
  void progress(const Kernel &kernel, StringRef how);

  llvm::Error entryError(size_t entry, const Twine &message) {
    return llvm::createStringError(options.pack + ": " + pack.problems[entry].place + ": " + message);
  }
  LogicalResult error(const Twine &message) {
    llvm::WithColor::error(llvm::errs(), "fp8gemm-compile") << message << '\n';
    return failure();
  }

  const CompileOptions &options;
  PackProblems pack;
  const config::Gpu *gpu = nullptr;
  std::optional<KernelCache> cache;
  std::vector<Planned> planned; ///< of each entry
  std::vector<Kernel> kernels;
  std::vector<format::PlanSpec> plans;

  std::mutex printing;
  size_t done = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

LogicalResult Packer::open() {
  llvm::Expected<PackProblems> read = readPackProblems(options.pack);
  if (!read)
    return error(llvm::toString(read.takeError()));
  pack = std::move(*read);
  gpu = config::findGpu(pack.gpu);
  // Without a place for the pack, or ptxas, all work would be in vain.
  StringRef folder = llvm::sys::path::parent_path(options.output);
  if (!folder.empty() && !llvm::sys::fs::is_directory(folder))
    return error("cannot write '" + options.output + "': expected a folder '" + folder + "', got none");
  llvm::Expected<std::string> ptxas = target::ptxasVersion(options.pipeline.ptxas.getValue());
  if (!ptxas)
    return error(llvm::toString(ptxas.takeError()));
  llvm::Expected<KernelCache> opened = KernelCache::open(options.cache, "ptxas " + *ptxas);
  if (!opened)
    return error(llvm::toString(opened.takeError()));
  cache = std::move(*opened);
  return success();
}

LogicalResult Packer::forEach(size_t count, llvm::function_ref<llvm::Error(size_t)> work) {
  std::vector<std::string> errors(count);
  std::atomic<bool> failed = false;
  llvm::StdThreadPool pool(llvm::hardware_concurrency(options.jobs));
  for (size_t i = 0; i != count; ++i)
    pool.async([&, i] {
      if (failed)
        return;
      if (llvm::Error problem = work(i)) {
        errors[i] = llvm::toString(std::move(problem));
        failed = true;
      }
    });
  pool.wait();
  for (const std::string &message : errors)
    if (!message.empty())
      (void)error(message);
  return success(!failed);
}

llvm::Error Packer::plan(size_t entry) {
  Product product(pack.problems[entry], pack, options);
  if (!product.isValid())
    return entryError(entry, product.takeErrors());
  config::Problem problem = product.question();
  Planned &to = planned[entry];
  to.source = product.source();
  if (problem.m) { // groups along K: one kernel
    config::Choice choice = config::choose(problem, *gpu, *problem.m);
    if (!choice.error.empty())
      return entryError(entry, choice.error);
    to.configs = {choice.chosen.config};
    to.intervals = {{1, 0}};
    return llvm::Error::success();
  }
  config::Plan plan = config::plan(problem, *gpu, pack.problems[entry].maxM);
  if (plan.intervals.empty())
    return entryError(entry, "expected at least one legal config on " + gpu->name + ", got none");
  for (const config::Interval &interval : plan.intervals) {
    auto found = llvm::find(to.configs, interval.config);
    uint32_t index = found - to.configs.begin();
    if (found == to.configs.end())
      to.configs.push_back(interval.config);
    to.intervals.push_back({uint32_t(interval.first), index});
  }
  return llvm::Error::success();
}

LogicalResult Packer::checkDistinct() {
  for (size_t entry = 0; entry != planned.size(); ++entry)
    for (size_t before = 0; before != entry; ++before)
      if (planned[entry].source == planned[before].source)
        return error(llvm::toString(entryError(entry, "expected a problem that no other entry has, got that of " +
                                                          pack.problems[before].place)));
  return success();
}

void Packer::collect() {
  for (auto [entry, plan] : llvm::enumerate(planned)) {
    format::PlanSpec spec;
    for (const format::Interval &interval : plan.intervals)
      spec.intervals.emplace_back(interval.first(), uint32_t(kernels.size() + interval.kernel()));
    spec.modelledM = pack.problems[entry].problem.m ? 0 : uint32_t(pack.problems[entry].maxM);
    spec.batchInvariant = pack.problems[entry].batchInvariant;
    plans.push_back(std::move(spec));
    for (const config::Config &config : plan.configs)
      kernels.push_back({entry, config, {}});
  }
}

llvm::Error Packer::compile(size_t index) {
  Kernel &kernel = kernels[index];
  Product product(pack.problems[kernel.entry], pack, options);
  product.choose(kernel.config);
  const std::string source = product.source();
  KernelCache::Found found = cache->find(source, kernel.file);
  if (found == KernelCache::Found::Kernel) {
    progress(kernel, "from the cache");
    return llvm::Error::success();
  }
  FailureOr<target::Kernel> compiled = product.compile();
  if (failed(compiled))
    return entryError(kernel.entry, config::describe(kernel.config) + ": " + product.takeErrors());
  kernel.file = std::move(compiled->file);
  if (llvm::Error failed = cache->keep(source, kernel.file))
    return failed;
  progress(kernel, found == KernelCache::Found::Damaged ? "compiled; the cache's was damaged" : "compiled");
  return llvm::Error::success();
}

void Packer::progress(const Kernel &kernel, StringRef how) {
  std::lock_guard<std::mutex> lock(printing);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  llvm::errs() << llvm::format("[%3zu/%zu] %6.1f s  ", ++done, kernels.size(), seconds.count())
               << pack.problems[kernel.entry].place << ' ' << config::describe(kernel.config) << ": " << how << '\n';
}

LogicalResult Packer::write() {
  std::vector<std::string> files;
  for (Kernel &kernel : kernels)
    files.push_back(std::move(kernel.file));
  std::string bytes = format::writePack(pack.gpu, files, plans);
  // The reader's checks hold for what was written.
  format::PackFile readBack;
  if (std::string problem = format::readPack(bytes.data(), bytes.size(), readBack); !problem.empty())
    return error(options.pack + ": " + problem);
  if (llvm::Error failed = writeFile(options.output, bytes, /*durable=*/true))
    return error(llvm::toString(std::move(failed)));
  llvm::errs() << llvm::formatv("{0}: {1} problems, {2} kernels, {3} bytes\n", options.output, plans.size(),
                                files.size(), bytes.size());
  return success();
}

LogicalResult Packer::run() {
  if (failed(open()))
    return failure();
  planned.resize(pack.problems.size());
  if (failed(forEach(planned.size(), [&](size_t entry) { return plan(entry); })))
    return failure();
  if (failed(checkDistinct()))
    return failure();
  collect();
  if (failed(forEach(kernels.size(), [&](size_t kernel) { return compile(kernel); })))
    return failure();
  return write();
}

} // namespace

bool buildPack(const CompileOptions &options) { return succeeded(Packer(options).run()); }

} // namespace fp8gemm
