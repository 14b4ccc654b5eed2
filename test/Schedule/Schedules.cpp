// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tries schedules out without a GPU: those of a list, random ones, and broken ones.

#include "Case.h"
#include "Mutations.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

using namespace llvm;
using namespace fp8gemm::schedule;

static cl::SubCommand fuzzCommand("fuzz", "random problems and schedules: legal ones must lower, simulate and agree "
                                          "with float64, others get a diagnostic");
static cl::SubCommand runCommand("run", "the cases of a file, a JSON object a line");
static cl::SubCommand drawCommand("draw", "prints random cases that agree with float64, for `run` and for a GPU");
static cl::SubCommand mutateCommand("mutate",
                                    "schedules with one operation dropped, moved or changed: the checks or the "
                                    "simulator must object");
static cl::opt<uint64_t> cases("cases", cl::desc("cases to draw (default: 400; 0: until stopped)"), cl::init(400),
                               cl::sub(fuzzCommand), cl::sub(drawCommand));
static cl::opt<uint64_t> seed("seed", cl::desc("of all that is drawn (default: 1)"), cl::init(1), cl::sub(fuzzCommand),
                              cl::sub(drawCommand));
static cl::opt<uint64_t> first("first", cl::desc("number of the first case (default: 0)"), cl::init(0),
                               cl::sub(fuzzCommand));
static cl::opt<uint64_t> seconds("seconds", cl::desc("stop after so long (default: never)"), cl::init(0),
                                 cl::sub(fuzzCommand));
static cl::opt<std::string> save("save", cl::desc("folder for what fails, as .mlir (default: .)"), cl::init("."),
                                 cl::sub(fuzzCommand), cl::sub(runCommand));
static cl::opt<unsigned> jobs("jobs", cl::desc("threads (default: one per processor)"), cl::init(0), cl::sub(fuzzCommand),
                              cl::sub(runCommand), cl::sub(drawCommand), cl::sub(mutateCommand));
static cl::opt<std::string> list(cl::Positional, cl::desc("FILE.jsonl, - for stdin"), cl::init("-"),
                                 cl::sub(runCommand));
static cl::opt<bool> table("table", cl::desc("print docs/Mutations.md's table"), cl::sub(mutateCommand));

namespace {
struct Totals {
  std::mutex mutex;
  uint64_t agreed = 0, refused = 0, failed = 0;
};
} // namespace

/// Writes the kernel that failed with the commands that do it again.
static void report(const Case &found, const Verdict &first, bool shrinks, const Twine &name, Totals &totals) {
  Case smallest = shrinks ? shrink(found) : found;
  Verdict verdict = shrinks ? run(smallest) : first;
  std::string path = (save + "/" + name + ".mlir").str();
  std::lock_guard<std::mutex> lock(totals.mutex);
  errs() << name << ": FAILED: " << verdict.message << "  fp8gemm-compile " << compileOptions(smallest)
         << " --emit=hopper -o - | fp8gemm-opt "
            "-pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-simulate{"
         << simulateOptions(smallest) << "})))'\n";
  std::error_code error;
  raw_fd_ostream file(path, error);
  if (error) {
    errs() << "error: cannot write '" << path << "': " << error.message() << "\n";
    return;
  }
  file << "// fp8gemm-compile " << compileOptions(smallest) << "\n// hopper-simulate{" << simulateOptions(smallest)
       << "}\n"
       << verdict.ir;
}

static void tryOut(const Case &c, bool shrinks, bool mustAgree, const Twine &name, Totals &totals) {
  Verdict verdict = run(c);
  bool isFailure = verdict.kind == Verdict::Kind::Failed || (mustAgree && verdict.kind == Verdict::Kind::Refused);
  {
    std::lock_guard<std::mutex> lock(totals.mutex);
    ++(isFailure ? totals.failed : verdict.kind == Verdict::Kind::Agrees ? totals.agreed : totals.refused);
  }
  if (isFailure)
    report(c, verdict, shrinks, name, totals);
}

/// Calls body(i) for i from `begin` on until it says no, on several threads.
template <typename Body> static void inParallel(uint64_t begin, Body body) {
  std::atomic<uint64_t> next{begin};
  unsigned count = jobs ? unsigned(jobs) : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back([&] {
      while (body(next++)) {
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

static int finish(const Totals &totals, uint64_t count) {
  outs() << formatv("{0} cases: {1} agree with float64, {2} refused with a diagnostic, {3} failed\n", count,
                    totals.agreed, totals.refused, totals.failed);
  return totals.failed == 0 && totals.agreed > 0 ? 0 : 1;
}

static int fuzz() {
  Totals totals;
  std::atomic<uint64_t> done{0};
  auto start = std::chrono::steady_clock::now();
  inParallel(first, [&](uint64_t number) {
    bool isLate = seconds && std::chrono::steady_clock::now() - start > std::chrono::seconds(seconds);
    if (isLate || (cases && number >= first + cases))
      return false;
    tryOut(draw(seed, number), /*shrinks=*/true, /*mustAgree=*/false, "fuzz-" + Twine(seed) + "-" + Twine(number),
           totals);
    if (uint64_t count = ++done; count % 1000 == 0)
      errs() << count << " cases\n";
    return true;
  });
  return finish(totals, done);
}

/// A JSON object a line: the case, with what was drawn for its trial.
static int draw() {
  std::mutex mutex;
  inParallel(0, [&](uint64_t number) {
    if (number >= cases)
      return false;
    Case c = fp8gemm::schedule::draw(seed, number);
    Verdict verdict = run(c);
    if (verdict.kind != Verdict::Kind::Agrees)
      return true;
    json::Object object = toJson(c);
    object["number"] = int64_t(number), object["m"] = verdict.trial.m, object["k"] = verdict.trial.k;
    object["groups"] = json::Array(verdict.trial.groups);
    std::lock_guard<std::mutex> lock(mutex);
    outs() << json::Value(std::move(object)) << "\n";
    return true;
  });
  return 0;
}

static int runList() {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFileOrSTDIN(list);
  if (!file) {
    errs() << "error: cannot read '" << list << "': " << file.getError().message() << "\n";
    return 2;
  }
  SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  std::vector<Case> read;
  for (StringRef line : lines) {
    Expected<json::Value> value = json::parse(line);
    Expected<Case> c = value ? fromJson(*value) : Expected<Case>(value.takeError());
    if (!c) {
      errs() << "error: line " << read.size() + 1 << ": " << toString(c.takeError()) << "\n";
      return 2;
    }
    read.push_back(*c);
  }
  Totals totals;
  inParallel(0, [&](uint64_t number) {
    if (number >= read.size())
      return false;
    tryOut(read[number], /*shrinks=*/false, /*mustAgree=*/true, "line-" + Twine(number + 1), totals);
    return true;
  });
  return finish(totals, read.size());
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "tries schedules out in the simulator\n");
  if (fuzzCommand)
    return fuzz();
  if (runCommand)
    return runList();
  if (drawCommand)
    return draw();
  if (mutateCommand)
    return mutate(jobs, table);
  cl::PrintHelpMessage(false, true);
  return 2;
}
