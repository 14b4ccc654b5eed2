// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of math that LLVM has no instruction for, in those that it has: there is no library on the GPU. exp, tanh, erf
// and rsqrt are frequent in epilogues, and use the instructions for them; upstream's expansions and polynomials serve the others.
// docs/Numerics.md has the errors.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace fp8gemm::hopper;

static constexpr float kLog2OfE = 1.44269504f;

namespace {

/// f32 arithmetic on scalars.
struct Arithmetic {
  Arithmetic(Operation *op, PatternRewriter &rewriter) : b(op->getLoc(), rewriter) {}

  Value real(float value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); }
  Value multiply(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value multiply(Value x, float y) { return multiply(x, real(y)); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, x, y, z); }
  Value magnitude(Value x) { return math::AbsFOp::create(b, x); }
  /// ex2.approx.ftz: within 2^-22 of the result; 0 instead of a denormal number, for which others take four instructions more.
  Value exp2(Value x) {
    StringAttr name = b.getStringAttr("llvm.nvvm.ex2.approx.ftz");
    return LLVM::CallIntrinsicOp::create(b, b.getF32Type(), name, x).getResults();
  }
  /// rcp.approx.ftz: within 2^-23 of the result; 0 of numbers beyond 2^126, infinite of denormal ones.
  Value reciprocal(Value x) { return NVVM::RcpApproxFtzF32Op::create(b, b.getF32Type(), x); }
  /// c[0] + x * (c[1] + x * (c[2] + ...))
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = real(coefficients.back());
    for (float coefficient : llvm::reverse(coefficients.drop_back())) {
      Value constant = real(coefficient);
      sum = fma(sum, x, constant);
    }
    return sum;
  }
  /// `near` where the magnitude of x is below `limit`, else `far` with the sign of x.
  Value choose(Value x, float limit, Value near, Value far) {
    Value bound = real(limit), size = magnitude(x);
    Value isNear = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, size, bound);
    Value withSign = math::CopySignOp::create(b, far, x);
    return arith::SelectOp::create(b, isNear, near, withSign);
  }

  ImplicitLocOpBuilder b;
};

template <typename Op> struct Expand : OpRewritePattern<Op> {
  explicit Expand(MLIRContext *context) : OpRewritePattern<Op>(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    Arithmetic f32(op, rewriter);
    rewriter.replaceOp(op, expand(f32, op.getOperand()));
    return success();
  }
  virtual Value expand(Arithmetic &f32, Value x) const = 0;
};

/// exp(x) = 2^(x * log2(e))
struct ExpandExp : Expand<math::ExpOp> {
  using Expand::Expand;
  Value expand(Arithmetic &f32, Value x) const override { return f32.exp2(f32.multiply(x, kLog2OfE)); }
};

/// tanh(|x|) = 1 - 2 / (e^(2|x|) + 1), near 0 its power series
struct ExpandTanh : Expand<math::TanhOp> {
  using Expand::Expand;
  Value expand(Arithmetic &f32, Value x) const override {
    Value power = f32.exp2(f32.multiply(f32.magnitude(x), 2 * kLog2OfE)), one = f32.real(1), minusTwo = f32.real(-2);
    Value more = arith::AddFOp::create(f32.b, power, one);
    Value far = f32.fma(f32.reciprocal(more), minusTwo, one);
    Value square = f32.multiply(x, x);
    Value near = f32.multiply(x, f32.polynomial(square, {1, -1.0f / 3, 2.0f / 15, -17.0f / 315}));
    return f32.choose(x, 0.25f, near, far);
  }
};

/// erf(|x|) = 1 - (a1 t + ... + a5 t^5) e^(-x^2), t = 1 / (1 + p |x|): Abramowitz and Stegun, 7.1.26, within 1.5e-7; near
/// 0 its power series
struct ExpandErf : Expand<math::ErfOp> {
  using Expand::Expand;
  Value expand(Arithmetic &f32, Value x) const override {
    Value one = f32.real(1), p = f32.real(0.3275911f);
    Value t = f32.reciprocal(f32.fma(f32.magnitude(x), p, one)), square = f32.multiply(x, x);
    Value power = f32.exp2(f32.multiply(square, -kLog2OfE));
    Value sum = f32.polynomial(t, {0.254829592f, -0.284496736f, 1.421413741f, -1.453152027f, 1.061405429f});
    Value rest = f32.multiply(f32.multiply(sum, t), power);
    Value far = arith::SubFOp::create(f32.b, one, rest);
    constexpr float kTwoOverRootOfPi = 1.12837917f;
    Value near = f32.multiply(x, f32.polynomial(square, {kTwoOverRootOfPi, -kTwoOverRootOfPi / 3, kTwoOverRootOfPi / 10,
                                                         -kTwoOverRootOfPi / 42, kTwoOverRootOfPi / 216}));
    return f32.choose(x, 0.5f, near, far);
  }
};

/// x / y = x * (1 / y), where an approximation is wanted.
struct ExpandDivision : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    if (!isApproximate(op))
      return rewriter.notifyMatchFailure(op, "exact");
    Arithmetic f32(op, rewriter);
    rewriter.replaceOp(op, f32.multiply(op.getLhs(), f32.reciprocal(op.getRhs())));
    return success();
  }
  static bool isApproximate(arith::DivFOp op) {
    return op.getType().isF32() && bitEnumContainsAny(op.getFastmath(), arith::FastMathFlags::afn);
  }
};

/// rsqrt.approx: within 2^-22 of the result.
struct ExpandRsqrt : Expand<math::RsqrtOp> {
  using Expand::Expand;
  Value expand(Arithmetic &f32, Value x) const override {
    return LLVM::CallIntrinsicOp::create(f32.b, f32.b.getF32Type(), f32.b.getStringAttr("llvm.nvvm.rsqrt.approx.f"), x)
        .getResults();
  }
};

} // namespace

/// Those that LLVM's NVPTX back end lowers to instructions.
static bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::Exp2Op, math::FloorOp, math::FmaOp, math::IsFiniteOp,
             math::IsInfOp, math::IsNaNOp, math::IsNormalOp, math::RoundEvenOp, math::SqrtOp, math::TruncOp>(op);
}

LogicalResult fp8gemm::hopper::expandMath(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    auto division = dyn_cast<arith::DivFOp>(op);
    if ((division && ExpandDivision::isApproximate(division)) ||
        (isa_and_present<math::MathDialect>(op->getDialect()) && !isInstruction(op)))
      ops.push_back(op);
  });
  if (ops.empty())
    return success();
  RewritePatternSet patterns(root->getContext());
  patterns.add<ExpandExp, ExpandTanh, ExpandErf, ExpandRsqrt, ExpandDivision>(root->getContext());
  math::populateExpansionPatterns(
      patterns, {"acosh", "asinh", "atanh", "cosh", "sinh", "tan", "powf", "fpowi", "round"});
  populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
    return llvm::is_contained({"math.acos", "math.asin", "math.atan", "math.atan2", "math.cbrt", "math.cos", "math.erfc",
                               "math.expm1", "math.log", "math.log1p", "math.log2", "math.sin"},
                              name);
  });
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
  (void)applyOpPatternsGreedily(ops, std::move(patterns), config);
  WalkResult result = root->walk([](Operation *op) -> WalkResult {
    if (!isa_and_present<math::MathDialect>(op->getDialect()) || isInstruction(op))
      return WalkResult::advance();
    return op->emitOpError("expected a function of math that kernels have (docs/Numerics.md), got another one");
  });
  return failure(result.wasInterrupted());
}
