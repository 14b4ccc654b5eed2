// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scalar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm::simulator;

using Reals = ArrayRef<double>;

float fp8gemm::simulator::maximum(float x, float y) {
  return llvm::maximum(llvm::APFloat(x), llvm::APFloat(y)).convertToFloat();
}

static double minimumOf(Reals x) { return llvm::minimum(llvm::APFloat(x[0]), llvm::APFloat(x[1])).convertToDouble(); }
static double maximumOf(Reals x) { return llvm::maximum(llvm::APFloat(x[0]), llvm::APFloat(x[1])).convertToDouble(); }

/// Of f32 rounded once: double's fma, rounded again, may be the neighbour.
static double fmaOf(Reals x) { return std::fma(float(x[0]), float(x[1]), float(x[2])); }

RealFunction fp8gemm::simulator::realFunctionOf(Operation *op) {
  return TypeSwitch<Operation *, RealFunction>(op)
      .Case<arith::AddFOp>([](auto) { return [](Reals x) { return x[0] + x[1]; }; })
      .Case<arith::SubFOp>([](auto) { return [](Reals x) { return x[0] - x[1]; }; })
      .Case<arith::MulFOp>([](auto) { return [](Reals x) { return x[0] * x[1]; }; })
      .Case<arith::DivFOp>([](auto) { return [](Reals x) { return x[0] / x[1]; }; })
      .Case<arith::RemFOp>([](auto) { return [](Reals x) { return std::fmod(x[0], x[1]); }; })
      .Case<arith::NegFOp>([](auto) { return [](Reals x) { return -x[0]; }; })
      .Case<arith::MinNumFOp>([](auto) { return [](Reals x) { return std::fmin(x[0], x[1]); }; })
      .Case<arith::MaxNumFOp>([](auto) { return [](Reals x) { return std::fmax(x[0], x[1]); }; })
      .Case<arith::MinimumFOp>([](auto) { return minimumOf; })
      .Case<arith::MaximumFOp>([](auto) { return maximumOf; })
      .Case<arith::ExtFOp, arith::TruncFOp>([](auto) { return [](Reals x) { return x[0]; }; })
      .Case<math::FmaOp>([](auto) { return fmaOf; })
      .Case<math::AbsFOp>([](auto) { return [](Reals x) { return std::fabs(x[0]); }; })
      .Case<math::CopySignOp>([](auto) { return [](Reals x) { return std::copysign(x[0], x[1]); }; })
      .Case<math::FloorOp>([](auto) { return [](Reals x) { return std::floor(x[0]); }; })
      .Case<math::CeilOp>([](auto) { return [](Reals x) { return std::ceil(x[0]); }; })
      .Case<math::TruncOp>([](auto) { return [](Reals x) { return std::trunc(x[0]); }; })
      .Case<math::RoundOp>([](auto) { return [](Reals x) { return std::round(x[0]); }; })
      .Case<math::RoundEvenOp>([](auto) { return [](Reals x) { return std::nearbyint(x[0]); }; })
      .Case<math::SqrtOp>([](auto) { return [](Reals x) { return std::sqrt(x[0]); }; })
      .Case<math::RsqrtOp>([](auto) { return [](Reals x) { return 1 / std::sqrt(x[0]); }; })
      .Case<math::ExpOp>([](auto) { return [](Reals x) { return std::exp(x[0]); }; })
      .Case<math::Exp2Op>([](auto) { return [](Reals x) { return std::exp2(x[0]); }; })
      .Case<math::ExpM1Op>([](auto) { return [](Reals x) { return std::expm1(x[0]); }; })
      .Case<math::LogOp>([](auto) { return [](Reals x) { return std::log(x[0]); }; })
      .Case<math::Log2Op>([](auto) { return [](Reals x) { return std::log2(x[0]); }; })
      .Case<math::Log1pOp>([](auto) { return [](Reals x) { return std::log1p(x[0]); }; })
      .Case<math::PowFOp>([](auto) { return [](Reals x) { return std::pow(x[0], x[1]); }; })
      .Case<math::SinOp>([](auto) { return [](Reals x) { return std::sin(x[0]); }; })
      .Case<math::CosOp>([](auto) { return [](Reals x) { return std::cos(x[0]); }; })
      .Case<math::TanhOp>([](auto) { return [](Reals x) { return std::tanh(x[0]); }; })
      .Case<math::ErfOp>([](auto) { return [](Reals x) { return std::erf(x[0]); }; })
      .Default([](Operation *) -> RealFunction { return nullptr; });
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static double toReal(FloatType type, uint64_t bits) {
  return APFloat(type.getFloatSemantics(), APInt(type.getWidth(), bits)).convertToDouble();
}

/// To nearest even.
static uint64_t toBits(FloatType type, double value) {
  if (type.isF32())
    return llvm::bit_cast<uint32_t>(float(value));
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.bitcastToAPInt().getZExtValue();
}

static double toReal(Type type, uint64_t bits) {
  return type.isF32() ? double(llvm::bit_cast<float>(uint32_t(bits))) : toReal(cast<FloatType>(type), bits);
}

static uint64_t wrap(Type type, uint64_t value) {
  unsigned bits = type.getIntOrFloatBitWidth();
  return bits == 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

static int64_t toSigned(Type type, uint64_t value) {
  unsigned unused = 64 - type.getIntOrFloatBitWidth();
  return int64_t(value << unused) >> unused;
}

static bool compare(arith::CmpFPredicate predicate, double x, double y) {
  using Predicate = arith::CmpFPredicate;
  bool unordered = std::isnan(x) || std::isnan(y);
  // A predicate is a set of outcomes: equal, greater, less, unordered.
  unsigned outcome = unordered ? 8 : x == y ? 1 : x > y ? 2 : 4;
  static_assert(unsigned(Predicate::OEQ) == 1 && unsigned(Predicate::OGT) == 2 && unsigned(Predicate::OGE) == 3 &&
                unsigned(Predicate::OLT) == 4 && unsigned(Predicate::ORD) == 7 && unsigned(Predicate::UEQ) == 8);
  unsigned value = unsigned(predicate);
  if (predicate == Predicate::AlwaysTrue)
    return true;
  unsigned set = value < 8 ? value : value == unsigned(Predicate::UNO) ? 8 : 8 | (value - 8 + 1);
  return set & outcome;
}

static bool compare(arith::CmpIPredicate predicate, int64_t sx, int64_t sy, uint64_t x, uint64_t y) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return x == y;
  case arith::CmpIPredicate::ne:
    return x != y;
  case arith::CmpIPredicate::slt:
    return sx < sy;
  case arith::CmpIPredicate::sle:
    return sx <= sy;
  case arith::CmpIPredicate::sgt:
    return sx > sy;
  case arith::CmpIPredicate::sge:
    return sx >= sy;
  case arith::CmpIPredicate::ult:
    return x < y;
  case arith::CmpIPredicate::ule:
    return x <= y;
  case arith::CmpIPredicate::ugt:
    return x > y;
  case arith::CmpIPredicate::uge:
    return x >= y;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

using Compute = std::function<uint64_t(ArrayRef<uint64_t>)>;

/// An operation on integers, from them, or to them.
static Compute integerStepOf(Operation *op) {
  Type result = op->getResult(0).getType(), operand = op->getNumOperands() ? op->getOperand(0).getType() : Type();
  using Numbers = ArrayRef<uint64_t>;
  auto ofTwo = [&](auto compute) -> Compute {
    return [=](Numbers x) { return wrap(result, compute(x[0], x[1])); };
  };
  return TypeSwitch<Operation *, Compute>(op)
      .Case<arith::AddIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x + y; }); })
      .Case<arith::SubIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x - y; }); })
      .Case<arith::MulIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x * y; }); })
      .Case<arith::AndIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x & y; }); })
      .Case<arith::OrIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x | y; }); })
      .Case<arith::XOrIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return x ^ y; }); })
      .Case<arith::ShLIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return y < 64 ? x << y : 0; }); })
      .Case<arith::ShRUIOp>([&](auto) { return ofTwo([](uint64_t x, uint64_t y) { return y < 64 ? x >> y : 0; }); })
      .Case<arith::ShRSIOp>([&](auto) -> Compute {
        return [=](Numbers x) { return wrap(result, uint64_t(toSigned(result, x[0]) >> std::min<uint64_t>(x[1], 63))); };
      })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp>(
          [&](auto) -> Compute { return [=](Numbers x) { return wrap(result, x[0]); }; })
      .Case<arith::ExtSIOp>(
          [&](auto) -> Compute { return [=](Numbers x) { return wrap(result, uint64_t(toSigned(operand, x[0]))); }; })
      .Case<arith::SIToFPOp>([&](auto) -> Compute {
        return [=](Numbers x) { return toBits(cast<FloatType>(result), double(toSigned(operand, x[0]))); };
      })
      .Case<arith::UIToFPOp>([&](auto) -> Compute {
        return [=](Numbers x) { return toBits(cast<FloatType>(result), double(x[0])); };
      })
      .Case<arith::FPToSIOp>([&](auto) -> Compute {
        return [=](Numbers x) { return wrap(result, uint64_t(int64_t(toReal(operand, x[0])))); };
      })
      .Case<arith::SelectOp>([](auto) -> Compute { return [](Numbers x) { return x[0] ? x[1] : x[2]; }; })
      .Case([&](arith::CmpIOp compareOp) -> Compute {
        return [=, predicate = compareOp.getPredicate()](Numbers x) {
          return uint64_t(compare(predicate, toSigned(operand, x[0]), toSigned(operand, x[1]), x[0], x[1]));
        };
      })
      .Case([&](arith::CmpFOp compareOp) -> Compute {
        return [=, predicate = compareOp.getPredicate()](Numbers x) {
          return uint64_t(compare(predicate, toReal(operand, x[0]), toReal(operand, x[1])));
        };
      })
      .Case<math::IsNaNOp>(
          [&](auto) -> Compute { return [=](Numbers x) { return uint64_t(std::isnan(toReal(operand, x[0]))); }; })
      .Case<math::IsInfOp>(
          [&](auto) -> Compute { return [=](Numbers x) { return uint64_t(std::isinf(toReal(operand, x[0]))); }; })
      .Case<math::IsFiniteOp>(
          [&](auto) -> Compute { return [=](Numbers x) { return uint64_t(std::isfinite(toReal(operand, x[0]))); }; })
      .Case([](arith::ConstantOp constant) -> Compute {
        auto real = dyn_cast<FloatAttr>(constant.getValue());
        APInt bits = real ? real.getValue().bitcastToAPInt() : cast<IntegerAttr>(constant.getValue()).getValue();
        return [value = bits.getZExtValue()](Numbers) { return value; };
      })
      .Default([](Operation *) { return Compute(); });
}

Compute ScalarFunction::stepOf(Operation *op) {
  if (op->getNumResults() != 1)
    return nullptr;
  RealFunction function = realFunctionOf(op);
  if (!function)
    return integerStepOf(op);
  SmallVector<Type> types(op->getOperandTypes());
  return [function, types, result = cast<FloatType>(op->getResult(0).getType())](ArrayRef<Bits> x) {
    SmallVector<double, 3> reals;
    for (auto [type, bits] : llvm::zip_equal(types, x))
      reals.push_back(toReal(type, bits));
    return toBits(result, function(reals));
  };
}

ScalarFunction::ScalarFunction(Block &body) {
  llvm::DenseMap<Value, unsigned> numbers;
  auto numberOf = [&](Value value) {
    auto [entry, isNew] = numbers.try_emplace(value, unsigned(values.size()));
    if (isNew)
      values.push_back(0);
    return entry->second;
  };
  for (Value argument : body.getArguments())
    numberOf(argument);
  for (Operation &op : body.without_terminator()) {
    Step step{stepOf(&op), {}, 0};
    if (!step.compute) {
      unknownOp = &op;
      return;
    }
    for (Value operand : op.getOperands())
      step.operands.push_back(numberOf(operand));
    step.result = numberOf(op.getResult(0));
    steps.push_back(std::move(step));
  }
  yielded = numberOf(body.getTerminator()->getOperand(0));
}

float ScalarFunction::operator()(ArrayRef<float> arguments) {
  for (auto [i, argument] : llvm::enumerate(arguments))
    values[i] = llvm::bit_cast<uint32_t>(argument);
  SmallVector<Bits, 3> operands;
  for (const Step &step : steps) {
    operands.clear();
    for (unsigned operand : step.operands)
      operands.push_back(values[operand]);
    values[step.result] = step.compute(operands);
  }
  return llvm::bit_cast<float>(uint32_t(values[yielded]));
}
