// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reference.h"
#include "Parallel.h"

#include <cmath>
#include <mutex>
#include <random>
#include <set>

namespace fp8gemm::run {

/// K of one wgmma, which adds that many products and the accumulator at once.
constexpr int64_t kStep = 32;
/// Fraction bits that the tensor core keeps below the largest of what it adds.
constexpr double kUnit = 0x1p-13;

double errorBound(const Exact &exact, const Problem &problem) {
  // Scales multiplied, and one fused multiply-add a K block, in f32.
  double promotion = double(problem.kBlocks() + 2) * 0x1p-24 * exact.magnitude;
  double summed = exact.blockError + promotion;
  if (problem.hasC) // one f32 addition
    summed += (std::fabs(exact.value) + summed) * 0x1p-24;
  if (problem.dIsF32) // what flushing subnormals may lose
    return summed + 0x1p-125;
  // bf16 has 8 bits: half a unit in the last place, and half of the smallest subnormal.
  return summed + (std::fabs(exact.value) + summed) * 0x1p-8 + 0x1p-134;
}

static std::vector<int64_t> chooseRows(const Problem &problem, uint64_t seed, int64_t budget) {
  int64_t count = std::max<int64_t>(8, budget / (problem.n * problem.k));
  std::set<int64_t> rows;
  if (count >= problem.m) {
    for (int64_t row = 0; row < problem.m; ++row)
      rows.insert(row);
  } else {
    rows = {0, problem.m - 1};
    std::mt19937_64 random(seed);
    while (int64_t(rows.size()) < count)
      rows.insert(int64_t(random() % uint64_t(problem.m)));
  }
  return {rows.begin(), rows.end()};
}

namespace {

/// A row of A or B as numbers, with zeros up to a whole K block.
struct Row {
  Row(F8 type, const uint8_t *bits, int64_t count);

  std::vector<float> values;
  /// For each step, the largest power of two of its values (0: all are zero). Subnormals
  /// count as the smallest normal number's: the tensor core does not normalise them.
  std::vector<double> largest;
};

} // namespace

/// The values of the 256 encodings of a type.
static const std::vector<float> &decoded(F8 type) {
  auto decode = [](F8 type) {
    std::vector<float> table(256);
    for (int i = 0; i < 256; ++i)
      table[i] = fromF8(type, uint8_t(i));
    return table;
  };
  static const std::vector<float> e4m3 = decode(F8::E4m3), e5m2 = decode(F8::E5m2);
  return type == F8::E4m3 ? e4m3 : e5m2;
}

Row::Row(F8 type, const uint8_t *bits, int64_t count)
    : values((count + 127) / 128 * 128), largest(values.size() / kStep) {
  const std::vector<float> &table = decoded(type);
  for (int64_t i = 0; i < count; ++i) {
    values[i] = table[bits[i]];
    int exponent = std::max((bits[i] & 0x7f) >> fractionBits(type), 1) - 1 + smallestExponent(type);
    if (values[i] != 0)
      largest[i / kStep] = std::max(largest[i / kStep], std::ldexp(1.0, exponent));
  }
}

// The order of these sums does not matter, so each CPU may use its widest vectors.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FP8GEMM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FP8GEMM_CLONES
#endif

/// For each step, the sums of products and of their absolute values. Products of FP8
/// have 8 bits at most and lie between 2^-32 and 2^32: they are exact in float; sums of 128
/// of them are in double, or, of e5m2, off by less than any bound notices.
FP8GEMM_CLONES static void multiply(const float *a, const float *b, int64_t steps, double *sums, double *magnitudes) {
  constexpr int kLanes = 8;
  for (int64_t step = 0; step < steps; ++step, a += kStep, b += kStep) {
    double sum[kLanes] = {}, magnitude[kLanes] = {};
    for (int i = 0; i < kStep; i += kLanes)
      for (int lane = 0; lane < kLanes; ++lane) {
        double product = a[i + lane] * b[i + lane];
        sum[lane] += product;
        magnitude[lane] += std::fabs(product);
      }
    sums[step] = magnitudes[step] = 0;
    for (int lane = 0; lane < kLanes; ++lane) {
      sums[step] += sum[lane];
      magnitudes[step] += magnitude[lane];
    }
  }
}

static Exact computeExact(const Problem &problem, const Row &a, int64_t row, const Row &b, int64_t column,
                          std::vector<double> &sums, std::vector<double> &magnitudes) {
  constexpr int64_t kStepsPerBlock = 128 / kStep;
  int64_t steps = int64_t(a.largest.size());
  multiply(a.values.data(), b.values.data(), steps, sums.data(), magnitudes.data());
  Exact exact;
  for (int64_t kBlock = 0; kBlock < problem.kBlocks(); ++kBlock) {
    double sum = 0, magnitude = 0, error = 0;
    for (int64_t step = kBlock * kStepsPerBlock; step < (kBlock + 1) * kStepsPerBlock; ++step) {
      // Each addend loses less than a unit of the largest; then the sum less than one of its own.
      double largest = std::max(a.largest[step] * b.largest[step], std::fabs(sum) + error);
      sum += sums[step];
      magnitude += magnitudes[step];
      error += kUnit * double(kStep) * largest;
      error += kUnit * (std::fabs(sum) + error);
    }
    double scale = double(problem.scaleA(row, kBlock)) * problem.scaleB(column, kBlock);
    exact.value += scale * sum;
    exact.magnitude += std::fabs(scale) * magnitude;
    exact.blockError += std::fabs(scale) * error;
  }
  if (problem.hasC)
    exact.value += problem.element(problem.inPlace ? problem.dBefore : problem.c, row, column);
  return exact;
}

CheckResult check(const Problem &problem, uint64_t seed, int64_t budget) {
  CheckResult result;
  result.rows = chooseRows(problem, seed, budget);
  result.guardDamage = problem.d.countGuardDamage();

  std::vector<Row> a;
  for (int64_t row : result.rows)
    a.emplace_back(problem.aType, problem.a.row<uint8_t>(row), problem.k);
  std::atomic<int64_t> notANumber{0};
  parallelFor(problem.m, [&](int64_t row) {
    for (int64_t column = 0; column < problem.n; ++column)
      notANumber += std::isnan(problem.element(problem.d, row, column));
  });
  result.notANumber = notANumber;

  std::mutex mutex;
  std::vector<double> squaredErrors(a.size()), squaredValues(a.size()); // of each row
  parallelFor(problem.n, [&](int64_t column) {
    Row b(problem.bType, problem.b.row<uint8_t>(column), problem.k);
    std::vector<double> sums(b.largest.size()), magnitudes(b.largest.size());
    CheckResult mine;
    mine.worstColumn = column;
    std::vector<double> errors(a.size()), values(a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      Exact exact = computeExact(problem, a[i], result.rows[i], b, column, sums, magnitudes);
      double got = problem.element(problem.d, result.rows[i], column);
      double error = std::fabs(got - exact.value), ratio = error / errorBound(exact, problem);
      errors[i] = error;
      values[i] = exact.value;
      // Written so that NaN fails.
      if (!(ratio <= 1))
        ++mine.failures;
      if (!(ratio <= mine.worst)) {
        mine.worst = std::isnan(ratio) ? INFINITY : ratio;
        mine.worstRow = result.rows[i];
        mine.worstGot = got;
        mine.worstReference = exact.value;
      }
    }

    std::lock_guard<std::mutex> lock(mutex);
    for (size_t i = 0; i < a.size(); ++i) {
      squaredErrors[i] += errors[i] * errors[i];
      squaredValues[i] += values[i] * values[i];
    }
    result.failures += mine.failures;
    if (mine.worst > result.worst || (mine.worst == result.worst && mine.worstColumn < result.worstColumn)) {
      result.worst = mine.worst;
      result.worstRow = mine.worstRow;
      result.worstColumn = mine.worstColumn;
      result.worstGot = mine.worstGot;
      result.worstReference = mine.worstReference;
    }
  });
  for (size_t i = 0; i < a.size(); ++i) {
    double relative = std::sqrt(squaredErrors[i] / squaredValues[i]);
    // NaN is a failure; a row of zeros without an error (0 / 0) is not.
    if (std::isnan(relative))
      relative = squaredErrors[i] == 0 ? 0 : INFINITY;
    result.relative = std::max(result.relative, relative);
  }
  return result;
}

} // namespace fp8gemm::run
