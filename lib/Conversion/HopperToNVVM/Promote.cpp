// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Promotion: scales from shared memory into registers, and the f32 sum across
// K blocks.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// zero -> f32 constants.
struct LowerZero : OpConversionPattern<ZeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(ZeroOp op, OneToNOpAdaptor, ConversionPatternRewriter &rewriter) const override {
    Value zero = arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getF32FloatAttr(0.0f));
    SmallVector<Value> registers(op.getResult().getType().getRegisters(), zero);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

/// load_scales -> shared loads: the thread's two rows, or every column block,
/// four at a time.
struct LowerLoadScales : OpConversionPattern<LoadScalesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LoadScalesOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    ScalesType type = op.getScales().getType();
    Value source = adaptor.getSource().front();
    SmallVector<Value> scales =
        type.getAxis() == Axis::rows ? loadRows(emit, source) : loadColumns(emit, source, type.getRegisters());
    rewriter.replaceOpWithMultiple(op, {scales});
    return success();
  }

  static Value load(Emitter emit, Type type, Value address, unsigned alignment) {
    return LLVM::LoadOp::create(emit.builder, emit.loc, type, address, alignment);
  }

  /// Rows 16w + l/4 and 16w + l/4 + 8 (see !hopper.fragment).
  static SmallVector<Value> loadRows(Emitter emit, Value source) {
    Value row = emit.add(emit.mul(emit.warpInGroup(), emit.i32(16)), emit.div(emit.lane(), 4));
    Value upper = emit.offset(source, emit.mul(row, emit.i32(4)));
    Type f32 = emit.builder.getF32Type();
    return {load(emit, f32, upper, 4), load(emit, f32, emit.offset(upper, 8 * 4), 4)};
  }

  static SmallVector<Value> loadColumns(Emitter emit, Value source, int64_t count) {
    SmallVector<Value> scales;
    auto f32x4 = VectorType::get({4}, emit.builder.getF32Type());
    for (; int64_t(scales.size()) + 4 <= count;) {
      Value quad = load(emit, f32x4, emit.offset(source, 4 * scales.size()), 16);
      for (int64_t i = 0; i < 4; ++i)
        scales.push_back(LLVM::ExtractElementOp::create(emit.builder, emit.loc, quad, emit.i32(i)));
    }
    while (int64_t(scales.size()) < count)
      scales.push_back(load(emit, emit.builder.getF32Type(), emit.offset(source, 4 * scales.size()), 4));
    return scales;
  }
};

/// promote -> one product for each pair of scales, one fma for each register.
struct LowerPromote : OpConversionPattern<PromoteOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(PromoteOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t block = op.getColumns().getType().getBlock();
    SmallVector<Value> products[2];
    for (int64_t half = 0; half < 2; ++half)
      for (Value column : adaptor.getColumns())
        products[half].push_back(arith::MulFOp::create(rewriter, loc, adaptor.getRows()[half], column));
    SmallVector<Value> sums;
    for (auto [i, partial, acc] : llvm::enumerate(adaptor.getPartial(), adaptor.getAcc())) {
      // Register 4j + 2h + c: columns 8j + ..., row half h.
      int64_t column = 8 * (i / 4), half = (i / 2) % 2;
      sums.push_back(math::FmaOp::create(rewriter, loc, partial, products[half][column / block], acc));
    }
    rewriter.replaceOpWithMultiple(op, {sums});
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populatePromotePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerZero, LowerLoadScales, LowerPromote>(converter, patterns.getContext());
}
