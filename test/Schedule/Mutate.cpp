// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Breaks the schedules of some kernels, and counts what objects.

#include "Case.h"
#include "Mutations.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace mlir;

namespace fp8gemm::schedule {

/// Every kind of schedule: late promotion, two partials, tails, C, groups, clusters, split K. Tiles are small and K is
/// short, but each CTA has several tiles, and rings turn over. `groups` and `rows` choose what a trial needs.
static constexpr const char *kKernels[][2] = {
    {"plain", R"({"problem": {"op": "gemm", "n": 136, "k": 656}, "m": 200, "clusters": 1,
        "config": "tile_m = 128, tile_n = 64, stages = 3"})"},
    {"late promotion", R"({"problem": {"op": "gemm", "n": 128, "k": 2048, "sfa": "k_major"}, "m": 200, "clusters": 1,
        "config": "tile_m = 128, tile_n = 64, stages = 4"})"},
    {"two partials", R"({"problem": {"op": "gemm", "n": 136, "k": 1024}, "m": 130, "clusters": 1,
        "config": "tile_m = 64, tile_n = 64, stages = 4, partials = 2"})"},
    {"swapped", R"({"problem": {"op": "gemm", "n": 200, "k": 640}, "m": 30, "clusters": 1,
        "config": "tile_m = 16, tile_n = 64, swap_ab = 1, stages = 3"})"},
    {"C apart", R"({"problem": {"op": "gemm", "n": 136, "k": 400, "c": "apart"}, "m": 150, "clusters": 1,
        "config": "tile_m = 64, tile_n = 64, stages = 2"})"},
    {"f32 in place",
     R"({"problem": {"op": "gemm", "recipe": "1d1d", "n": 136, "k": 400, "c": "in_place", "d_type": "f32",
        "sfb": "mn_major"}, "m": 150, "clusters": 1, "config": "tile_m = 64, tile_n = 64, stages = 3"})"},
    {"multicast", R"({"problem": {"op": "gemm", "n": 136, "k": 640}, "m": 300, "clusters": 1,
        "config": "tile_m = 64, tile_n = 64, stages = 3, cluster_m = 2"})"},
    {"split K", R"({"problem": {"op": "gemm", "n": 136, "k": 1104}, "m": 100,
        "config": "tile_m = 64, tile_n = 64, stages = 2, split_k = 2"})"},
    {"row ends",
     R"({"problem": {"op": "grouped_gemm", "grouping": "row_end", "groups": 4, "n": 136, "k": 400}, "m": 300,
        "clusters": 1, "group_sizes": [70, 0, 130, 90], "config": "tile_m = 64, tile_n = 64, stages = 2"})"},
    {"row index",
     R"({"problem": {"op": "grouped_gemm", "grouping": "row_index", "align": 64, "groups": 3, "n": 136, "k": 400},
        "m": 320, "clusters": 1, "seed": 4, "config": "tile_m = 64, tile_n = 64, stages = 2"})"},
    {"row counts",
     R"({"problem": {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 136, "k": 400}, "m": 100,
        "clusters": 1, "group_sizes": [70, 0, 100], "config": "tile_m = 64, tile_n = 64, stages = 2"})"},
    {"groups of K",
     R"({"problem": {"op": "k_grouped_gemm", "groups": 3, "m": 100, "n": 136, "d_type": "f32", "c": "in_place",
        "sfb": "mn_major"}, "clusters": 1, "group_sizes": [400, 0, 272],
        "config": "tile_m = 64, tile_n = 64, stages = 2"})"},
    {"groups of K, cluster",
     R"({"problem": {"op": "k_grouped_gemm", "groups": 3, "m": 300, "n": 136, "d_type": "f32", "c": "apart"},
        "clusters": 1, "group_sizes": [400, 0, 272], "config": "tile_m = 64, tile_n = 64, stages = 2, cluster_n = 2"})"},
};

namespace {

/// A kernel to break, in a context of its own.
class Subject {
public:
  explicit Subject(const Case &c)
      : c(c), context(allDialects(), MLIRContext::Threading::DISABLED), handler(&context, [this](Diagnostic &diagnostic) {
          messages += diagnostic.str() + "\n";
          return success();
        }) {
    context.printOpOnDiagnostic(false);
    written = buildModule(context, c.problem);
    PipelineOptions options;
    options.config = config::toString(c.config);
    PassManager passes(&context);
    buildConfigPipeline(passes, options);
    buildHopperPipeline(passes, options);
    isValid = written && succeeded(passes.run(*written));
    if (!isValid)
      return;
    finished = written->clone();
    isValid = complete(*finished);
  }

  bool complete(ModuleOp module) {
    PassManager passes(&context);
    hopper::buildCompleteSchedulePipeline(passes.nest<gpu::GPUModuleOp>().nest<hopper::KernelOp>());
    return succeeded(passes.run(module));
  }

  static hopper::KernelOp kernelOf(ModuleOp module) {
    hopper::KernelOp kernel;
    module.walk([&](hopper::KernelOp func) { kernel = func; });
    return kernel;
  }

  /// Operations of the kernel, in the order of a walk.
  static std::vector<Operation *> operationsOf(ModuleOp module) {
    std::vector<Operation *> all;
    kernelOf(module).walk<WalkOrder::PreOrder>([&](Operation *op) { all.push_back(op); });
    return all;
  }

  /// Which rules object to a module, which is completed if it is as `level` says; empty: none.
  std::set<std::string> checkStatically(ModuleOp module, Level level) {
    messages.clear();
    if (failed(verify(module)))
      return {"verifier"};
    if (level == Level::Written && !complete(module))
      return {"hopper-complete-schedule"};
    PassManager passes(&context);
    OpPassManager &kernel = passes.nest<gpu::GPUModuleOp>().nest<hopper::KernelOp>();
    kernel.addPass(hopper::createCheckRingsPass());
    kernel.addPass(hopper::createCheckResourcesPass());
    std::set<std::string> rules;
    if (succeeded(passes.run(module)))
      return rules;
    llvm::Regex rule("breaks (R[0-9]+)");
    SmallVector<StringRef> match;
    for (StringRef rest = messages; rule.match(rest, &match); rest = rest.substr(rest.find(match[0]) + match[0].size()))
      rules.insert(match[1].str());
    return rules.empty() ? std::set<std::string>{"resources"} : rules;
  }

  /// Whether the simulator objects, with any of a few seeds.
  bool objectsInSimulation(ModuleOp module) {
    for (uint64_t seed = c.trial.seed; seed < c.trial.seed + 3; ++seed) {
      simulator::TrialOptions options = c.trial;
      options.seed = seed;
      options.maxOperations = 2000000;
      if (failed(simulator::runTrial(kernelOf(module), options)))
        return true;
    }
    return false;
  }

  Case c;
  MLIRContext context;
  std::string messages;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> written, finished; ///< as the builder writes it, and as it runs
  bool isValid = false;
};

/// What objected to a kind of mutation.
struct Row {
  int64_t tried = 0, byCheck = 0, bySimulator = 0, byNeither = 0;
  std::set<std::string> rules;
};

} // namespace

using Table = std::map<std::pair<std::string, std::string>, Row>;

/// Makes each mutation of a level in a module that is at it.
static bool breakModule(StringRef name, Subject &subject, ModuleOp sound, Level level, Table &table,
                        std::mutex &mutex) {
  bool allCaught = true;
  size_t count = Subject::operationsOf(sound).size();
  for (size_t number = 0; number < count; ++number)
    for (const Mutation &mutation : mutations()) {
      if (mutation.level != level || nameOf(Subject::operationsOf(sound)[number]) != mutation.op)
        continue;
      OwningOpRef<ModuleOp> broken = sound.clone();
      Operation *op = Subject::operationsOf(*broken)[number];
      if (!mutation.apply(op))
        continue;
      std::set<std::string> rules = subject.checkStatically(*broken, level);
      bool isNoKernel = rules.count("verifier") || rules.count("hopper-complete-schedule");
      bool simulated = !isNoKernel && subject.objectsInSimulation(*broken);
      std::lock_guard<std::mutex> lock(mutex);
      Row &row = table[{mutation.op, mutation.what}];
      ++row.tried;
      row.byCheck += !rules.empty();
      row.bySimulator += simulated;
      row.rules.insert(rules.begin(), rules.end());
      if (!rules.empty() || simulated)
        continue;
      ++row.byNeither;
      allCaught = false;
      llvm::errs() << name << ": nothing objects to operation " << number << ", " << mutation.op << " " << mutation.what
                   << "\n";
    }
  return allCaught;
}

static bool breakKernel(StringRef name, const Case &c, Table &table, std::mutex &mutex) {
  Subject subject(c);
  if (!subject.isValid || !subject.checkStatically(*subject.finished, Level::Complete).empty() ||
      subject.objectsInSimulation(*subject.finished)) {
    std::lock_guard<std::mutex> lock(mutex);
    llvm::errs() << name << ": expected the kernel itself to be sound, got " << subject.messages;
    return false;
  }
  bool tilesCaught = breakModule(name, subject, *subject.written, Level::Written, table, mutex);
  return breakModule(name, subject, *subject.finished, Level::Complete, table, mutex) && tilesCaught;
}

int mutate(unsigned jobs, bool asTable) {
  Table table;
  std::mutex mutex;
  std::atomic<size_t> next{0};
  std::atomic<bool> allCaught{true};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < (jobs ? jobs : std::max(1u, std::thread::hardware_concurrency())); ++i)
    threads.emplace_back([&] {
      for (size_t k; (k = next++) < std::size(kKernels);) {
        llvm::Expected<Case> c = fromJson(llvm::cantFail(llvm::json::parse(kKernels[k][1])));
        if (!c || !breakKernel(kKernels[k][0], *c, table, mutex)) {
          if (!c)
            llvm::errs() << kKernels[k][0] << ": " << toString(c.takeError()) << "\n";
          allCaught = false;
        }
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  Row all;
  if (asTable)
    llvm::outs() << "| operation | what is done to it | tried | by hopper-check-rings | by the simulator |\n"
                    "|---|---|---|---|---|\n";
  for (const auto &[key, row] : table) {
    all.tried += row.tried, all.byCheck += row.byCheck, all.bySimulator += row.bySimulator;
    all.byNeither += row.byNeither;
    if (asTable)
      llvm::outs() << llvm::formatv("| `{0}` | {1} | {2} | {3}{4}{5} | {6} |\n", key.first, key.second, row.tried,
                                    row.byCheck, row.rules.empty() ? "" : ": ", llvm::join(row.rules, ", "),
                                    row.bySimulator);
  }
  llvm::outs() << llvm::formatv("{0} mutations: the checks object to {1}, the simulator to {2}, neither to {3}\n",
                                all.tried, all.byCheck, all.bySimulator, all.byNeither);
  return allCaught && all.tried > 0 ? 0 : 1;
}

} // namespace fp8gemm::schedule
