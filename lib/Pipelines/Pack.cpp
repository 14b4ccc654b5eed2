// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Pack.h"

#include "Output.h"
#include "fp8gemm/Pipelines/PackBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

#include <chrono>

using namespace llvm;

namespace fp8gemm {

namespace {

/// What happens to each kernel, on stderr.
class Progress {
public:
  void print(const PackProgress &progress) {
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    errs() << format("[%3zu/%zu] %6.1f s  ", progress.done, progress.total, seconds.count()) << progress.problem.place
           << ' ' << config::describe(progress.config) << ": " << kHow[int(progress.from)] << '\n';
    kernels = progress.total;
  }
  size_t kernels = 0;

private:
  static constexpr const char *kHow[] = {"compiled", "from the cache", "compiled; the cache's was damaged"};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

Error write(const CompileOptions &options) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> text = MemoryBuffer::getFileOrSTDIN(options.pack, /*IsText=*/true);
  if (!text)
    return createStringError("cannot read '" + options.pack + "': " + text.getError().message());
  Expected<PackProblems> problems = readPackProblems((*text)->getBuffer(), options.pack, /*gpu=*/"");
  if (!problems)
    return problems.takeError();
  // Without a place for the pack all work would be in vain.
  StringRef folder = sys::path::parent_path(options.output);
  if (!folder.empty() && !sys::fs::is_directory(folder))
    return createStringError("cannot write '" + options.output + "': expected a folder '" + folder + "', got none");
  PackOptions build;
  build.ptxas = options.pipeline.ptxas.getValue();
  build.cache = options.cache;
  build.jobs = options.jobs;
  build.allowSpills = options.pipeline.allowSpills.getValue();
  Progress progress;
  build.progress = [&](const PackProgress &kernel) { progress.print(kernel); };
  Expected<std::string> bytes = buildPack(*problems, build);
  if (!bytes)
    return bytes.takeError();
  if (Error error = writeFile(options.output, *bytes, /*durable=*/true))
    return error;
  errs() << formatv("{0}: {1} problems, {2} kernels, {3} bytes\n", options.output, problems->problems.size(),
                    progress.kernels, bytes->size());
  return Error::success();
}

} // namespace

bool writePack(const CompileOptions &options) {
  bool written = true;
  handleAllErrors(write(options), [&](const ErrorInfoBase &error) {
    WithColor::error(errs(), "fp8gemm-compile") << error.message() << '\n';
    written = false;
  });
  return written;
}

} // namespace fp8gemm
