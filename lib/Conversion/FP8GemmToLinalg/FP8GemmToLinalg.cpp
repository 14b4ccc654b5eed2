// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of fp8gemm operations. It is the oracle of every numeric test, so it
// is written to be read, and must share nothing with the hopper path.

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CONVERTFP8GEMMTOLINALGPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using utils::IteratorType;

namespace {

/// Writes linalg that reads the same on tensors and on memrefs: on memrefs each
/// operation writes its destination and returns it.
class Writer : public ImplicitLocOpBuilder {
public:
  Writer(Location loc, PatternRewriter &rewriter, bool onTensors)
      : ImplicitLocOpBuilder(loc, rewriter), onTensors(onTensors) {}

  bool isOnTensors() const { return onTensors; }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

  /// Rows of a value of rank 2.
  OpFoldResult rows(Value value) {
    int64_t size = cast<ShapedType>(value.getType()).getDimSize(0);
    if (!ShapedType::isDynamic(size))
      return getIndexAttr(size);
    if (onTensors)
      return tensor::DimOp::create(*this, value, 0).getResult();
    return memref::DimOp::create(*this, value, 0).getResult();
  }

  /// A temporary of f32, uninitialised.
  Value temporary(ArrayRef<OpFoldResult> sizes) {
    if (onTensors)
      return tensor::EmptyOp::create(*this, sizes, getF32Type());
    auto [shape, dynamic] = decomposeMixedValues(sizes);
    return memref::AllocOp::create(*this, MemRefType::get(shape, getF32Type()), dynamic);
  }

  /// Ends the life of a temporary; on tensors that is bufferization's to do.
  void free(Value value) {
    if (!onTensors)
      memref::DeallocOp::create(*this, value);
  }

  /// The part of `source` of these sizes that starts at `offsets`.
  Value slice(Value source, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
    SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
    if (onTensors)
      return tensor::ExtractSliceOp::create(*this, source, offsets, sizes, strides);
    return memref::SubViewOp::create(*this, source, offsets, sizes, strides);
  }

  Value fillZero(Value output) {
    Value zero = arith::ConstantOp::create(*this, getF32FloatAttr(0.0f));
    auto fill = linalg::FillOp::create(*this, zero, output);
    return onTensors ? fill.getResult(0) : output;
  }

  /// One linalg.generic; `maps` are those of `inputs`, then of `output`. `body`
  /// makes the new element of `output` of their elements.
  Value generic(ValueRange inputs, Value output, ArrayRef<AffineMap> maps, ArrayRef<IteratorType> iterators,
                function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
    auto generic =
        linalg::GenericOp::create(*this, onTensors ? TypeRange(output.getType()) : TypeRange(), inputs, output, maps,
                                  iterators, [&](OpBuilder &builder, Location loc, ValueRange elements) {
                                    ImplicitLocOpBuilder b(loc, builder);
                                    linalg::YieldOp::create(b, body(b, elements));
                                  });
    return onTensors ? generic.getResult(0) : output;
  }

  /// for i in [0, count): state = body(i, state)
  Value loop(int64_t count, Value state, function_ref<Value(Value, Value)> body) {
    Value from = index(0), to = index(count), step = index(1);
    auto loop = scf::ForOp::create(*this, from, to, step, onTensors ? ValueRange(state) : ValueRange());
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(loop.getBody());
    Value next = body(loop.getInductionVar(), onTensors ? loop.getRegionIterArg(0) : state);
    if (!onTensors)
      return next;
    scf::YieldOp::create(*this, next);
    return loop.getResult(0);
  }

private:
  bool onTensors;
};

/// fp8gemm.gemm → a loop over K blocks of linalg.generic: extend, multiply-add,
/// promote; and one to add C and round the sum.
struct ConvertGemm : OpRewritePattern<fp8gemm::GemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(fp8gemm::GemmOp op, PatternRewriter &rewriter) const override {
    Writer w(op.getLoc(), rewriter, isa<TensorType>(op.getD().getType()));
    int64_t blockK = op.getAScale().getColumns();
    OpFoldResult m = w.rows(ShapedType::isDynamic(op.getM()) ? op.getD() : op.getA());
    OpFoldResult n = w.getIndexAttr(op.getN());
    // D has no elements; and upstream refuses slices of no rows.
    if (isConstantIntValue(m, 0)) {
      rewriter.replaceOp(op, w.isOnTensors() ? ValueRange(op.getD()) : ValueRange());
      return success();
    }

    Value sum = w.fillZero(w.temporary({m, n}));
    sum = w.loop(llvm::divideCeil(op.getK(), blockK), sum, [&](Value block, Value sum) {
      Value partial = multiplyBlock(w, op, block, blockK, m, n);
      Value next = promote(w, op, block, partial, sum, m, n);
      w.free(partial);
      return next;
    });

    Value d = finish(w, op, sum);
    w.free(sum);
    rewriter.replaceOp(op, w.isOnTensors() ? ValueRange(d) : ValueRange());
    return success();
  }

private:
  /// D = sum, or C + sum in f32; rounded to D's type. In place, each element of C is
  /// read before D's is written.
  static Value finish(Writer &w, fp8gemm::GemmOp op, Value sum) {
    SmallVector<Value> inputs{sum};
    if (op.getC())
      inputs.push_back(op.getC());
    SmallVector<AffineMap> maps(inputs.size() + 1, w.getMultiDimIdentityMap(2));
    return w.generic(inputs, op.getD(), maps, parallel(2), [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
      Type element = elements.back().getType();
      Value result = elements[0];
      if (op.getC()) {
        Value c = elements[1];
        if (!element.isF32())
          c = arith::ExtFOp::create(b, b.getF32Type(), c);
        result = arith::AddFOp::create(b, c, result);
      }
      return element.isF32() ? result : arith::TruncFOp::create(b, element, result);
    });
  }

  static SmallVector<IteratorType> parallel(unsigned count) {
    return SmallVector<IteratorType>(count, IteratorType::parallel);
  }

  /// The elements of `input` as f32, [d0, d1] = input[map(d0, d1)].
  static Value extend(Writer &w, Value input, AffineMap map, ArrayRef<OpFoldResult> sizes) {
    return w.generic(input, w.temporary(sizes), {map, w.getMultiDimIdentityMap(2)}, parallel(2),
                     [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                       return arith::ExtFOp::create(b, b.getF32Type(), elements[0]);
                     });
  }

  /// partial[m, n] = sum over k of the block of A[m, k] * B[n, k], k ascending. The
  /// loops run m, k, n so that the innermost one can be vectorised: each element
  /// still adds its products in the order of k.
  static Value multiplyBlock(Writer &w, fp8gemm::GemmOp op, Value block, int64_t blockK, OpFoldResult m,
                             OpFoldResult n) {
    Value start = arith::MulIOp::create(w, block, w.index(blockK));
    OpFoldResult length = w.getIndexAttr(std::min(blockK, op.getK()));
    if (op.getK() > blockK && op.getK() % blockK != 0) {
      Value rest = arith::SubIOp::create(w, w.index(op.getK()), start);
      length = arith::MinSIOp::create(w, rest, w.index(blockK)).getResult();
    }
    OpFoldResult zero = w.getIndexAttr(0);
    AffineExpr d0 = w.getAffineDimExpr(0), d1 = w.getAffineDimExpr(1), d2 = w.getAffineDimExpr(2);
    MLIRContext *context = w.getContext();

    Value a = extend(w, w.slice(op.getA(), {zero, start}, {m, length}), w.getMultiDimIdentityMap(2), {m, length});
    Value b =
        extend(w, w.slice(op.getB(), {zero, start}, {n, length}), AffineMap::get(2, 0, {d1, d0}, context), {length, n});
    Value partial = w.generic({a, b}, w.fillZero(w.temporary({m, n})),
                              {AffineMap::get(3, 0, {d0, d1}, context), AffineMap::get(3, 0, {d1, d2}, context),
                               AffineMap::get(3, 0, {d0, d2}, context)},
                              {IteratorType::parallel, IteratorType::reduction, IteratorType::parallel},
                              [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                                Value product = arith::MulFOp::create(b, elements[0], elements[1]);
                                return arith::AddFOp::create(b, elements[2], product);
                              });
    w.free(a);
    w.free(b);
    return partial;
  }

  /// The scales of K block `block`, and the map from (m, n) to the scale of
  /// `element`, which is m or n.
  static std::pair<Value, AffineMap> scalesOfBlock(Writer &w, Value storage, fp8gemm::ScaleAttr scale, Value block,
                                                   OpFoldResult rowBlocks, AffineExpr element) {
    OpFoldResult zero = w.getIndexAttr(0), one = w.getIndexAttr(1);
    AffineExpr row = element.floorDiv(scale.getRows()), first = w.getAffineConstantExpr(0);
    if (scale.getLayout() == fp8gemm::ScaleLayout::k_major)
      return {w.slice(storage, {zero, block}, {rowBlocks, one}), AffineMap::get(2, 0, {row, first}, w.getContext())};
    return {w.slice(storage, {block, zero}, {one, rowBlocks}), AffineMap::get(2, 0, {first, row}, w.getContext())};
  }

  /// sum = fma(partial, sfa * sfb, sum)
  static Value promote(Writer &w, fp8gemm::GemmOp op, Value block, Value partial, Value sum, OpFoldResult m,
                       OpFoldResult n) {
    OpFoldResult nBlocks = w.getIndexAttr(llvm::divideCeil(op.getN(), op.getBScale().getRows()));
    auto [sfa, sfaMap] = scalesOfBlock(w, op.getSfa(), op.getAScale(), block, m, w.getAffineDimExpr(0));
    auto [sfb, sfbMap] = scalesOfBlock(w, op.getSfb(), op.getBScale(), block, nBlocks, w.getAffineDimExpr(1));
    AffineMap identity = w.getMultiDimIdentityMap(2);
    return w.generic({partial, sfa, sfb}, sum, {identity, sfaMap, sfbMap, identity}, parallel(2),
                     [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                       Value scale = arith::MulFOp::create(b, elements[1], elements[2]);
                       return math::FmaOp::create(b, elements[0], scale, elements[3]);
                     });
  }
};

struct ConvertFP8GemmToLinalg : fp8gemm::impl::ConvertFP8GemmToLinalgPassBase<ConvertFP8GemmToLinalg> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    fp8gemm::populateFP8GemmToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace

void fp8gemm::populateFP8GemmToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertGemm>(patterns.getContext());
}
