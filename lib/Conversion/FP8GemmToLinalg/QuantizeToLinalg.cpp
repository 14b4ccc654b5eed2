// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of a quantisation: like that of a product, written to be read.

#include "Writer.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fp8gemm::linalg_conversion;
using utils::IteratorType;

/// Amax counts as at least this, so that no scale is 0 and its reciprocal is finite: DeepGEMM's value.
static constexpr float kLeastAmax = 1e-4f;
static constexpr int kF32MantissaMask = 0x7fffff, kF32ExponentMask = 0x7f800000;

namespace {

/// f32 arithmetic on scalars.
struct Arithmetic {
  ImplicitLocOpBuilder &b;

  Value real(float value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); }
  Value nan() { return arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), APFloat::getQNaN(APFloat::IEEEsingle()))); }
  Value widen(Value value) {
    return value.getType().isF32() ? value : arith::ExtFOp::create(b, b.getF32Type(), value).getResult();
  }

  /// max(amax, 1e-4) / largest, or the power of two from there up; NaN if amax is not finite.
  Value scaleOf(Value amax, Value largest, bool powerOfTwo);
  /// f8(x / scale)
  Value quantize(Value x, Value scale, Type f8);
};

} // namespace

Value Arithmetic::scaleOf(Value amax, Value largest, bool powerOfTwo) {
  Value scale = arith::DivFOp::create(b, arith::MaximumFOp::create(b, amax, real(kLeastAmax)), largest);
  if (powerOfTwo) {
    Type i32 = b.getI32Type();
    auto integer = [&](int value) { return arith::ConstantIntOp::create(b, value, 32); };
    Value bits = arith::AddIOp::create(b, arith::BitcastOp::create(b, i32, scale), integer(kF32MantissaMask));
    bits = arith::AndIOp::create(b, bits, integer(kF32ExponentMask));
    scale = arith::BitcastOp::create(b, b.getF32Type(), bits);
  }
  Value infinity = real(std::numeric_limits<float>::infinity());
  Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, amax, infinity);
  return arith::SelectOp::create(b, isFinite, scale, nan());
}

Value Arithmetic::quantize(Value x, Value scale, Type f8) {
  Value reciprocal = arith::DivFOp::create(b, real(1), scale);
  Value scaled = arith::MulFOp::create(b, widen(x), reciprocal);
  // A NaN of one sign only, whatever the processor makes of NaN times x.
  Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, scaled, scaled);
  return arith::TruncFOp::create(b, f8, arith::SelectOp::create(b, isNumber, scaled, nan()));
}

/// Number of elements in K block `block`, which starts at `start`.
static OpFoldResult lengthOf(Writer &w, const Quantization &z, Value start) {
  int64_t k = z.k, blockK = z.scale.getColumns();
  if (k <= blockK || k % blockK == 0)
    return w.getIndexAttr(std::min(k, blockK));
  return w.smaller(w.subtract(w.getIndexAttr(k), start), w.getIndexAttr(blockK));
}

/// A row of scales is for one row of a matrix.
static bool isOfRows(const Quantization &z) { return z.scale.getRows() == 1; }

/// The part of a matrix in a K block.
static Window elementsOf(Writer &w, const Quantization &z, Value block) {
  Value start = w.multiply(block, w.getIndexAttr(z.scale.getColumns()));
  OpFoldResult length = lengthOf(w, z, start);
  return {{z.first ? z.first : w.getIndexAttr(0), start}, {z.m, length}, 2};
}

/// The scales of a K block.
static Window scalesOf(Writer &w, const Quantization &z, Value block) {
  OpFoldResult one = w.getIndexAttr(1), first = isOfRows(z) ? w.getIndexAttr(0) : z.number;
  OpFoldResult rows = isOfRows(z) ? z.m : one;
  if (z.scale.getLayout() == fp8gemm::ScaleLayout::k_major)
    return {{first, block}, {rows, one}, 2};
  return {{block, first}, {one, rows}, 2};
}

/// The map from the first of `dims` dimensions, a row, to its scale.
static AffineMap scaleMap(Writer &w, const Quantization &z, unsigned dims) {
  AffineExpr zero = w.getAffineConstantExpr(0), row = isOfRows(z) ? w.getAffineDimExpr(0) : zero;
  bool isKMajor = z.scale.getLayout() == fp8gemm::ScaleLayout::k_major;
  SmallVector<AffineExpr> exprs{isKMajor ? row : zero, isKMajor ? zero : row};
  return AffineMap::get(dims, 0, exprs, w.getContext());
}

/// The largest element, as the only one of a vector.
static Value largestOf(Writer &w, Value elements) {
  AffineMap only = AffineMap::get(1, 0, w.getAffineConstantExpr(0), w.getContext());
  Value largest = w.generic(elements, w.fillZero(w.temporary({w.getIndexAttr(1)})), {w.getMultiDimIdentityMap(1), only},
                            IteratorType::reduction, [&](ImplicitLocOpBuilder &b, ValueRange pair) -> Value {
                              return arith::MaximumFOp::create(b, pair[1], pair[0]);
                            });
  w.free(elements);
  return largest;
}

/// amax[m] = max over k of the block of |x[m, k]|, or of its rows, too; then scales[m] of it
static Value writeScalesOf(Writer &w, const Quantization &z, Value block, Value scales) {
  AffineMap row = AffineMap::get(2, 0, w.getAffineDimExpr(0), w.getContext());
  Value x = w.slice(z.x, elementsOf(w, z, block));
  // Of magnitudes, none of which is below 0. A NaN stays.
  Value amax = w.generic(x, w.fillZero(w.temporary(z.m)), {w.getMultiDimIdentityMap(2), row},
                         {IteratorType::parallel, IteratorType::reduction},
                         [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                           Value magnitude = math::AbsFOp::create(b, Arithmetic{b}.widen(elements[0]));
                           return arith::MaximumFOp::create(b, elements[1], magnitude);
                         });
  if (!isOfRows(z))
    amax = largestOf(w, amax);
  Window window = scalesOf(w, z, block);
  float largest = isa<Float8E5M2Type>(z.f8) ? 57344 : 448;
  Value part = w.generic(amax, w.slice(scales, window), {w.getMultiDimIdentityMap(1), scaleMap(w, z, 1)},
                         IteratorType::parallel, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                           Arithmetic f32{b};
                           Value limit = f32.real(largest);
                           return f32.scaleOf(elements[0], limit, z.powerOfTwo);
                         });
  w.free(amax);
  return w.insert(part, scales, window);
}

/// q[m, k] = f8(x[m, k] / scales[m])
static Value writeElementsOf(Writer &w, const Quantization &z, Value block, Value scales, Value q) {
  Window window = elementsOf(w, z, block);
  AffineMap identity = w.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs{w.slice(z.x, window)};
  inputs.push_back(w.slice(scales, scalesOf(w, z, block)));
  SmallVector<IteratorType> parallel(2, IteratorType::parallel);
  Value part = w.generic(inputs, w.slice(q, window), {identity, scaleMap(w, z, 2), identity}, parallel,
                         [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                           return Arithmetic{b}.quantize(elements[0], elements[1], elements[2].getType());
                         });
  return w.insert(part, q, window);
}

static OpFoldResult blocksOf(Writer &w, const Quantization &z) {
  return w.getIndexAttr(llvm::divideCeil(z.k, z.scale.getColumns()));
}

/// `body` for all rows, or for each block of rows that shares scales.
static Value forRows(Writer &w, const Quantization &z, Value state,
                     llvm::function_ref<Value(const Quantization &, Value)> body) {
  if (isOfRows(z))
    return body(z, state);
  OpFoldResult rows = w.getIndexAttr(z.scale.getRows());
  return w.loop(w.divideCeil(w.value(z.m), z.scale.getRows()), state, [&](Value number, Value state) {
    Quantization part = z;
    Value first = w.multiply(number, rows);
    part.first = first, part.number = number;
    part.m = w.smaller(w.subtract(z.m, first), rows);
    return body(part, state);
  });
}

Value fp8gemm::linalg_conversion::writeScales(Writer &w, const Quantization &z, Value scales) {
  return forRows(w, z, scales, [&](const Quantization &part, Value scales) {
    return w.loop(blocksOf(w, z), scales,
                  [&](Value block, Value scales) { return writeScalesOf(w, part, block, scales); });
  });
}

Value fp8gemm::linalg_conversion::writeElements(Writer &w, const Quantization &z, Value scales, Value q) {
  return forRows(w, z, q, [&](const Quantization &part, Value q) {
    return w.loop(blocksOf(w, z), q, [&](Value block, Value q) { return writeElementsOf(w, part, block, scales, q); });
  });
}

/// Y[m, k] = prologue(X[m, k]), or of X's columns k and K + k, in f32.
static Value writePrologue(Writer &w, fp8gemm::QuantizeOp op, OpFoldResult m) {
  OpFoldResult zero = w.getIndexAttr(0), k = w.getIndexAttr(op.getK());
  SmallVector<Value> inputs{op.getX()};
  if (op.getGated())
    inputs = {w.slice(op.getX(), {zero, zero}, {m, k}), w.slice(op.getX(), {zero, k}, {m, k})};
  SmallVector<AffineMap> maps(inputs.size() + 1, w.getMultiDimIdentityMap(2));
  SmallVector<IteratorType> parallel(2, IteratorType::parallel);
  return w.generic(inputs, w.temporary({m, k}), maps, parallel, [&](ImplicitLocOpBuilder &b, ValueRange elements) {
    SmallVector<Value> arguments;
    for (Value element : elements.drop_back())
      arguments.push_back(Arithmetic{b}.widen(element));
    return inlineBody(b, op.getPrologueBody(), arguments);
  });
}

namespace {
/// fp8gemm.quantize → the prologue, a loop over K blocks that writes scales, and one that writes elements.
struct ConvertQuantize : OpRewritePattern<fp8gemm::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(fp8gemm::QuantizeOp op, PatternRewriter &rewriter) const override {
    Writer w(rewriter, op);
    OpFoldResult m = w.size(ShapedType::isDynamic(op.getM()) ? op.getQ() : op.getX(), 0);
    Value q = op.getQ(), scales = op.getScales();
    if (!isConstantIntValue(m, 0)) {
      Value x = op.getPrologueBody() ? writePrologue(w, op, m) : op.getX();
      Quantization quantization{x, op.getScale(), op.getPowerOfTwo(), op.getQElement(), m, op.getK()};
      scales = writeScales(w, quantization, scales);
      q = writeElements(w, quantization, scales, q);
      if (op.getPrologueBody())
        w.free(x);
    }
    SmallVector<Value> results;
    if (w.isOnTensors())
      results = {q, scales};
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

void fp8gemm::linalg_conversion::populateQuantizePatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertQuantize>(patterns.getContext());
}
