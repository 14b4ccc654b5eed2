// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
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

/// arith.extf f8E4M3FN or f8E5M2 to f32 → integer arithmetic on its bits.
struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type source = op.getIn().getType();
    if (!isa<Float8E4M3FNType, Float8E5M2Type>(source) || !op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not a scalar f8E4M3FN or f8E5M2 to f32");
    const Format &format = isa<Float8E4M3FNType>(source) ? kE4M3 : kE5M2;
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type i8 = b.getI8Type(), i32 = b.getI32Type(), f32 = b.getF32Type();
    auto constant = [&](int value) -> Value { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); };

    Value bits = arith::ExtUIOp::create(b, i32, arith::BitcastOp::create(b, i8, op.getIn()));
    Value magnitude = arith::AndIOp::create(b, bits, constant(kMagnitudeMask));
    Value sign = arith::ShLIOp::create(b, arith::AndIOp::create(b, bits, constant(kSignMask)), constant(kSignShift));

    // From its fields to f32's: the mantissa moves up, the exponent is rebiased.
    Value shifted = arith::ShLIOp::create(b, magnitude, constant(kF32MantissaBits - format.mantissaBits));
    Value normal = arith::AddIOp::create(b, shifted, constant((kF32Bias - format.bias) << kF32MantissaBits));
    Value unit = arith::ConstantOp::create(b, b.getF32FloatAttr(format.subnormalUnit));
    Value scaled = arith::MulFOp::create(b, arith::UIToFPOp::create(b, f32, magnitude), unit);
    Value subnormal = arith::BitcastOp::create(b, i32, scaled);

    auto is = [&](arith::CmpIPredicate predicate, int value) -> Value {
      return arith::CmpIOp::create(b, predicate, magnitude, constant(value));
    };
    Value wide = arith::SelectOp::create(b, is(arith::CmpIPredicate::ult, format.smallestNormal()), subnormal, normal);
    if (format.infinity)
      wide = arith::SelectOp::create(b, is(arith::CmpIPredicate::eq, format.infinity), constant(kF32Infinity), wide);
    Value value = arith::BitcastOp::create(b, f32, arith::OrIOp::create(b, wide, sign));
    Value nan = arith::ConstantOp::create(b, b.getFloatAttr(f32, APFloat::getQNaN(APFloat::IEEEsingle())));
    int largest = std::max(format.largestFinite, format.infinity);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, is(arith::CmpIPredicate::ugt, largest), nan, value);
    return success();
  }
};

} // namespace

/// `wide`, an f32, as f8E4M3FN or f8E5M2: to nearest even, and what overflows becomes an infinity, or NaN where there
/// is none.
static Value narrowed(ImplicitLocOpBuilder &b, Value wide, Type type) {
  const Format &format = isa<Float8E4M3FNType>(type) ? kE4M3 : kE5M2;
  Type i8 = b.getI8Type(), i32 = b.getI32Type(), f32 = b.getF32Type();
  auto constant = [&](int value) -> Value { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); };
  auto real = [&](float value) -> Value { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); };
  auto select = [&](arith::CmpIPredicate predicate, Value lhs, int rhs, Value yes, Value no) -> Value {
    return arith::SelectOp::create(b, arith::CmpIOp::create(b, predicate, lhs, constant(rhs)), yes, no);
  };

  Value bits = arith::BitcastOp::create(b, i32, wide);
  Value magnitude = arith::AndIOp::create(b, bits, constant(~(1 << 31)));
  Value sign = arith::AndIOp::create(b, arith::ShRUIOp::create(b, bits, constant(kSignShift)), constant(kSignMask));

  // The exponent is rebiased; half of the last place is added, less the smallest part where that place is even.
  int dropped = kF32MantissaBits - format.mantissaBits;
  Value rebiased = arith::SubIOp::create(b, magnitude, constant((kF32Bias - format.bias) << kF32MantissaBits));
  Value isOdd = arith::AndIOp::create(b, arith::ShRUIOp::create(b, rebiased, constant(dropped)), constant(1));
  Value half = arith::AddIOp::create(b, isOdd, constant((1 << (dropped - 1)) - 1));
  Value normal = arith::ShRUIOp::create(b, arith::AddIOp::create(b, rebiased, half), constant(dropped));
  int overflow = format.infinity ? format.infinity : kMagnitudeMask;
  normal = select(arith::CmpIPredicate::sgt, normal, format.largestFinite, constant(overflow), normal);

  // f32 itself rounds to a multiple of 1 what is added to 2^23.
  Value units = arith::MulFOp::create(b, arith::BitcastOp::create(b, f32, magnitude), real(1 / format.subnormalUnit));
  Value rounded = arith::BitcastOp::create(b, i32, arith::AddFOp::create(b, units, real(0x1p23f)));
  Value subnormal = arith::AndIOp::create(b, rounded, constant(kMagnitudeMask));

  int firstNormal = (kF32Bias - format.bias + 1) << kF32MantissaBits;
  Value narrow = select(arith::CmpIPredicate::slt, magnitude, firstNormal, subnormal, normal);
  narrow = select(arith::CmpIPredicate::sgt, magnitude, kF32Infinity, constant(kMagnitudeMask), narrow);
  Value byte = arith::TruncIOp::create(b, i8, arith::OrIOp::create(b, narrow, sign));
  return arith::BitcastOp::create(b, type, byte);
}

static bool isExpanded(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

namespace {
/// arith.truncf f32 to f8E4M3FN or f8E5M2 → integer arithmetic on its bits.
struct ExpandTruncF : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!isExpanded(op.getType()) || !op.getIn().getType().isF32() ||
        op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) != arith::RoundingMode::to_nearest_even)
      return rewriter.notifyMatchFailure(op, "not a scalar f32 to f8E4M3FN or f8E5M2, to nearest even");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, narrowed(b, op.getIn(), op.getType()));
    return success();
  }
};

/// arith.sitofp or uitofp to FP8 → to f32, then as above. Integers that f32 would round are too large for FP8.
template <typename IntToFPOp> struct ExpandIntToFP : OpRewritePattern<IntToFPOp> {
  using OpRewritePattern<IntToFPOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(IntToFPOp op, PatternRewriter &rewriter) const override {
    if (!isExpanded(op.getType()))
      return rewriter.notifyMatchFailure(op, "not a scalar integer to f8E4M3FN or f8E5M2");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, narrowed(b, IntToFPOp::create(b, b.getF32Type(), op.getIn()), op.getType()));
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
  patterns.add<ExpandExtF, ExpandTruncF, ExpandIntToFP<arith::SIToFPOp>, ExpandIntToFP<arith::UIToFPOp>>(
      patterns.getContext());
}
