// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Promotion: scales from shared memory into registers, and the f32 sum across K blocks.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// load_scales -> shared loads: the thread's two rows or its columns in pairs, or what all
/// threads hold, four at a time.
struct LowerLoadScales : OpConversionPattern<LoadScalesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LoadScalesOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    ScalesType type = op.getScales().getType();
    Value source = adaptor.getSource().front();
    SmallVector<Value> scales;
    if (type.getBlock() > 1)
      scales = loadUniform(emit, source, type.getRegisters());
    else if (type.getAxis() == Axis::rows)
      scales = loadRows(emit, source);
    else
      scales = loadColumns(emit, source, type.getExtent(), cast<MemRefType>(op.getSource().getType()));
    rewriter.replaceOpWithMultiple(op, {scales});
    return success();
  }

  static Value load(Emitter emit, Type type, Value address, unsigned alignment) {
    return LLVM::LoadOp::create(emit.builder, emit.loc, type, address, alignment);
  }

  /// Rows 16w + l/4 and 16w + l/4 + 8 (see !hopper.fragment).
  static SmallVector<Value> loadRows(Emitter emit, Value source) {
    Value upper = emit.offset(source, emit.mul(emit.firstRow(), 4));
    Type f32 = emit.builder.getF32Type();
    return {load(emit, f32, upper, 4), load(emit, f32, emit.offset(upper, 8 * 4), 4)};
  }

  /// Columns 8j + 2(l%4) and the next.
  static SmallVector<Value> loadColumns(Emitter emit, Value source, int64_t extent, MemRefType type) {
    Value first = emit.offset(source, emit.mul(emit.rem(emit.lane(), 4), 2 * 4));
    Type f32 = emit.builder.getF32Type();
    auto f32x2 = VectorType::get({2}, f32);
    SmallVector<Value> scales;
    for (int64_t column = 0; column < extent; column += 8) {
      if (!type.getLayout().isIdentity()) { // may start between pairs
        for (int64_t i = 0; i < 2; ++i)
          scales.push_back(load(emit, f32, emit.offset(first, 4 * (column + i)), 4));
        continue;
      }
      Value pair = load(emit, f32x2, emit.offset(first, 4 * column), 8);
      for (int64_t i = 0; i < 2; ++i)
        scales.push_back(LLVM::ExtractElementOp::create(emit.builder, emit.loc, pair, emit.i32(i)));
    }
    return scales;
  }

  static SmallVector<Value> loadUniform(Emitter emit, Value source, int64_t count) {
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
    ScalesType rows = op.getRows().getType(), columns = op.getColumns().getType();
    SmallVector<SmallVector<Value>> products(rows.getRegisters(), SmallVector<Value>(columns.getRegisters()));
    auto product = [&](int64_t row, int64_t column) {
      Value &value = products[row][column];
      if (!value)
        value = arith::MulFOp::create(rewriter, loc, adaptor.getRows()[row], adaptor.getColumns()[column]);
      return value;
    };
    // Products that serve many columns are few. One a column are as many as the sums, and
    // are made where they are used: they would not all fit the registers.
    if (columns.getBlock() > 1)
      for (int64_t row = 0; row < rows.getRegisters(); ++row)
        for (int64_t column = 0; column < columns.getRegisters(); ++column)
          product(row, column);
    SmallVector<Value> sums;
    for (auto [i, partial, acc] : llvm::enumerate(adaptor.getPartial(), adaptor.getAcc()))
      sums.push_back(
          math::FmaOp::create(rewriter, loc, partial, product(rows.getRegisterOf(i), columns.getRegisterOf(i)), acc));
    rewriter.replaceOpWithMultiple(op, {sums});
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populatePromotePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerLoadScales, LowerPromote>(converter, patterns.getContext());
}
