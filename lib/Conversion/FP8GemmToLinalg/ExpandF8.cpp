// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace fp8gemm {
#define GEN_PASS_DEF_EXPANDF8PASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;

static constexpr int kMagnitudeMask = 0x7f;
static constexpr int kSignMask = 0x80;
static constexpr int kSignShift = 31 - 7;
static constexpr int kF32MantissaBits = 23, kF32Bias = 127, kF32Infinity = 0x7f800000;

namespace {
/// OCP 8-bit Floating Point Specification: sign, exponent, mantissa; as magnitudes,
/// without the sign.
struct Format {
  int mantissaBits, bias;
  int largestFinite; ///< what is larger is NaN, or infinite
  int infinity;      ///< 0: there is none
  float subnormalUnit;

  int smallestNormal() const { return 1 << mantissaBits; }
};
constexpr Format kE4M3{3, 7, 0x7e, 0, 0x1p-9f}, kE5M2{2, 15, 0x7b, 0x7c, 0x1p-16f};

bool isExpanded(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(type)); }

/// Emits arithmetic on values of the shape of one value: scalars, or vectors element by element.
struct Emitter {
  Emitter(Operation *op, PatternRewriter &rewriter)
      : b(op->getLoc(), rewriter), shape(dyn_cast<ShapedType>(op->getResult(0).getType())) {}

  Type typeOf(Type element) { return shape ? Type(shape.clone(element)) : element; }
  Type i8() { return typeOf(b.getI8Type()); }
  Type i32() { return typeOf(b.getI32Type()); }
  Type f32() { return typeOf(b.getF32Type()); }

  Value constant(TypedAttr value) {
    if (shape)
      value = DenseElementsAttr::get(shape.clone(value.getType()), ArrayRef<Attribute>(value));
    return arith::ConstantOp::create(b, value);
  }
  Value integer(int value) { return constant(b.getI32IntegerAttr(value)); }
  Value real(float value) { return constant(b.getF32FloatAttr(value)); }

  Value is(arith::CmpIPredicate predicate, Value lhs, int rhs) {
    return arith::CmpIOp::create(b, predicate, lhs, integer(rhs));
  }
  template <typename Op> Value with(Value lhs, int rhs) { return Op::create(b, lhs, integer(rhs)); }
  Value select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); }

  Value extend(Value narrow);
  Value narrow(Value wide, Type type);
  Value roundToOdd(Value wide);

  ImplicitLocOpBuilder b;
  ShapedType shape; ///< null of scalars
};

/// Constants can be made of the shape.
LogicalResult checkShape(Operation *op, PatternRewriter &rewriter) {
  auto shape = dyn_cast<ShapedType>(op->getResult(0).getType());
  if (!shape || shape.hasStaticShape())
    return success();
  return rewriter.notifyMatchFailure(op, "not a scalar, and not of static shape");
}
} // namespace

/// `narrow`, an f8E4M3FN or f8E5M2, as f32: integer arithmetic on its bits.
Value Emitter::extend(Value narrow) {
  const Format &format = isa<Float8E4M3FNType>(getElementTypeOrSelf(narrow)) ? kE4M3 : kE5M2;
  Value byte = arith::BitcastOp::create(b, i8(), narrow);
  Value bits = arith::ExtUIOp::create(b, i32(), byte);
  Value magnitude = arith::AndIOp::create(b, bits, integer(kMagnitudeMask));
  Value sign = with<arith::ShLIOp>(with<arith::AndIOp>(bits, kSignMask), kSignShift);

  // From its fields to f32's: the mantissa moves up, the exponent is rebiased.
  Value shifted = arith::ShLIOp::create(b, magnitude, integer(kF32MantissaBits - format.mantissaBits));
  Value normal = arith::AddIOp::create(b, shifted, integer((kF32Bias - format.bias) << kF32MantissaBits));
  Value unit = real(format.subnormalUnit);
  Value scaled = arith::MulFOp::create(b, arith::UIToFPOp::create(b, f32(), magnitude), unit);
  Value subnormal = arith::BitcastOp::create(b, i32(), scaled);

  Value wide = select(is(arith::CmpIPredicate::ult, magnitude, format.smallestNormal()), subnormal, normal);
  if (format.infinity) {
    Value infinity = integer(kF32Infinity);
    wide = select(is(arith::CmpIPredicate::eq, magnitude, format.infinity), infinity, wide);
  }
  Value value = arith::BitcastOp::create(b, f32(), arith::OrIOp::create(b, wide, sign));
  Value nan = constant(b.getFloatAttr(b.getF32Type(), APFloat::getQNaN(APFloat::IEEEsingle())));
  int largest = std::max(format.largestFinite, format.infinity);
  return select(is(arith::CmpIPredicate::ugt, magnitude, largest), nan, value);
}

/// `wide`, an f32, as f8E4M3FN or f8E5M2: to nearest even, and what overflows becomes an infinity, or NaN where there
/// is none.
Value Emitter::narrow(Value wide, Type type) {
  const Format &format = isa<Float8E4M3FNType>(getElementTypeOrSelf(type)) ? kE4M3 : kE5M2;
  Value bits = arith::BitcastOp::create(b, i32(), wide);
  Value magnitude = arith::AndIOp::create(b, bits, integer(~(1 << 31)));
  Value sign = with<arith::AndIOp>(with<arith::ShRUIOp>(bits, kSignShift), kSignMask);

  // The exponent is rebiased; half of the last place is added, less the smallest part where that place is even.
  int dropped = kF32MantissaBits - format.mantissaBits;
  Value rebiased = arith::SubIOp::create(b, magnitude, integer((kF32Bias - format.bias) << kF32MantissaBits));
  Value isOdd = with<arith::AndIOp>(with<arith::ShRUIOp>(rebiased, dropped), 1);
  Value half = arith::AddIOp::create(b, isOdd, integer((1 << (dropped - 1)) - 1));
  Value rounded = arith::AddIOp::create(b, rebiased, half);
  Value normal = with<arith::ShRUIOp>(rounded, dropped);
  int overflow = format.infinity ? format.infinity : kMagnitudeMask;
  Value overflows = is(arith::CmpIPredicate::sgt, normal, format.largestFinite);
  normal = select(overflows, integer(overflow), normal);

  // f32 itself rounds to a multiple of 1 what is added to 2^23.
  Value units = arith::BitcastOp::create(b, f32(), magnitude);
  units = arith::MulFOp::create(b, units, real(1 / format.subnormalUnit));
  units = arith::AddFOp::create(b, units, real(0x1p23f));
  Value subnormal = with<arith::AndIOp>(arith::BitcastOp::create(b, i32(), units), kMagnitudeMask);

  int firstNormal = (kF32Bias - format.bias + 1) << kF32MantissaBits;
  Value narrow = select(is(arith::CmpIPredicate::slt, magnitude, firstNormal), subnormal, normal);
  Value isNan = is(arith::CmpIPredicate::sgt, magnitude, kF32Infinity);
  narrow = select(isNan, integer(kMagnitudeMask), narrow);
  narrow = arith::OrIOp::create(b, narrow, sign);
  Value byte = arith::TruncIOp::create(b, i8(), narrow);
  return arith::BitcastOp::create(b, type, byte);
}

/// `wide`, an f64, as f32 for another rounding: what f32 can't hold becomes the neighbour towards zero with its last
/// bit set. FP8 has so many bits less that both roundings together are one.
Value Emitter::roundToOdd(Value wide) {
  Value nearest = arith::TruncFOp::create(b, f32(), wide);
  Value back = arith::ExtFOp::create(b, wide.getType(), nearest);
  Value bits = arith::BitcastOp::create(b, i32(), nearest);
  auto compare = [&](arith::CmpFPredicate predicate, Value lhs, Value rhs) -> Value {
    return arith::CmpFOp::create(b, predicate, lhs, rhs);
  };
  Value zero = constant(b.getF64FloatAttr(0));
  // Farther from zero than `wide`: one less in the magnitude of its bits.
  Value isNegative = compare(arith::CmpFPredicate::OLT, wide, zero);
  Value isBelow = compare(arith::CmpFPredicate::OLT, back, wide),
        isAbove = compare(arith::CmpFPredicate::OGT, back, wide);
  Value isFarther = select(isNegative, isBelow, isAbove);
  Value towardsZero = select(isFarther, arith::SubIOp::create(b, bits, integer(1)), bits);
  Value odd = arith::OrIOp::create(b, towardsZero, integer(1));
  Value isExact = compare(arith::CmpFPredicate::UEQ, back, wide); // NaN stays NaN
  return arith::BitcastOp::create(b, f32(), select(isExact, bits, odd));
}

namespace {
/// arith.extf f8E4M3FN or f8E5M2 to bf16, f16, f32 or f64 → to f32, and from there, exact both times.
struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    if (!isExpanded(op.getIn().getType()) || !isa<BFloat16Type, Float16Type, Float32Type, Float64Type>(element))
      return rewriter.notifyMatchFailure(op, "not f8E4M3FN or f8E5M2 to bf16, f16, f32 or f64");
    if (failed(checkShape(op, rewriter)))
      return failure();
    Emitter emit(op, rewriter);
    Value wide = emit.extend(op.getIn());
    if (element.isF64())
      wide = arith::ExtFOp::create(emit.b, op.getType(), wide);
    else if (!element.isF32())
      wide = arith::TruncFOp::create(emit.b, op.getType(), wide);
    rewriter.replaceOp(op, wide);
    return success();
  }
};

/// arith.truncf bf16, f16, f32 or f64 to f8E4M3FN or f8E5M2 → to f32 without a rounding that counts, then integer
/// arithmetic on its bits.
struct ExpandTruncF : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getIn().getType());
    if (!isExpanded(op.getType()) || !isa<BFloat16Type, Float16Type, Float32Type, Float64Type>(element) ||
        op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) != arith::RoundingMode::to_nearest_even)
      return rewriter.notifyMatchFailure(op, "not bf16, f16, f32 or f64 to f8E4M3FN or f8E5M2, to nearest even");
    if (failed(checkShape(op, rewriter)))
      return failure();
    Emitter emit(op, rewriter);
    Value wide = op.getIn();
    if (element.isF64())
      wide = emit.roundToOdd(wide);
    else if (!element.isF32())
      wide = arith::ExtFOp::create(emit.b, emit.f32(), wide);
    rewriter.replaceOp(op, emit.narrow(wide, op.getType()));
    return success();
  }
};

/// arith.sitofp or uitofp to FP8 → to f32, then as above. Integers that f32 would round are too large for FP8.
template <typename IntToFPOp> struct ExpandIntToFP : OpRewritePattern<IntToFPOp> {
  using OpRewritePattern<IntToFPOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(IntToFPOp op, PatternRewriter &rewriter) const override {
    if (!isExpanded(op.getType()))
      return rewriter.notifyMatchFailure(op, "not an integer to f8E4M3FN or f8E5M2");
    if (failed(checkShape(op, rewriter)))
      return failure();
    Emitter emit(op, rewriter);
    rewriter.replaceOp(op, emit.narrow(IntToFPOp::create(emit.b, emit.f32(), op.getIn()), op.getType()));
    return success();
  }
};

/// arith.fptosi or fptoui of FP8 → of f32.
template <typename FPToIntOp> struct ExpandFPToInt : OpRewritePattern<FPToIntOp> {
  using OpRewritePattern<FPToIntOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(FPToIntOp op, PatternRewriter &rewriter) const override {
    if (!isExpanded(op.getIn().getType()))
      return rewriter.notifyMatchFailure(op, "not f8E4M3FN or f8E5M2 to an integer");
    if (failed(checkShape(op, rewriter)))
      return failure();
    Emitter emit(op, rewriter);
    rewriter.replaceOpWithNewOp<FPToIntOp>(op, op.getType(), emit.extend(op.getIn()));
    return success();
  }
};

struct ExpandF8 : fp8gemm::impl::ExpandF8PassBase<ExpandF8> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    fp8gemm::populateExpandF8Patterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace

void fp8gemm::populateExpandF8Patterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExtF, ExpandTruncF, ExpandIntToFP<arith::SIToFPOp>, ExpandIntToFP<arith::UIToFPOp>,
               ExpandFPToInt<arith::FPToSIOp>, ExpandFPToInt<arith::FPToUIOp>>(patterns.getContext());
}
