// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace fp8gemm {
#define GEN_PASS_DEF_EXPANDE4M3PASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;

// OCP 8-bit Floating Point Specification, E4M3: sign, 4 exponent bits of bias 7,
// 3 mantissa bits; no infinities; all ones but the sign is NaN.
static constexpr int kMagnitudeMask = 0x7f;
static constexpr int kSignMask = 0x80;
static constexpr int kNan = 0x7f;
static constexpr int kSmallestNormal = 0x08;
static constexpr float kSubnormalUnit = 0x1p-9f;
// From E4M3's fields to f32's: the mantissa moves up, the exponent is rebiased.
static constexpr int kMantissaShift = 23 - 3;
static constexpr int kSignShift = 31 - 7;
static constexpr int kRebias = (127 - 7) << 23;

namespace {
/// arith.extf f8E4M3FN to f32 → integer arithmetic on its bits.
struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!isa<Float8E4M3FNType>(op.getIn().getType()) || !op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not a scalar f8E4M3FN to f32");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type i8 = b.getI8Type(), i32 = b.getI32Type(), f32 = b.getF32Type();
    auto constant = [&](int value) -> Value { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); };

    Value bits = arith::ExtUIOp::create(b, i32, arith::BitcastOp::create(b, i8, op.getIn()));
    Value magnitude = arith::AndIOp::create(b, bits, constant(kMagnitudeMask));
    Value sign = arith::ShLIOp::create(b, arith::AndIOp::create(b, bits, constant(kSignMask)), constant(kSignShift));

    Value shifted = arith::ShLIOp::create(b, magnitude, constant(kMantissaShift));
    Value normal = arith::AddIOp::create(b, shifted, constant(kRebias));
    Value unit = arith::ConstantOp::create(b, b.getF32FloatAttr(kSubnormalUnit));
    Value scaled = arith::MulFOp::create(b, arith::UIToFPOp::create(b, f32, magnitude), unit);
    Value subnormal = arith::BitcastOp::create(b, i32, scaled);

    auto is = [&](arith::CmpIPredicate predicate, int value) -> Value {
      return arith::CmpIOp::create(b, predicate, magnitude, constant(value));
    };
    Value finite = arith::SelectOp::create(b, is(arith::CmpIPredicate::ult, kSmallestNormal), subnormal, normal);
    Value f32Bits = arith::OrIOp::create(b, finite, sign);
    Value value = arith::BitcastOp::create(b, f32, f32Bits);
    Value nan = arith::ConstantOp::create(b, b.getFloatAttr(f32, APFloat::getQNaN(APFloat::IEEEsingle())));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, is(arith::CmpIPredicate::eq, kNan), nan, value);
    return success();
  }
};

struct ExpandE4M3 : fp8gemm::impl::ExpandE4M3PassBase<ExpandE4M3> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    fp8gemm::populateExpandE4M3Patterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace

void fp8gemm::populateExpandE4M3Patterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExtF>(patterns.getContext());
}
