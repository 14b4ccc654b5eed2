// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changed MLIR text against the compiler: whatever it is given, it compiles it or says what is wrong, soon and with
// little memory. docs/Fuzzing.md says how to read what this prints.
//
//   FrontDoorFuzz --cases=20000 --seed=1     until so many cases, or --seconds=T, are done
//   FrontDoorFuzz FILE...                    saved cases, each once

#include "Mutator.h"
#include "Triage.h"

#include "llvm/Support/CommandLine.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace fp8gemm::fuzz;
namespace cl = llvm::cl;

static cl::list<std::string> files(cl::Positional, cl::desc("saved cases to run"));
static cl::opt<uint64_t> caseCount("cases", cl::desc("how many changed texts to run"), cl::init(1000));
static cl::opt<uint64_t> seed("seed", cl::desc("of all that is drawn"), cl::init(1));
static cl::opt<double> maxSeconds("seconds", cl::desc("stop earlier, after so long"), cl::init(1e9));
static cl::opt<double> caseSeconds("case-seconds", cl::desc("CPU time that a case may take"), cl::init(10));
static cl::opt<unsigned> caseMegabytes("case-megabytes", cl::desc("memory that a case may take"), cl::init(2048));
static cl::opt<double> shrinkSeconds("shrink-seconds", cl::desc("to make a failing text smaller"), cl::init(60));
static cl::opt<std::string> output("output", cl::desc("folder for failing cases"), cl::init("fuzz-found"));
static cl::opt<unsigned> irPercent("ir", cl::desc("how many of 100 cases are changed as IR, and not as text"), cl::init(70));
static cl::opt<unsigned> ptxPercent("ptx", cl::desc("how many of 100 kernels are translated to PTX"), cl::init(50));
static cl::opt<unsigned> cubinPercent("cubin", cl::desc("how many of 100 kernels ptxas assembles, too"), cl::init(3));
static cl::opt<bool> together("together", cl::desc("run saved cases in one process, for what damages it"));
static cl::opt<bool> listRefusals("refusals", cl::desc("list the errors, the frequent ones first"));
static cl::opt<std::string> source("source", cl::desc("checkout whose tests are the corpus"),
                                   cl::init(FP8GEMM_SOURCE_DIR));
static cl::opt<std::string> symbolizer("symbolizer", cl::desc("path of llvm-symbolizer"), cl::init(FP8GEMM_SYMBOLIZER));

static std::string read(const std::filesystem::path &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// An error's text without what differs from case to case.
static std::string pattern(const std::string &error) {
  std::string result;
  bool quoted = false;
  for (char c : error) {
    quoted ^= c == '\'';
    if (!(quoted && c != '\'') &&
        !(std::isdigit(static_cast<unsigned char>(c)) && !result.empty() && result.back() == '0'))
      result += std::isdigit(static_cast<unsigned char>(c)) ? '0' : c;
  }
  return result;
}

static Options draw(const std::string &text, Random &random) {
  Options options = Options::draw(text, random);
  size_t drawn = random.below(100);
  options.until = drawn < cubinPercent ? Options::Cubin : drawn < ptxPercent ? Options::Ptx : Options::Llvm;
  return options;
}

namespace {

class Campaign {
public:
  Campaign() : worker({caseSeconds, caseMegabytes}), triage(symbolizer), start(std::chrono::steady_clock::now()) {}

  void readCorpus();
  void run();
  void replay();
  int report();

private:
  double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  void runBatch(const std::vector<Case> &cases);
  void fail(const std::vector<Case> &cases, size_t first, size_t failed, const Failure &failure);
  void save(const std::string &path, const Case &input, const std::string &report);

  Mutator mutator;
  std::vector<std::string> pool;    ///< what is changed: the corpus, and what covered more
  std::vector<std::string> invalid; ///< of the corpus, what isn't parsed as it is: changed seldom
  std::vector<std::string> deep;    ///< of the pool, what comes to hopper-check-rings: its IR is changed the most
  Worker worker;
  Triage triage;
  std::chrono::steady_clock::time_point start;
  std::string countsText() const;
  bool changing = false; ///< and no longer running the corpus as it is
  uint64_t done = 0;
  uint64_t counts[std::size(kReached)] = {}; ///< how many came how far
  std::map<std::string, unsigned> ours, upstream; ///< how often, by key
  std::map<std::string, unsigned> refusals;       ///< how often, by the error without its numbers and names
};

/// Tests and examples, cut at `// -----` and into functions; and what problems.mlir is at each level.
void Campaign::readCorpus() {
  std::vector<std::filesystem::path> paths;
  for (const char *folder : {"test", "examples"})
    for (const auto &entry : std::filesystem::recursive_directory_iterator(source + "/" + folder))
      if (entry.path().extension() == ".mlir")
        paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::set<std::string> known;
  for (const std::filesystem::path &path : paths) {
    std::istringstream text(read(path) + "\n// -----\n");
    std::string line, part;
    while (std::getline(text, line)) {
      if (line.rfind("// -----", 0) != 0) {
        part += line + "\n";
        continue;
      }
      std::vector<std::string> found = inChild([&] { return levels(part, path.filename() == "problems.mlir"); });
      if (found.empty())
        found.push_back(part); // its crash is found again when it is run as it is
      for (const std::string &level : found)
        if (level.size() < 100000 && known.insert(level).second) {
          mutator.learn(level);
          pool.push_back(level);
        }
      part.clear();
    }
  }
}

std::string Campaign::countsText() const {
  std::string text;
  for (size_t i = 0; i < std::size(kReached); ++i)
    text += (i ? ", " : "") + std::to_string(counts[i]) + " " + kReached[i];
  return text;
}

void Campaign::run() {
  std::printf("corpus   %zu texts of tests and examples, %.1f s\n", pool.size(), elapsed());
  // First as they are: what they cover is no news.
  std::vector<Case> cases;
  for (const std::string &text : std::vector<std::string>(pool)) {
    cases.push_back({text, {}});
    if (cases.size() == Worker::kMaxCases || cases.size() == pool.size())
      runBatch(cases), cases.clear();
  }
  runBatch(cases);
  std::printf("as is    %s, %.1f s\n", countsText().c_str(), elapsed());
  std::fill(std::begin(counts), std::end(counts), 0);
  done = 0;
  changing = true;
  std::set<std::string> isInvalid(invalid.begin(), invalid.end());
  pool.erase(std::remove_if(pool.begin(), pool.end(), [&](const std::string &text) { return isInvalid.count(text); }),
             pool.end());

  Random random(seed);
  double told = elapsed();
  while (done < caseCount && elapsed() < maxSeconds) {
    cases.clear();
    for (size_t i = std::min<uint64_t>(64, caseCount - done); i > 0; --i) {
      // Of two the shorter one: long texts take long.
      if (random.below(100) < irPercent && !deep.empty()) {
        const std::vector<std::string> &from = random.oneIn(5) ? pool : deep;
        const std::string &one = random.pick(from), &other = random.pick(from);
        const std::string &text = one.size() < other.size() ? one : other;
        cases.push_back({text, draw(text, random), &mutator, seed * 1000003 + random.below(size_t(1) << 32)});
        continue;
      }
      const std::vector<std::string> &from = random.oneIn(8) && !invalid.empty() ? invalid : pool;
      const std::string &one = random.pick(from), &other = random.pick(from);
      std::string text = mutator.mutate(one.size() < other.size() ? one : other, random);
      cases.push_back({text, draw(text, random)});
    }
    runBatch(cases);
    if (elapsed() > told + 60) {
      told = elapsed();
      std::printf("at %.0f s %llu cases, %zu texts, %zu of %zu covered; %s\n", told, (unsigned long long)done,
                  pool.size(), worker.covered(), coverageSize(), countsText().c_str());
      std::fflush(stdout);
    }
  }
}

void Campaign::runBatch(const std::vector<Case> &cases) {
  for (size_t at = 0; at < cases.size();) {
    Failure failure;
    size_t end = worker.run(cases, at, failure);
    for (size_t i = at; i < end; ++i) {
      uint8_t reached = worker.reached(i);
      for (size_t bit = 0; bit < std::size(kReached); ++bit)
        counts[bit] += reached >> bit & 1;
      const std::string text = cases[i].mutator ? worker.text(i) : cases[i].text;
      if (!changing && !(reached & Verified))
        invalid.push_back(text);
      if (!changing && (reached & Checked))
        deep.push_back(text);
      if (changing && listRefusals && worker.refusal(i)[0])
        ++refusals[pattern(worker.refusal(i))];
      if (changing && worker.coveredMore(i) && pool.size() < 20000) {
        pool.push_back(text);
        if (reached & Checked)
          deep.push_back(text);
      }
    }
    if (end < cases.size())
      fail(cases, at, end, failure);
    at = end + (end < cases.size());
  }
  done += cases.size();
}

void Campaign::save(const std::string &path, const Case &input, const std::string &report) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path);
  file << input.options.toLine();
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);)
    file << "// " << line << "\n";
  file << input.text << "\n";
}

/// `cases` ran from `first` on in one process, until `failed` did.
void Campaign::fail(const std::vector<Case> &cases, size_t first, size_t failed, const Failure &seen) {
  Failure failure = seen;
  Case input = cases[failed];
  // What its IR was changed to, as a text of its own; unless it doesn't fail as that.
  if (Failure asText; input.mutator) {
    Case changed{worker.text(failed), input.options};
    if (worker.run({changed}, 0, asText) == 0)
      input = changed, failure = asText;
  }
  Verdict verdict = triage.judge(failure);
  // A case that fails only after others fails because of them: one has damaged the process. The stack is the victim's.
  Failure alone;
  bool damaged = failure.ending == Ending::Crashed && worker.run({input}, 0, alone) == 1;
  if (damaged)
    verdict.key = verdict.report = "damage done by a case before, seen as a " + verdict.key, verdict.upstream = "";
  bool isOurs = verdict.upstream.empty();
  std::map<std::string, unsigned> &list = isOurs ? ours : upstream;
  if (list[verdict.key]++)
    return;
  std::string path = output + (isOurs ? "/failure-" : "/upstream-") + std::to_string(list.size());
  if (damaged) {
    for (size_t i = first; i <= failed; ++i)
      save(path + "/" + std::to_string(i) + ".mlir", cases[i], verdict.report);
  } else {
    path += ".mlir";
    save(path, shrink(input, verdict.key, worker, triage, shrinkSeconds), verdict.report);
  }
  std::printf("%s %s\n%s\n", isOurs ? "FAILURE " : "upstream", path.c_str(), verdict.report.c_str());
}

void Campaign::replay() {
  if (together) {
    std::vector<Case> cases;
    for (const std::string &path : files)
      cases.push_back({read(path), Options::fromText(read(path))});
    changing = true;
    return runBatch(cases);
  }
  for (const std::string &path : files) {
    std::string text = read(path);
    std::vector<Case> one{{text, Options::fromText(text)}};
    Failure failure;
    if (worker.run(one, 0, failure) == 1) {
      const char *name = "not parsed";
      for (size_t bit = 0; bit < std::size(kReached); ++bit)
        if (worker.reached(0) >> bit & 1)
          name = kReached[bit];
      std::printf("%s: %s %s\n", path.c_str(), name, worker.refusal(0).c_str());
    } else {
      Verdict verdict = triage.judge(failure);
      ++(verdict.upstream.empty() ? ours : upstream)[verdict.key];
      std::printf("%s: %s\n", path.c_str(), verdict.report.c_str());
    }
    ++done;
  }
}

int Campaign::report() {
  std::vector<std::pair<unsigned, std::string>> frequent;
  for (const auto &[text, count] : refusals)
    frequent.push_back({count, text});
  std::sort(frequent.rbegin(), frequent.rend());
  for (const auto &[count, text] : frequent)
    std::printf("%6u %s\n", count, text.c_str());
  for (auto *list : {&upstream, &ours})
    for (const auto &[key, count] : *list)
      std::printf("%s %u times: %s\n", list == &ours ? "failure " : "upstream", count, key.c_str());
  std::printf("%llu cases of seed %llu in %.0f s: %s; %zu failures, %zu of upstream\n", (unsigned long long)done,
              (unsigned long long)seed, elapsed(), countsText().c_str(), ours.size(), upstream.size());
  if (worker.refusedChanges())
    std::printf("%llu changes of IR were refused by a verifier on the way\n",
                (unsigned long long)worker.refusedChanges());
  return !ours.empty();
}

} // namespace

int main(int argc, char **argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  cl::ParseCommandLineOptions(argc, argv, "changed MLIR text against the compiler\n");
  Campaign campaign;
  if (files.empty()) {
    campaign.readCorpus();
    campaign.run();
  } else {
    campaign.replay();
  }
  return campaign.report();
}
