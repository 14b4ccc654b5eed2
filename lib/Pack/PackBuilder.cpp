// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pack/PackBuilder.h"

#include "KernelCache.h"
#include "PackFile.h"
#include "fp8gemm/Config/Plan.h"
#include "fp8gemm/Pack/Product.h"
#include "fp8gemm/Target/CudaTools.h"
#include "llvm/Support/ThreadPool.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <utility>

using namespace llvm;

namespace fp8gemm {

char PackError::ID;

Error PackProblems::error(PackError::Kind kind, const PackProblem &problem, const Twine &message) const {
  return make_error<PackError>(kind, ((name.empty() ? "" : name + ": ") + problem.place + ": " + message).str());
}

namespace {

using Kind = PackError::Kind;

class Builder {
public:
  Builder(const PackProblems &pack, const PackOptions &options)
      : pack(pack), options(options), gpu(config::findGpu(pack.gpu)) {}

  Expected<std::string> run();

private:
  struct Kernel {
    size_t entry;
    config::Config config;
    std::string file;
  };
  /// The request of one entry.
  struct Planned {
    std::vector<config::Config> configs;
    std::vector<format::Interval> intervals; ///< of these configs
  };

  Error open();
  /// Runs `work` for 0 to `count` - 1 on all threads. An error stops what has not begun.
  Error forEach(size_t count, function_ref<Error(size_t)> work);
  Error plan(size_t entry);
  void collect();
  Error compile(size_t kernel);
  Expected<std::string> write();
  void report(const Kernel &kernel, PackProgress::From from);
  void warn(KernelCache::Trouble kind, const std::string &text);
  Error entryError(Kind kind, size_t entry, const Twine &message) {
    return pack.error(kind, pack.problems[entry], message);
  }

  const PackProblems &pack;
  const PackOptions &options;
  const config::Gpu *gpu;
  std::optional<KernelCache> cache;
  std::vector<Planned> planned; ///< of each entry
  std::vector<Kernel> kernels;
  std::vector<format::PlanSpec> plans;

  std::mutex reporting;
  size_t done = 0;
  std::set<KernelCache::Trouble> warned;
};

Error Builder::open() {
  if (!gpu)
    return make_error<PackError>(Kind::Problem, config::unknownGpu(pack.gpu));
  // Without ptxas all work would be wasted.
  Expected<std::string> ptxas = target::ptxasVersion(options.ptxas);
  if (!ptxas)
    return make_error<PackError>(Kind::Ptxas, toString(ptxas.takeError()));
  Expected<KernelCache> opened = KernelCache::open(
      options.cache, *ptxas, [this](KernelCache::Trouble kind, const std::string &text) { warn(kind, text); });
  if (!opened)
    return make_error<PackError>(Kind::System, toString(opened.takeError()));
  cache = std::move(*opened);
  return Error::success();
}

Error Builder::forEach(size_t count, function_ref<Error(size_t)> work) {
  ThreadPoolStrategy threads = hardware_concurrency(options.jobs);
  if (count == 1 || threads.compute_thread_count() == 1) {
    for (size_t i = 0; i != count; ++i)
      if (Error error = work(i))
        return error;
    return Error::success();
  }
  std::mutex keeping;
  std::vector<std::pair<size_t, Error>> errors;
  std::atomic<bool> failed = false;
  threads.ThreadsRequested = unsigned(std::min<size_t>(threads.compute_thread_count(), count));
  StdThreadPool pool(threads);
  for (size_t i = 0; i != count; ++i)
    pool.async([&, i] {
      if (failed)
        return;
      if (Error error = work(i)) {
        std::lock_guard<std::mutex> lock(keeping);
        errors.emplace_back(i, std::move(error));
        failed = true;
      }
    });
  pool.wait();
  sort(errors, [](const auto &lhs, const auto &rhs) { return lhs.first < rhs.first; });
  Error all = Error::success();
  for (auto &[index, error] : errors)
    all = joinErrors(std::move(all), std::move(error));
  return all;
}

Error Builder::plan(size_t entry) {
  ProductOptions pipeline(pack, pack.problems[entry]);
  Product product(pack.problems[entry], pipeline);
  if (!product.isValid())
    return entryError(Kind::Problem, entry, product.takeErrors());
  Planned &to = planned[entry];
  if (isQuantisation(pack.problems[entry].problem)) { // one kernel, without a schedule to choose
    to.configs = {{}};
    to.intervals = {{1, 0}};
    return Error::success();
  }
  config::Problem problem = product.question();
  if (problem.m) { // groups along K: one kernel
    config::Choice choice = config::choose(problem, *gpu, *problem.m);
    if (!choice.error.empty())
      return entryError(Kind::Problem, entry, choice.error);
    to.configs = {choice.chosen.config};
    to.intervals = {{1, 0}};
    return Error::success();
  }
  config::Plan plan = config::plan(problem, *gpu, pack.problems[entry].maxM);
  if (plan.intervals.empty())
    return entryError(Kind::Problem, entry, "expected at least one legal config on " + gpu->name + ", got none");
  for (const config::Interval &interval : plan.intervals) {
    auto found = find(to.configs, interval.config);
    uint32_t index = found - to.configs.begin();
    if (found == to.configs.end())
      to.configs.push_back(interval.config);
    to.intervals.push_back({uint32_t(interval.first), index});
  }
  return Error::success();
}

void Builder::collect() {
  // A plan that is batch-invariant and one that is not share kernels.
  std::map<format::Problem, std::vector<uint32_t>> ofProblem;
  for (auto [entry, plan] : enumerate(planned)) {
    format::PlanSpec spec;
    format::Problem problem = pack.problems[entry].problem;
    spec.batchInvariant = std::exchange(problem.batchInvariant, 0);
    bool isModelled = problem.grouping != format::Grouping::KCount && !isQuantisation(problem);
    spec.modelledM = isModelled ? uint32_t(pack.problems[entry].maxM) : 0;
    std::vector<uint32_t> &known = ofProblem[problem];
    std::vector<uint32_t> indices;
    for (const config::Config &config : plan.configs) {
      auto same = find_if(known, [&](uint32_t kernel) { return kernels[kernel].config == config; });
      indices.push_back(same == known.end() ? uint32_t(kernels.size()) : *same);
      if (same != known.end())
        continue;
      known.push_back(indices.back());
      kernels.push_back({entry, config, {}});
    }
    for (const format::Interval &interval : plan.intervals)
      spec.intervals.emplace_back(interval.first(), indices[interval.kernel()]);
    plans.push_back(std::move(spec));
  }
}

Error Builder::compile(size_t index) {
  Kernel &kernel = kernels[index];
  ProductOptions pipeline(pack, pack.problems[kernel.entry]);
  pipeline.ptxas = options.ptxas;
  pipeline.allowSpills = options.allowSpills;
  pipeline.debugRings = options.debugRings;
  Product product(pack.problems[kernel.entry], pipeline);
  product.choose(kernel.config);
  const std::string source = product.source();
  const WantedKernel wanted{pack.problems[kernel.entry].problem, kernel.config, options.allowSpills,
                            options.debugRings};
  if (std::optional<std::string> kept = cache->find(source, wanted)) {
    kernel.file = std::move(*kept);
    report(kernel, PackProgress::From::Cache);
    return Error::success();
  }
  mlir::FailureOr<target::Kernel> compiled = product.compile();
  if (failed(compiled))
    return entryError(Kind::Compile, kernel.entry, config::describe(kernel.config) + ": " + product.takeErrors());
  kernel.file = std::move(compiled->file);
  cache->keep(source, kernel.file);
  report(kernel, PackProgress::From::Compiler);
  return Error::success();
}

void Builder::warn(KernelCache::Trouble kind, const std::string &text) {
  std::lock_guard<std::mutex> lock(reporting);
  if (warned.insert(kind).second && options.warn)
    options.warn(text);
}

void Builder::report(const Kernel &kernel, PackProgress::From from) {
  if (!options.progress)
    return;
  std::lock_guard<std::mutex> lock(reporting);
  options.progress({from, pack.problems[kernel.entry], kernel.config, ++done, kernels.size()});
}

Expected<std::string> Builder::write() {
  std::vector<std::string> files;
  for (Kernel &kernel : kernels)
    files.push_back(std::move(kernel.file));
  std::string bytes = format::writePack(pack.gpu, files, plans);
  // The reader's checks hold for what was written.
  format::PackFile readBack;
  if (std::string problem = format::readPack(bytes.data(), bytes.size(), readBack); !problem.empty())
    return make_error<PackError>(Kind::Compile, problem);
  return bytes;
}

Expected<std::string> Builder::run() {
  if (Error error = open())
    return error;
  planned.resize(pack.problems.size());
  if (Error error = forEach(planned.size(), [&](size_t entry) { return plan(entry); }))
    return error;
  collect();
  if (Error error = forEach(kernels.size(), [&](size_t kernel) { return compile(kernel); }))
    return error;
  return write();
}

} // namespace

Expected<std::string> buildPack(const PackProblems &problems, const PackOptions &options) {
  return Builder(problems, options).run();
}

} // namespace fp8gemm
