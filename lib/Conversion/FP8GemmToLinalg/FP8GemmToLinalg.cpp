// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of a product. It is the oracle of every numeric test, so it is written to
// be read, and must share nothing with the hopper path.

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "Writer.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CONVERTFP8GEMMTOLINALGPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm::linalg_conversion;
using utils::IteratorType;

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

/// Elements of K from `start` in a block of at most blockK.
static OpFoldResult blockLength(Writer &w, OpFoldResult k, Value start, int64_t blockK) {
  std::optional<int64_t> length = getConstantIntValue(k);
  if (length && (*length <= blockK || *length % blockK == 0))
    return w.getIndexAttr(std::min(blockK, *length));
  return w.smaller(w.subtract(k, start), w.getIndexAttr(blockK));
}

/// partial[m, n] = sum over k of the block of A[m, k] * B[n, k], k ascending. The
/// loops run m, k, n so that the innermost one can be vectorised: each element
/// still adds its products in the order of k.
static Value multiplyBlock(Writer &w, const Product &p, Value block) {
  int64_t blockK = p.aScale.getColumns();
  Value start = w.multiply(block, w.getIndexAttr(blockK));
  OpFoldResult length = blockLength(w, p.k, start, blockK);
  OpFoldResult zero = w.getIndexAttr(0);
  AffineExpr d0 = w.getAffineDimExpr(0), d1 = w.getAffineDimExpr(1), d2 = w.getAffineDimExpr(2);
  MLIRContext *context = w.getContext();

  Value a = extend(w, w.slice(p.a, {zero, start}, {p.m, length}), w.getMultiDimIdentityMap(2), {p.m, length});
  Value b =
      extend(w, w.slice(p.b, {zero, start}, {p.n, length}), AffineMap::get(2, 0, {d1, d0}, context), {length, p.n});
  Value partial = w.generic({a, b}, w.fillZero(w.temporary({p.m, p.n})),
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
static Value promote(Writer &w, const Product &p, Value block, Value partial, Value sum) {
  // N is static wherever 128 rows of B share a scale.
  OpFoldResult nBlocks = w.getIndexAttr(llvm::divideCeil(*getConstantIntValue(p.n), p.bScale.getRows()));
  auto [sfa, sfaMap] = scalesOfBlock(w, p.sfa, p.aScale, block, p.m, w.getAffineDimExpr(0));
  auto [sfb, sfbMap] = scalesOfBlock(w, p.sfb, p.bScale, block, nBlocks, w.getAffineDimExpr(1));
  AffineMap identity = w.getMultiDimIdentityMap(2);
  return w.generic({partial, sfa, sfb}, sum, {identity, sfaMap, sfbMap, identity}, parallel(2),
                   [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                     Value scale = arith::MulFOp::create(b, elements[1], elements[2]);
                     return math::FmaOp::create(b, elements[0], scale, elements[3]);
                   });
}

Value fp8gemm::linalg_conversion::inlineBody(ImplicitLocOpBuilder &b, Block *body, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(body->getArguments(), arguments);
  for (Operation &op : body->without_terminator())
    b.clone(op, mapping);
  return mapping.lookup(body->getTerminator()->getOperand(0));
}

/// From (m, n) to the element of `operand`, one of whose extents of 1 serves all.
static AffineMap broadcastMap(Writer &w, Value operand) {
  ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
  SmallVector<AffineExpr> exprs;
  for (auto [i, size] : llvm::enumerate(shape))
    exprs.push_back(size == 1 ? w.getAffineConstantExpr(0) : w.getAffineDimExpr(unsigned(2 - shape.size() + i)));
  return AffineMap::get(2, 0, exprs, w.getContext());
}

/// D = sum, or C + sum in f32, or the epilogue of that; rounded to D's type. In place, each element of C is
/// read before D's is written.
static Value finish(Writer &w, const Product &p, Value sum) {
  AffineMap identity = w.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs{sum};
  if (p.isGated) {
    OpFoldResult zero = w.getIndexAttr(0), half = w.getIndexAttr(*getConstantIntValue(p.n) / 2);
    inputs = {w.slice(sum, {zero, zero}, {p.m, half}), w.slice(sum, {zero, half}, {p.m, half})};
  }
  const size_t sums = inputs.size();
  SmallVector<AffineMap> maps(sums, identity);
  if (p.c) {
    inputs.push_back(p.c);
    maps.push_back(identity);
  }
  for (Value operand : p.epilogueOperands) {
    inputs.push_back(operand);
    maps.push_back(broadcastMap(w, operand));
  }
  maps.push_back(identity);
  return w.generic(inputs, p.d, maps, parallel(2), [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
    auto extended = [&](Value value) -> Value {
      return value.getType().isF32() ? value : arith::ExtFOp::create(b, b.getF32Type(), value);
    };
    Type element = elements.back().getType();
    Value result = elements[0];
    ValueRange rest = elements.drop_front(sums).drop_back();
    if (p.c) {
      Value c = extended(rest.front());
      result = arith::AddFOp::create(b, c, result);
      rest = rest.drop_front();
    }
    if (p.epilogue) {
      SmallVector<Value> arguments{result};
      llvm::append_range(arguments, elements.slice(1, sums - 1));
      for (Value operand : rest)
        arguments.push_back(extended(operand));
      result = inlineBody(b, p.epilogue, arguments);
    }
    return element.isF32() ? result : arith::TruncFOp::create(b, element, result);
  });
}

/// A loop over K blocks of linalg.generic: extend, multiply-add, promote; and one to add
/// C, compute the epilogue and round.
Value fp8gemm::linalg_conversion::write(Writer &w, const Product &p) {
  int64_t blockK = p.aScale.getColumns();
  std::optional<int64_t> k = getConstantIntValue(p.k);
  OpFoldResult blocks =
      k ? OpFoldResult(w.getIndexAttr(llvm::divideCeil(*k, blockK))) : OpFoldResult(w.divideCeil(w.value(p.k), blockK));
  Value sum = w.fillZero(w.temporary({p.m, p.n}));
  sum = w.loop(blocks, sum, [&](Value block, Value sum) {
    Value partial = multiplyBlock(w, p, block);
    Value next = promote(w, p, block, partial, sum);
    w.free(partial);
    return next;
  });
  Value d = finish(w, p, sum);
  w.free(sum);
  return d;
}

namespace {
/// fp8gemm.gemm → one product.
struct ConvertGemm : OpRewritePattern<fp8gemm::GemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(fp8gemm::GemmOp op, PatternRewriter &rewriter) const override {
    Writer w(rewriter, op);
    OpFoldResult m = w.size(ShapedType::isDynamic(op.getM()) ? op.getD() : op.getA(), 0);
    Value d = op.getD(), sfd = op.getSfd();
    // Without rows D has no elements; and upstream refuses slices of none.
    if (!isConstantIntValue(m, 0)) {
      OpFoldResult columns = w.getIndexAttr(op.getColumnsOfD());
      Value f32 = sfd ? w.temporary({m, columns}) : d; // what is quantised then
      Value product = write(w, {op.getA(), op.getSfa(), op.getB(), op.getSfb(), op.getC(), f32, op.getAScale(), op.getBScale(), m,
                    w.getIndexAttr(op.getN()), w.getIndexAttr(op.getK()), op.getEpilogueBody(), op.isGated(),
                    llvm::to_vector(op.getEpilogueOperands())});
      if (sfd) {
        Quantization quantization{product, op.getDScaleAttr(), op.getPowerOfTwo(), op.getDElement(), m, op.getColumnsOfD()};
        sfd = writeScales(w, quantization, sfd);
        d = writeElements(w, quantization, sfd, d);
        w.free(product);
      } else {
        d = product;
      }
    }
    rewriter.replaceOp(op, w.results(d, sfd));
    return success();
  }
};

struct ConvertFP8GemmToLinalg : fp8gemm::impl::ConvertFP8GemmToLinalgPassBase<ConvertFP8GemmToLinalg> {
  void runOnOperation() override {
    llvm::SetVector<Operation *> kernels = findKernels();
    RewritePatternSet patterns(&getContext());
    fp8gemm::populateFP8GemmToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    for (Operation *kernel : kernels)
      if (SymbolTable::symbolKnownUseEmpty(kernel, getOperation()))
        kernel->erase();
  }

  /// Those of operations that become linalg, which need none.
  llvm::SetVector<Operation *> findKernels() {
    llvm::SetVector<Operation *> kernels;
    auto module = dyn_cast<ModuleOp>(getOperation());
    if (!module)
      return kernels;
    auto insert = [&](SymbolRefAttr name) {
      if (Operation *kernel = name ? module.lookupSymbol(name.getRootReference()) : nullptr)
        kernels.insert(kernel);
    };
    module.walk([&](fp8gemm::ProductOpInterface op) { insert(op.getKernelAttr()); });
    module.walk([&](fp8gemm::QuantizeOp op) { insert(op.getKernelAttr()); });
    return kernels;
  }
};
} // namespace

void fp8gemm::populateFP8GemmToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertGemm>(patterns.getContext());
  populateGroupedPatterns(patterns);
  populateQuantizePatterns(patterns);
}
