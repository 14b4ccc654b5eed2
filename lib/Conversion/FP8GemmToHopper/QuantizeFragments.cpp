// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The definition of a quantisation's scales, and its steps on the fragments of a product.

#include "Quantize.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

/// The definition of the scales: docs/Numerics.md.
static constexpr float kLeastAmax = 1e-4f, kLargestE4M3 = 448, kLargestE5M2 = 57344;

Value fp8gemm::scaleOf(ImplicitLocOpBuilder &b, Value amax, Type f8, bool powerOfTwo) {
  auto real = [&](float value) -> Value { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); };
  Value least = real(kLeastAmax), limit = real(isa<Float8E5M2Type>(f8) ? kLargestE5M2 : kLargestE4M3);
  Value scale = arith::MaximumFOp::create(b, amax, least);
  scale = arith::DivFOp::create(b, scale, limit);
  if (powerOfTwo) {
    // To the next power of two: a mantissa that is not 0 carries into the exponent.
    Type i32 = b.getI32Type();
    Value mantissa = arith::ConstantIntOp::create(b, 0x7fffff, 32);
    Value exponent = arith::ConstantIntOp::create(b, 0x7f800000, 32);
    Value bits = arith::BitcastOp::create(b, i32, scale);
    bits = arith::AddIOp::create(b, bits, mantissa);
    bits = arith::AndIOp::create(b, bits, exponent);
    scale = arith::BitcastOp::create(b, b.getF32Type(), bits);
  }
  Value infinity = real(std::numeric_limits<float>::infinity());
  Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, amax, infinity);
  Value notANumber =
      arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), APFloat::getQNaN(APFloat::IEEEsingle())));
  return arith::SelectOp::create(b, isFinite, scale, notANumber);
}

Value fp8gemm::largestOfRows(ImplicitLocOpBuilder &b, Value fragment) {
  int64_t rows = cast<FragmentType>(fragment.getType()).getRows();
  Type type = ScalesType::get(b.getContext(), rows, Axis::rows, /*block=*/1);
  return MapOp::create(b, type, fragment, [&](ValueRange x) -> Value { return math::AbsFOp::create(b, x.front()); });
}

Value fp8gemm::scalesOfRows(ImplicitLocOpBuilder &b, Value largest, Type f8, bool powerOfTwo) {
  return MapOp::create(b, largest.getType(), largest,
                       [&](ValueRange x) { return scaleOf(b, x.front(), f8, powerOfTwo); });
}

Value fp8gemm::inUnitsOf(ImplicitLocOpBuilder &b, Value fragment, Value scales) {
  Value reciprocals = MapOp::create(b, scales.getType(), scales, [&](ValueRange x) -> Value {
    Value one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
    return arith::DivFOp::create(b, one, x.front());
  });
  Value factors[] = {fragment, reciprocals};
  return MapOp::create(b, fragment.getType(), factors,
                       [&](ValueRange x) -> Value { return arith::MulFOp::create(b, x[0], x[1]); });
}
