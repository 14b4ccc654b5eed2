// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TrialCheck.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

static constexpr int64_t kBlockK = 128;

static double decode(Type type, uint8_t bits) {
  const llvm::fltSemantics &semantics =
      isa<Float8E4M3FNType>(type) ? llvm::APFloat::Float8E4M3FN() : llvm::APFloat::Float8E5M2();
  return llvm::APFloat(semantics, llvm::APInt(8, bits)).convertToDouble();
}

static std::vector<double> decodeRow(Type type, const uint8_t *row, int64_t count) {
  static const auto tables = [] {
    std::array<std::array<double, 256>, 2> tables;
    MLIRContext context(MLIRContext::Threading::DISABLED);
    Type types[] = {Float8E4M3FNType::get(&context), Float8E5M2Type::get(&context)};
    for (int k = 0; k < 2; ++k)
      for (int bits = 0; bits < 256; ++bits)
        tables[k][bits] = decode(types[k], uint8_t(bits));
    return tables;
  }();
  const auto &table = tables[isa<Float8E4M3FNType>(type) ? 0 : 1];
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(table[row[i]]);
  return values;
}

/// The oracle's bound of a sum (docs/Numerics.md).
static double sumBound(double magnitude, int64_t blocks) {
  return 0x1p-13 / 16 * magnitude + double(blocks + 2) * 0x1p-24 * magnitude;
}

static Interval within(double exact, double magnitude, int64_t blocks) {
  double error = sumBound(magnitude, blocks);
  return {exact - error, exact + error};
}

/// The oracle's bound of D: `exact` is the result, `magnitude` the sum of |scales| * |products|,
/// `addends` what is added to the sum, in any order.
static double errorBound(double exact, double magnitude, int64_t blocks, ArrayRef<double> addends, bool isF32) {
  double bound = sumBound(magnitude, blocks);
  double all = std::fabs(exact);
  if (addends.size() > 1) { // what is left of them may be smaller than they are
    all = magnitude;
    for (double addend : addends)
      all += std::fabs(addend);
  }
  for (size_t i = 0; i < addends.size(); ++i)
    bound += 0x1p-24 * (all + bound);
  return isF32 ? bound + 0x1p-125 : bound + 0x1p-8 * (std::fabs(exact) + bound) + 0x1p-134;
}

LogicalResult Checker::checkProduct(const GroupProduct &product) {
  bool addsC = trial.problem.getC() != hopper::CUse::none, inPlace = trial.problem.getC() == hopper::CUse::in_place;
  if (product.k == 0 && inPlace)
    return success(); // its part of D is not touched
  int64_t n = trial.problem.getN(), blocks = llvm::divideCeil(product.k, kBlockK), group = trial.groupOfD(product);
  std::vector<std::vector<double>> b;
  for (int64_t column = 0; column < n; ++column)
    b.push_back(decodeRow(trial.problem.getB(), product.k ? trial.b(product, column, 0) : nullptr, product.k));
  for (int64_t row = 0; row < product.rows; ++row) {
    std::vector<double> a = decodeRow(trial.problem.getA(), product.k ? trial.a(product, row, 0) : nullptr, product.k);
    /// The product with a row of B.
    auto multiply = [&](int64_t rowOfB, double &magnitude) {
      double exact = 0;
      for (int64_t block = 0; block < blocks; ++block) {
        double sum = 0, absolute = 0;
        for (int64_t i = block * kBlockK; i < std::min(product.k, (block + 1) * kBlockK); ++i) {
          double term = a[i] * b[rowOfB][i];
          sum += term, absolute += std::fabs(term);
        }
        double scale = double(trial.scaleA(product, row, block)) * trial.scaleB(product, rowOfB, block);
        exact += scale * sum, magnitude += std::fabs(scale) * absolute;
      }
      return exact;
    };
    std::vector<Interval> ofRow; // of a quantised D
    for (int64_t column = 0; column < trial.columnsOfD(); ++column) {
      if (failed(checkTime(kernel, watchdog)))
        return failure();
      double magnitude = 0, exact = multiply(column, magnitude);
      SmallVector<Interval, 2> sums{within(exact, magnitude, blocks)};
      int64_t dRow = product.firstRow + row;
      SmallVector<double, 2> addends;
      if (trial.problem.getGated()) {
        double ofUp = 0, up = multiply(trial.columnsOfD() + column, ofUp);
        sums.push_back(within(up, ofUp, blocks));
      }
      if (addsC)
        addends.push_back(elementOf(trial.c, group, dRow, column));
      if (trial.problem.getBias())
        addends.push_back(elementOf(trial.bias, 0, 0, column));
      double error = 0;
      if (trial.function) {
        Interval interval = bounds(product, dRow, column, sums);
        bool isKnown = interval.isBounded();
        result.unbounded += !isKnown;
        exact = isKnown ? (interval.low + interval.high) / 2 : 0;
        error = isKnown ? (interval.high - interval.low) / 2 : std::numeric_limits<double>::infinity();
      } else {
        for (double addend : addends)
          exact += addend;
        error = errorBound(exact, magnitude, blocks, addends, trial.d.elementBytes != 2);
      }
      size_t number = size_t(trial.d.at(group, dRow, column) - trial.d.view().data) / trial.d.elementBytes;
      isOwned[number] = 1;
      if (writes[number] == 0)
        return hopper::emitWithoutRegions(kernel)
               << "never writes D[" << group << ", " << dRow << ", " << column << "]";
      if (trial.problem.getSfd()) {
        ofRow.push_back({exact - error, exact + error});
        if ((column + 1) % kBlockK != 0)
          continue;
        if (failed(checkQuantised(product, dRow, column / kBlockK, ArrayRef(ofRow).take_back(kBlockK))))
          return failure();
        continue;
      }
      double got = elementOf(trial.d, group, dRow, column);
      double ratio = std::isinf(error) ? 0 : std::fabs(got - exact) / error;
      ++result.elements;
      if (!(ratio <= 1))
        return hopper::emitWithoutRegions(kernel) << "expected D[" << group << ", " << dRow << ", " << column
                                                  << "] = " << exact << " within the bound, got " << got;
      result.worst = std::max(result.worst, ratio);
    }
  }
  return success();
}

/// The scale is that of a largest magnitude that the elements allow, and each of them times its scale is one that they
/// allow, rounded to e4m3: within 2^-4 of it, or half of the smallest number.
LogicalResult Checker::checkQuantised(const GroupProduct &product, int64_t row, int64_t block,
                                      ArrayRef<Interval> exact) {
  constexpr double kLargest = 448, kLeastAmax = 1e-4, kRoundings = 0x1p-22;
  double least = kLeastAmax, most = kLeastAmax;
  bool isKnown = true;
  for (const Interval &interval : exact) {
    isKnown &= interval.isBounded();
    bool hasZero = interval.low <= 0 && interval.high >= 0;
    least = std::max(least, hasZero ? 0 : std::min(std::fabs(interval.low), std::fabs(interval.high)));
    most = std::max({most, std::fabs(interval.low), std::fabs(interval.high)});
  }
  result.elements += int64_t(exact.size());
  if (!isKnown) {
    result.unbounded += int64_t(exact.size());
    return success();
  }
  double scale = trial.scaleD(product, row, block), low = least / kLargest * (1 - kRoundings);
  double high = most / kLargest * (1 + kRoundings);
  int exponent;
  bool isPower = std::frexp(scale, &exponent) == 0.5;
  if (trial.problem.getPowerOfTwo() ? !isPower || scale < low || scale >= 2 * high : !(scale >= low && scale <= high))
    return hopper::emitWithoutRegions(kernel)
           << "expected the scale of D[" << trial.groupOfD(product) << ", " << row << ", " << block * kBlockK
           << "] from " << low << " to " << high << ", got " << scale;
  for (auto [i, interval] : llvm::enumerate(exact)) {
    int64_t column = block * kBlockK + int64_t(i);
    double got = decode(Float8E4M3FNType::get(kernel.getContext()), *trial.d.at(trial.groupOfD(product), row, column));
    double middle = (interval.low + interval.high) / 2 / scale, error = (interval.high - interval.low) / 2 / scale;
    error += std::max((std::fabs(middle) + error) * (0x1p-4 + kRoundings), 0x1p-10);
    double ratio = std::fabs(got - middle) / error;
    if (!(ratio <= 1))
      return hopper::emitWithoutRegions(kernel)
             << "expected D[" << trial.groupOfD(product) << ", " << row << ", " << column << "] = " << middle
             << " (of scale " << scale << ") within the bound, got " << got;
    result.worst = std::max(result.worst, ratio);
  }
  return success();
}

Interval Checker::bounds(const GroupProduct &product, int64_t row, int64_t column, SmallVector<Interval, 2> sums) {
  bool readsC = llvm::any_of(trial.inputs, [](const EpilogueInput &input) { return input.isC; });
  if (trial.problem.getC() != hopper::CUse::none && !readsC) {
    double c = elementOf(trial.c, trial.groupOfD(product), row, column);
    sums[0] = Interval{sums[0].low + c, sums[0].high + c}.widened(0x1p-24, 0);
  }
  SmallVector<Interval> arguments(sums.begin(), sums.end());
  for (const EpilogueInput &input : ArrayRef(trial.inputs).drop_front(sums.size())) {
    double element = trial.epilogueElement(input, product, row, column);
    arguments.push_back({element, element});
  }
  Interval result = IntervalFunction(trial.function.getBody().front())(arguments);
  return trial.d.elementBytes != 2 ? result.widened(0, 0x1p-125) : result.widened(0x1p-8, 0x1p-134);
}

/// Padding keeps its bits.
LogicalResult Checker::checkRest() {
  for (size_t i = 0; i < isOwned.size(); ++i) {
    if (isOwned[i])
      continue;
    size_t begin = size_t(trial.d.view().data - trial.d.bytes.data()) + i * trial.d.elementBytes;
    if (writes[i] != 0 || memcmp(&trial.d.bytes[begin], &trial.before.bytes[begin], trial.d.elementBytes) != 0)
      return hopper::emitWithoutRegions(kernel)
             << "writes element " << i << " of D's memory, which is of no group or no element";
    ++result.untouched;
  }
  return success();
}
