// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Promotion: scales from shared memory into registers, and the f32 sum across
// K blocks; and the epilogue: rows from global memory, elementwise arithmetic on fragments.

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
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertType(op.getResult().getType(), types)))
      return rewriter.notifyMatchFailure(op, "result has no registers");
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>(types.size(), zero)});
    return success();
  }
};

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
    Value firstRow = emit.mul(emit.warpInWarpgroup(), 16);
    Value row = emit.add(firstRow, emit.div(emit.lane(), 4));
    Value upper = emit.offset(source, emit.mul(row, 4));
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

/// load_fragment of a row -> global loads: one for each pair of columns, or two for the thread's rows. Registers of
/// equal elements are one value.
struct LowerLoadRow : OpConversionPattern<LoadFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LoadFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getAlong())
      return rewriter.notifyMatchFailure(op, "of panels");
    Emitter emit{rewriter, op.getLoc()};
    auto source = cast<MemRefType>(op.getSource().getType());
    bool alongColumns = *op.getAlong() == Axis::columns;
    int64_t perLoad = alongColumns ? 2 : 1, stride = 8; // columns 8j + 2(l%4) and the next; rows 16w + l/4 + 8h
    Value inTile;
    if (alongColumns) {
      inTile = emit.mul(emit.rem(emit.lane(), 4), 2);
    } else {
      Value firstRow = emit.mul(emit.warpInWarpgroup(), 16);
      inTile = emit.add(firstRow, emit.div(emit.lane(), 4));
    }
    Value first = emit.add(emit.toI32(adaptor.getFirst().front()), inTile);
    FragmentType type = op.getFragment().getType();
    SmallVector<Value> elements;
    for (int64_t i = 0; i < (alongColumns ? type.getColumns() / stride : 2); ++i) {
      Value position = emit.add(first, i * stride), last = emit.i32(source.getDimSize(0) - perLoad);
      position = arith::MinUIOp::create(rewriter, op.getLoc(), position, last);
      load(emit, source.getElementType(), perLoad,
           emit.element(adaptor.getSource().front(), source.getElementType(), position), elements);
    }
    SmallVector<Value> registers; // 4j + 2h + c
    for (int64_t i = 0; i < type.getRegisters(); ++i)
      registers.push_back(elements[alongColumns ? 2 * (i / 4) + i % 2 : i / 2 % 2]);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }

  static void load(Emitter emit, Type element, int64_t count, Value address, SmallVector<Value> &elements) {
    Value loaded = LLVM::LoadOp::create(emit.builder, emit.loc, VectorType::get(count, element), address,
                                        /*alignment=*/count * element.getIntOrFloatBitWidth() / 8);
    for (int64_t i = 0; i < count; ++i) {
      Value value = LLVM::ExtractElementOp::create(emit.builder, emit.loc, loaded, emit.i32(i));
      if (!element.isF32())
        value = LLVM::FPExtOp::create(emit.builder, emit.loc, emit.builder.getF32Type(), value);
      elements.push_back(value);
    }
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

/// A constant fragment, of equal elements -> one f32 constant.
struct LowerConstant : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<FragmentType>(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "not a fragment");
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat)
      return op.emitOpError("expected a constant fragment of equal elements, such as dense<1.0>");
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(), splat.getSplatValue<FloatAttr>());
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>(type.getRegisters(), scalar)});
    return success();
  }
};

/// An elementwise operation on fragments -> the same one on the f32 of each register.
struct LowerElementwise : ConversionPattern {
  LowerElementwise(NVVMTypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<ValueRange> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isElementwise(op))
      return rewriter.notifyMatchFailure(op, "not an elementwise operation on fragments");
    auto type = cast<FragmentType>(op->getResult(0).getType());
    SmallVector<Value> results;
    for (int64_t i = 0; i < type.getRegisters(); ++i) {
      SmallVector<Value> scalars;
      for (auto [operand, registers] : llvm::zip_equal(op->getOperandTypes(), operands))
        scalars.push_back(isa<FragmentType>(operand) ? registers[i] : registers.front());
      results.push_back(
          rewriter.create(op->getLoc(), op->getName().getIdentifier(), scalars, type.getElementType(), op->getAttrs())
              ->getResult(0));
    }
    rewriter.replaceOpWithMultiple(op, {results});
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populatePromotePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerZero, LowerLoadScales, LowerLoadRow, LowerPromote, LowerConstant, LowerElementwise>(
      converter, patterns.getContext());
}
