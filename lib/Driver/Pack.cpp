// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Pack.h"

#include "fp8gemm/Pack/ModelProblems.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Support/Files.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"

#include <chrono>

using namespace llvm;

namespace fp8gemm {

namespace {

/// The progress of the kernels, on stderr: a bar on a terminal, otherwise a line for each.
class Progress {
public:
  explicit Progress(bool isQuiet) : how(isQuiet ? Nothing : errs().is_displayed() ? Bar : Lines) {}
  ~Progress() { finish(""); } // an error follows

  void print(const PackProgress &kernel) {
    done = kernel.done, total = kernel.total;
    cached += kernel.from == PackProgress::From::Cache;
    if (how == Lines)
      printLine(kernel);
    if (how == Bar)
      printBar();
  }
  /// A line of its own, also where no progress is printed.
  void warn(const std::string &text) {
    if (how == Bar && total)
      errs() << '\n';
    WithColor::warning(errs(), "fp8gemm-compile") << text << '\n';
  }
  /// After everything else, if there is something to print.
  void finish(const std::string &text) {
    if (how == Bar && total)
      errs() << '\n';
    if (how != Nothing)
      errs() << text;
    how = Nothing;
  }
  size_t kernels() const { return total; }

private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  void printLine(const PackProgress &kernel) const {
    errs() << llvm::format("[%3zu/%zu] %6.1f s  ", done, total, seconds()) << kernel.problem.place << ' '
           << config::describe(kernel.config) << ": " << kFrom[int(kernel.from)] << '\n';
  }
  /// In one go, over what was there.
  void printBar() const {
    size_t full = done * kWidth / total;
    std::string bar = std::string(full, '=') + std::string(kWidth - full, ' ');
    errs()
        << formatv("\r[{0}] {1}/{2} kernels, {3} from the cache, {4:f1} s ", bar, done, total, cached, seconds()).str();
  }

  static constexpr const char *kFrom[] = {"compiled", "from the cache"};
  static constexpr size_t kWidth = 30;
  enum { Nothing, Bar, Lines } how;
  size_t done = 0, total = 0, cached = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

Expected<ModelProblems> readModel(const CompileOptions &options) {
  Expected<std::unique_ptr<MemoryBuffer>> buffer = readText(options.model);
  if (!buffer)
    return buffer.takeError();
  ModelOptions model = options.modelOptions;
  model.gpu = options.pipeline.gpu;
  model.maxM = options.maxM;
  model.batchInvariant = options.pipeline.batchInvariant;
  return readModelProblems((*buffer)->getBuffer(), options.model, model);
}

/// The list of a model as --pack takes it, and on stderr the layers of each problem.
Error writeList(const CompileOptions &options) {
  Expected<ModelProblems> model = readModel(options);
  if (!model)
    return model.takeError();
  std::string text = formatv("{0:2}\n", model->list);
  // Refused as a pack would be.
  if (Expected<PackProblems> checked = readPackProblems(StringRef(text), options.model, ""); !checked)
    return checked.takeError();
  if (!options.quiet)
    for (auto [layer, problem] : zip(model->layers, *model->list.getAsObject()->getArray("problems")))
      errs() << formatv("{0}: {1}\n", layer, problem);
  if (options.output.empty() || options.output == "-") {
    outs() << text;
    return Error::success();
  }
  return writeFile(options.output, text, /*durable=*/false);
}

Expected<PackProblems> readProblems(const CompileOptions &options) {
  if (!options.model.empty()) {
    Expected<ModelProblems> model = readModel(options);
    if (!model)
      return model.takeError();
    Expected<PackProblems> pack = readPackProblems(model->list, options.model, "");
    if (pack)
      for (auto [layer, problem] : zip(model->layers, pack->problems))
        problem.place = layer; // for messages and progress
    return pack;
  }
  return readProblemFile(options.pack, options.pipeline.gpu.getValue(), options.maxM,
                         options.pipeline.batchInvariant.getValue());
}

Error write(const CompileOptions &options) {
  // Without a place for the pack all work would be in vain.
  if (Error error = checkOutputFile(options.output))
    return error;
  Expected<PackProblems> problems = readProblems(options);
  if (!problems)
    return problems.takeError();
  PackOptions build;
  build.ptxas = options.pipeline.ptxas.getValue();
  build.cache = options.cache;
  build.jobs = options.jobs;
  build.allowSpills = options.pipeline.allowSpills.getValue();
  build.debugRings = options.pipeline.debugRings.getValue();
  Progress progress(options.quiet);
  build.progress = [&](const PackProgress &kernel) { progress.print(kernel); };
  build.warn = [&](const std::string &text) { progress.warn(text); };
  Expected<std::string> bytes = buildPack(*problems, build);
  if (!bytes)
    return bytes.takeError();
  if (Error error = writeFile(options.output, *bytes, /*durable=*/true))
    return error;
  progress.finish(formatv("{0}: {1} problems, {2} kernels, {3} bytes\n", options.output, problems->problems.size(),
                          progress.kernels(), bytes->size()));
  return Error::success();
}

} // namespace

bool writePack(const CompileOptions &options) {
  bool written = true;
  const bool isList = !options.model.empty() &&
                      (options.output.empty() || options.output == "-" || StringRef(options.output).ends_with(".json"));
  handleAllErrors(isList ? writeList(options) : write(options), [&](const ErrorInfoBase &error) {
    WithColor::error(errs(), "fp8gemm-compile") << error.message() << '\n';
    written = false;
  });
  return written;
}

} // namespace fp8gemm
