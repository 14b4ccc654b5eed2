// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random cases, and smaller ones of a case that fails.

#include "Case.h"

#include <array>
#include <functional>

namespace fp8gemm::schedule {

using config::Grouping;

namespace {

class Random {
public:
  Random(uint64_t seed, uint64_t number) : engine(seed * 0x9e3779b97f4a7c15 ^ (number + 1) * 0xbf58476d1ce4e5b9) {}

  int64_t between(int64_t least, int64_t most) { return least + int64_t(engine() % uint64_t(most - least + 1)); }
  bool oneIn(int64_t n) { return between(1, n) == 1; }
  template <typename T> T oneOf(std::initializer_list<T> values) {
    return values.begin()[between(0, int64_t(values.size()) - 1)];
  }

private:
  std::mt19937_64 engine;
};

} // namespace

/// Multiplications of a case, at most: the simulator and float64 then take about a tenth of a second.
constexpr int64_t kMostWork = 24 << 20;

static int64_t drawM(Random &random) {
  if (random.oneIn(3)) // beside the edge of a tile
    return std::max<int64_t>(0, random.oneOf<int64_t>({8, 16, 64, 128, 192, 256}) + random.between(-1, 1));
  return random.oneIn(4) ? random.between(0, 9) : random.between(10, 300);
}

static format::Problem drawProblem(Random &random) {
  format::Problem problem = format::usualProblem(
      random.oneOf({Grouping::None, Grouping::None, Grouping::None, Grouping::RowIndex, Grouping::RowEnd,
                    Grouping::RowCount, Grouping::Batched, Grouping::KCount, Grouping::KCount}));
  bool grouped = problem.grouping != Grouping::None, alongK = problem.grouping == Grouping::KCount;
  problem.n = random.oneIn(2) ? 8 * random.between(1, 50) : 64 * random.between(1, 6);
  int64_t k = random.oneIn(2) ? 16 * random.between(1, 50) : 128 * random.between(1, 8);
  if (random.oneIn(30)) // late promotion has its own main loop
    k = 128 * random.between(16, 18), problem.n = 8 * random.between(8, 32);
  problem.k = k;
  problem.sfbRows = alongK || random.oneIn(2) ? 1 : 128;
  problem.a = random.oneIn(4) ? format::Type::E5M2 : format::Type::E4M3;
  problem.b = random.oneIn(4) ? format::Type::E5M2 : format::Type::E4M3;
  problem.d = random.oneIn(3) || (alongK && random.oneIn(2)) ? format::Type::F32 : format::Type::BF16;
  problem.sfa = random.oneIn(3) ? format::ScaleLayout::KMajor : format::ScaleLayout::MnMajor;
  problem.sfb = random.oneIn(2) ? format::ScaleLayout::MnMajor : format::ScaleLayout::KMajor;
  if (!grouped || alongK || random.oneIn(2))
    problem.c = random.oneOf({format::CUse::None, format::CUse::None, format::CUse::Apart, format::CUse::InPlace});
  if (problem.grouping != format::Grouping::KCount)
    problem.bias = random.oneOf({format::Bias::None, format::Bias::None, format::Bias::BF16, format::Bias::F32});
  if (!grouped)
    return problem;
  problem.groups = random.between(1, random.oneIn(10) ? 40 : 6);
  if (format::kSharing & setOf(problem) && random.oneIn(3))
    problem.weights = random.between(1, 4), problem.groups = problem.weights * random.between(2, 4);
  if (problem.grouping == Grouping::RowIndex)
    problem.align = 8u << random.between(0, 5);
  if (problem.grouping == Grouping::RowEnd)
    problem.align = 1u << random.between(0, 8);
  if (alongK) {
    problem.flat = random.oneIn(3);
    if (random.oneIn(2))
      problem.k = -1;
  }
  return problem;
}

/// What breaks a rule, now and then: such a case must be refused.
static void spoil(Random &random, format::Problem &problem) {
  switch (random.between(0, 5)) {
  case 0:
    problem.n += random.between(1, 7);
    break;
  case 1:
    problem.k = (problem.k == -1 ? 128 : problem.k) + random.between(1, 15);
    break;
  case 2:
    problem.groups = random.oneOf<uint32_t>({0, UINT32_MAX, 2000});
    break;
  case 3: {
    auto align = random.oneOf<uint32_t>({0, 3, 512});
    if (format::factsOf(problem.grouping).isAligned) // others have no such field in a list
      problem.align = align;
    break;
  }
  case 4:
    if (format::kSharing & setOf(problem))
      problem.weights = problem.groups + random.between(0, 1);
    break;
  default:
    problem.sfbRows = 128, problem.flat = problem.grouping == Grouping::KCount;
    break;
  }
}

static config::Problem questionOf(const format::Problem &problem) {
  config::Problem question;
  if (problem.m != -1)
    question.m = problem.m;
  question.n = problem.n, question.k = problem.k == -1 ? 1024 : problem.k;
  question.sfa = problem.sfa, question.sfb = problem.sfb;
  question.sfbRows = problem.sfbRows, question.dBytes = bytesOf(problem.d), question.c = problem.c;
  question.hasEpilogue = problem.bias != format::Bias::None;
  question.grouping = problem.grouping, question.groups = problem.groups, question.groupAlign = problem.align;
  question.weights = problem.weights;
  return question;
}

static config::Config drawFields(Random &random) {
  config::Config config;
  config.swapAb = random.oneIn(3);
  config.consumers = random.between(1, 2);
  int64_t rows = 64 * config.consumers * random.oneOf<int64_t>({1, 1, 2}), columns = 8 * random.between(1, 32);
  config.tileM = config.swapAb ? std::min<int64_t>(columns, 128) : rows;
  config.tileN = config.swapAb ? rows : columns;
  config.partials = random.between(1, 2);
  if (random.oneIn(2))
    config.stages = random.between(2, 8);
  if (random.oneIn(2))
    config.rasterGroup = random.between(1, 5);
  int64_t ctas = random.oneOf<int64_t>({2, 2, 3, 4, 8});
  int64_t config::Config::*field =
      random.oneOf({&config::Config::clusterM, &config::Config::clusterN, &config::Config::splitK});
  if (random.oneIn(2))
    config.*field = ctas;
  return config;
}

static config::Config drawConfig(Random &random, const config::Problem &question, int64_t m) {
  const config::Gpu &gpu = config::knownGpus().front();
  if (random.oneIn(10))
    return {}; // what selection takes
  if (random.oneIn(3)) {
    std::vector<config::Candidate> candidates = config::enumerate(question, gpu, std::max<int64_t>(m, 1));
    if (!candidates.empty())
      return candidates[random.between(0, int64_t(candidates.size()) - 1)].config;
  }
  bool mayBeIllegal = random.oneIn(8);
  config::Config config = drawFields(random);
  for (int tries = 0; tries < 100 && !mayBeIllegal; ++tries) {
    config::Config complete = config::complete(question, gpu, config, std::max<int64_t>(m, 1));
    if (config::check(question, gpu, complete).empty())
      break;
    config = drawFields(random);
  }
  return config;
}

Case draw(uint64_t seed, uint64_t number) {
  Random random(seed, number);
  Case c;
  c.problem = drawProblem(random);
  c.trial.m = drawM(random);
  int64_t products = c.problem.grouping == Grouping::Batched ? c.problem.groups : 1;
  while (c.trial.m > 1 &&
         products * c.trial.m * c.problem.n * (c.problem.k == -1 ? 384 * c.problem.groups : c.problem.k) > kMostWork)
    c.trial.m /= 2;
  if (c.problem.grouping == Grouping::KCount)
    c.trial.m = std::max<int64_t>(c.trial.m, 1), c.problem.m = c.trial.m;
  else if (random.oneIn(3))
    c.problem.m = c.trial.m;
  if (random.oneIn(20))
    spoil(random, c.problem);
  else
    c.config = drawConfig(random, questionOf(c.problem), c.trial.m);
  c.trial.seed = uint64_t(random.between(1, 1 << 30));
  c.trial.padBytes = random.oneOf<int64_t>({0, 0, 16, 48});
  c.trial.clusters = random.between(0, 4);
  return c;
}

//===----------------------------------------------------------------------===//
// Shrinking
//===----------------------------------------------------------------------===//

Case shrink(const Case &failing) {
  Case best = failing;
  auto attempt = [&](const std::function<void(Case &)> &change) {
    Case smaller = best;
    change(smaller);
    bool isSmaller = compileOptions(smaller) + simulateOptions(smaller) != compileOptions(best) + simulateOptions(best);
    if (!isSmaller || run(smaller).kind != Verdict::Kind::Failed)
      return false;
    best = smaller;
    return true;
  };
  auto setM = [](Case &c, int64_t m) {
    c.trial.m = m;
    if (c.problem.m != -1)
      c.problem.m = m;
  };
  for (bool again = true; again;) {
    again = false;
    again |= attempt([&](Case &c) { setM(c, c.trial.m / 2); });
    again |= attempt([&](Case &c) { setM(c, std::max<int64_t>(c.trial.m - 1, 0)); });
    again |= attempt([](Case &c) { c.problem.n = std::max<int64_t>(8, c.problem.n / 16 * 8); });
    again |= attempt([](Case &c) { c.problem.n = std::max<int64_t>(8, c.problem.n - 8); });
    again |= attempt([](Case &c) { c.problem.k = std::max<int64_t>(16, c.problem.k / 32 * 16); });
    again |= attempt([](Case &c) { c.problem.k = std::max<int64_t>(16, c.problem.k - 16); });
    again |= attempt([](Case &c) { c.problem.groups = std::max<int64_t>(1, c.problem.groups - 1); });
    again |= attempt([](Case &c) { c.problem.groups -= c.problem.groups > 2 * c.problem.weights ? c.problem.weights : 0; });
    again |= attempt([](Case &c) { c.problem.weights = 0; });
    again |= attempt([](Case &c) { c.problem.a = c.problem.b = format::Type::E4M3; });
    again |= attempt([](Case &c) { c.problem.d = format::Type::BF16; });
    again |= attempt([](Case &c) { c.problem.c = format::CUse::None; });
    again |= attempt([](Case &c) { c.problem.bias = format::Bias::None; });
    again |= attempt([](Case &c) { c.trial.padBytes = 0; });
    again |= attempt([](Case &c) { c.trial.clusters = 1; });
    again |= attempt([](Case &c) { c.trial.seed = 1; });
    for (const config::Field &field : config::kFields)
      again |= attempt([&](Case &c) { c.config.*field.member = config::kUnset; });
  }
  return best;
}

} // namespace fp8gemm::schedule
