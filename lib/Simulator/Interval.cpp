// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Interval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm::simulator;

/// Of f32 arithmetic, and of the functions of math (docs/Numerics.md); the last covers what is flushed to zero.
static constexpr double kRounding = 0x1p-24, kFunction = 0x1p-19, kTiny = 0x1p-125;

bool Interval::isBounded() const { return std::isfinite(low) && std::isfinite(high); }

Interval Interval::widened(double relative, double absolute) const {
  constexpr double kMost = std::numeric_limits<float>::max(); // f32 has infinities beyond
  if (!isBounded() || std::fabs(low) > kMost || std::fabs(high) > kMost)
    return any();
  return {low - relative * std::fabs(low) - absolute, high + relative * std::fabs(high) + absolute};
}

static Interval rounded(Interval x) { return x.widened(kRounding, kTiny); }

static Interval around(std::initializer_list<double> values) {
  Interval all{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (double value : values) {
    if (std::isnan(value))
      return Interval::any();
    all.low = std::min(all.low, value), all.high = std::max(all.high, value);
  }
  return all;
}

static Interval product(Interval x, Interval y) {
  return around({x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high});
}

static Interval quotient(Interval x, Interval y) {
  if (y.low <= 0 && y.high >= 0)
    return Interval::any();
  return around({x.low / y.low, x.low / y.high, x.high / y.low, x.high / y.high});
}

/// A function that does not descend, within `relative` of its result.
static Interval ascending(double (*function)(double), Interval x, double relative) {
  Interval result = around({function(x.low), function(x.high)});
  return result.widened(relative, kTiny);
}

static Interval magnitude(Interval x) {
  double least = x.low <= 0 && x.high >= 0 ? 0 : std::min(std::fabs(x.low), std::fabs(x.high));
  return {least, std::max(std::fabs(x.low), std::fabs(x.high))};
}

/// exp(x) is 2^(x * log2(e)): an error of the product is one of the result, times x.
static Interval exponential(Interval x) {
  double most = std::max(std::fabs(x.low), std::fabs(x.high));
  return ascending(std::exp, x, 0x1p-21 + 0x1p-23 * most);
}

/// Conditions: 0, 1 or, between them, either. Only ordered comparisons of numbers that may be decided.
static Interval compare(arith::CmpFPredicate predicate, Interval x, Interval y) {
  const Interval no{0, 0}, yes{1, 1}, either{0, 1};
  if (!x.isBounded() || !y.isBounded())
    return either;
  using Predicate = arith::CmpFPredicate;
  switch (predicate) {
  case Predicate::OGT:
  case Predicate::OGE:
  case Predicate::UGT:
  case Predicate::UGE:
    return x.low > y.high ? yes : x.high < y.low ? no : either;
  case Predicate::OLT:
  case Predicate::OLE:
  case Predicate::ULT:
  case Predicate::ULE:
    return x.high < y.low ? yes : x.low > y.high ? no : either;
  case Predicate::ORD:
    return yes;
  case Predicate::UNO:
    return no;
  default:
    return either;
  }
}

static Interval logical(Operation *op, Interval x, Interval y) {
  if (!op->getResult(0).getType().isInteger(1))
    return Interval::any();
  if (isa<arith::AndIOp>(op))
    return {x.low * y.low, x.high * y.high};
  if (isa<arith::OrIOp>(op))
    return {std::max(x.low, y.low), std::max(x.high, y.high)};
  bool isKnown = x.low == x.high && y.low == y.high;
  return isKnown ? Interval{double(x.low != y.low), double(x.low != y.low)} : Interval{0, 1};
}

static Interval evaluate(Operation *op, ArrayRef<Interval> x) {
  return TypeSwitch<Operation *, Interval>(op)
      .Case([](arith::ConstantOp constant) -> Interval {
        if (auto real = dyn_cast<FloatAttr>(constant.getValue()))
          return {real.getValueAsDouble(), real.getValueAsDouble()};
        auto number = cast<IntegerAttr>(constant.getValue()).getValue();
        return {double(number.getZExtValue()), double(number.getZExtValue())};
      })
      .Case<arith::AddFOp>([&](auto) { return rounded({x[0].low + x[1].low, x[0].high + x[1].high}); })
      .Case<arith::SubFOp>([&](auto) { return rounded({x[0].low - x[1].high, x[0].high - x[1].low}); })
      .Case<arith::MulFOp>([&](auto) { return rounded(product(x[0], x[1])); })
      .Case<arith::DivFOp>([&](auto op) {
        bool isApproximate = bitEnumContainsAny(op.getFastmath(), arith::FastMathFlags::afn);
        Interval result = quotient(x[0], x[1]);
        // x * rcp.approx.ftz(y): infinite of denormal divisors, 0 of those beyond 2^126 (PTX ISA).
        if (isApproximate && x[1].low < 0x1p-126 && x[1].high > -0x1p-126)
          return Interval::any();
        if (isApproximate && std::max(std::fabs(x[1].low), std::fabs(x[1].high)) > 0x1p126)
          result = {std::min(result.low, 0.0), std::max(result.high, 0.0)};
        return result.widened(isApproximate ? 0x1p-21 : kRounding, kTiny);
      })
      .Case<arith::NegFOp>([&](auto) { return Interval{-x[0].high, -x[0].low}; })
      .Case<arith::MinimumFOp, arith::MinNumFOp>(
          [&](auto) { return Interval{std::min(x[0].low, x[1].low), std::min(x[0].high, x[1].high)}; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>(
          [&](auto) { return Interval{std::max(x[0].low, x[1].low), std::max(x[0].high, x[1].high)}; })
      .Case<arith::TruncFOp>([&](auto op) {
        return op.getType().isBF16() ? x[0].widened(0x1p-8, 0x1p-133) : x[0].widened(0x1p-11, 0x1p-24);
      })
      .Case<arith::ExtFOp>([&](auto) { return x[0]; })
      .Case<arith::SelectOp>([&](auto) {
        if (x[0].low == x[0].high)
          return x[0].low != 0 ? x[1] : x[2];
        return Interval{std::min(x[1].low, x[2].low), std::max(x[1].high, x[2].high)};
      })
      .Case([&](arith::CmpFOp compareOp) { return compare(compareOp.getPredicate(), x[0], x[1]); })
      .Case<arith::AndIOp, arith::OrIOp, arith::XOrIOp>([&](auto op) { return logical(op, x[0], x[1]); })
      .Case<math::FmaOp>([&](auto) {
        Interval scaled = product(x[0], x[1]);
        return rounded({scaled.low + x[2].low, scaled.high + x[2].high});
      })
      .Case<math::AbsFOp>([&](auto) { return magnitude(x[0]); })
      .Case<math::SqrtOp>([&](auto) { return x[0].low < 0 ? Interval::any() : ascending(std::sqrt, x[0], kRounding); })
      .Case<math::RsqrtOp>([&](auto) {
        if (x[0].low <= 0)
          return Interval::any();
        return quotient({1, 1}, ascending(std::sqrt, x[0], 0)).widened(kFunction, kTiny);
      })
      .Case<math::ExpOp>([&](auto) { return exponential(x[0]); })
      .Case<math::Exp2Op>([&](auto) { return ascending(std::exp2, x[0], 0x1p-21); })
      .Case<math::LogOp>([&](auto) {
        return x[0].low <= 0 ? Interval::any() : ascending(std::log, x[0], kFunction).widened(0, 0x1p-22);
      })
      .Case<math::TanhOp>([&](auto) { return ascending(std::tanh, x[0], kFunction); })
      .Case<math::ErfOp>([&](auto) { return ascending(std::erf, x[0], kFunction); })
      .Default([](Operation *) { return Interval::any(); });
}

Interval IntervalFunction::operator()(ArrayRef<Interval> arguments) const {
  llvm::SmallDenseMap<Value, Interval, 16> values;
  for (auto [argument, interval] : llvm::zip_equal(body.getArguments(), arguments))
    values[argument] = interval;
  SmallVector<Interval, 3> operands;
  for (Operation &op : body.without_terminator()) {
    operands.clear();
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    bool isSingle = op.getNumResults() == 1;
    for (Value result : op.getResults())
      values[result] = isSingle ? evaluate(&op, operands) : Interval::any();
  }
  return values.lookup(body.getTerminator()->getOperand(0));
}
