// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The epilogue: fragments from matrices in global memory, and functions of the elements of fragments.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// load_fragment of a matrix in global memory -> loads of pairs of columns, or transposed of elements. Registers of equal
/// elements are one value. A thread has rows 16w + l/4 + 8h of a fragment and columns 8j + 2(l%4) + c (see
/// !hopper.fragment).
struct LowerLoadMatrix : OpConversionPattern<LoadFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(LoadFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.isOfMatrix())
      return rewriter.notifyMatchFailure(op, "of panels");
    Emitter emit{rewriter, op.getLoc()};
    Source source(emit, op, adaptor);
    FragmentType type = op.getFragment().getType();
    SmallVector<Value> registers = op.getTransposed() ? loadTransposed(source, type) : load(source, type);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }

private:
  static constexpr int64_t kRowStep = 8, kColumnStep = 8; ///< from a thread's rows, and pairs of columns, to the next

  struct Source {
    Source(Emitter emit, LoadFragmentOp op, OneToNOpAdaptor adaptor)
        : emit(emit), element(cast<MemRefType>(op.getSource().getType()).getElementType()), rows(op.getSourceRows()),
          columns(op.getSourceColumns()), base(adaptor.getSource().front()), strides(adaptor.getSource().drop_front()),
          row(adaptor.getRow().front()), column(adaptor.getColumn().front()) {
      if (op.getLimit())
        limit = adaptor.getLimit().front();
      if (op.getGroup()) {
        Value distance = emit.mul(emit.toI64(adaptor.getGroup().front()), strides[1]);
        base = emit.element(base, element, distance);
      }
    }

    /// The first element of row `row` + `first` + i * `step`, for each i; the only one, for a source of one row.
    SmallVector<Value> rowsFrom(Value first, ArrayRef<int64_t> offsets) {
      if (rows == 1)
        return SmallVector<Value>(offsets.size(), base);
      SmallVector<Value> addresses;
      first = emit.add(emit.toI32(row), first);
      Value last = emit.sub(emit.toI32(limit), 1);
      for (int64_t offset : offsets) {
        Value at = arith::MinUIOp::create(emit.builder, emit.loc, emit.add(first, offset), last);
        Value distance = emit.mul(emit.toI64(at), strides[0]);
        addresses.push_back(emit.element(base, element, distance));
      }
      return addresses;
    }

    /// `count` elements from column `position` on, or the last ones, extended to f32.
    SmallVector<Value> load(Value address, Value position, int64_t count) {
      if (position) {
        Value last = emit.i32(columns - count);
        position = arith::MinUIOp::create(emit.builder, emit.loc, position, last);
        address = emit.element(address, element, position);
      }
      Value loaded = LLVM::LoadOp::create(emit.builder, emit.loc, VectorType::get(count, element), address,
                                          /*alignment=*/count * element.getIntOrFloatBitWidth() / 8);
      SmallVector<Value> elements;
      for (int64_t i = 0; i < count; ++i) {
        Value value = LLVM::ExtractElementOp::create(emit.builder, emit.loc, loaded, emit.i32(i));
        if (!element.isF32())
          value = LLVM::FPExtOp::create(emit.builder, emit.loc, emit.builder.getF32Type(), value);
        elements.push_back(value);
      }
      return elements;
    }

    Emitter emit;
    Type element;
    int64_t rows, columns;
    Value base;
    ValueRange strides;
    Value row, column, limit;
  };

  static Value firstPair(Emitter emit) { return emit.mul(emit.rem(emit.lane(), 4), 2); }

  static SmallVector<Value> load(Source &source, FragmentType type) {
    Emitter emit = source.emit;
    SmallVector<Value> registers(type.getRegisters());
    Value first;
    if (source.columns != 1) {
      Value pair = firstPair(emit);
      first = emit.add(emit.toI32(source.column), pair);
    }
    SmallVector<Value> rows = source.rowsFrom(source.rows == 1 ? Value() : emit.firstRow(), {0, kRowStep});
    SmallVector<SmallVector<Value>, 2> elements(2);
    for (int64_t j = 0; j < type.getColumns() / kColumnStep; ++j)
      for (int64_t half = 0; half < 2; ++half) {
        if (half == 1 && source.rows == 1)
          elements[1] = elements[0];
        else if (first || j == 0)
          elements[half] = source.load(rows[half], first ? emit.add(first, j * kColumnStep) : Value(), first ? 2 : 1);
        for (int64_t c = 0; c < 2; ++c)
          registers[4 * j + 2 * half + c] = elements[half][first ? c : 0];
      }
    return registers;
  }

  static SmallVector<Value> loadTransposed(Source &source, FragmentType type) {
    Emitter emit = source.emit;
    SmallVector<Value> registers(type.getRegisters());
    Value first;
    if (source.columns != 1) {
      Value row = emit.firstRow();
      first = emit.add(emit.toI32(source.column), row);
    }
    SmallVector<int64_t> offsets;
    for (int64_t j = 0; j < type.getColumns() / kColumnStep; ++j)
      for (int64_t c = 0; c < 2; ++c)
        offsets.push_back(j * kColumnStep + c);
    SmallVector<Value> rows = source.rowsFrom(source.rows == 1 ? Value() : firstPair(emit), offsets);
    SmallVector<Value, 2> elements(2);
    for (auto [k, row] : llvm::enumerate(rows))
      for (int64_t half = 0; half < 2; ++half) {
        if (half == 1 && !first)
          elements[1] = elements[0];
        else if (source.rows != 1 || k == 0)
          elements[half] = source.load(row, first ? emit.add(first, half * kRowStep) : Value(), 1).front();
        registers[4 * (k / 2) + 2 * half + k % 2] = elements[half];
      }
    return registers;
  }
};

/// map -> the body, for each register in turn, and what the rows' maxima are.
struct LowerMap : OpConversionPattern<MapOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(MapOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Block &body = op.getBody().front();
    // Of a fragment, if there is one: each of its registers is of one of the rows that scales have.
    int64_t count = 0;
    SmallVector<SmallVector<Value>> inputs;
    for (ValueRange registers : adaptor.getInputs())
      inputs.push_back(elementsOf(registers, rewriter, op.getLoc()));
    for (auto [type, registers] : llvm::zip_equal(op.getInputs().getTypes(), inputs))
      count = std::max(count, int64_t(registers.size()) / op.getArgumentsOf(type));
    IRMapping constants;
    for (Operation &inner : body)
      if (inner.hasTrait<OpTrait::ConstantLike>())
        rewriter.clone(inner, constants);
    SmallVector<Value> results;
    for (int64_t i = 0; i < count; ++i) {
      IRMapping mapping(constants);
      SmallVector<Value> arguments;
      for (auto [type, registers] : llvm::zip_equal(op.getInputs().getTypes(), inputs)) {
        auto scales = dyn_cast<ScalesType>(type);
        bool isSpread = scales && int64_t(registers.size()) != count;
        for (int64_t half = 0; half < op.getArgumentsOf(type); ++half)
          arguments.push_back(registers[isSpread ? scales.getRegisterOf(i) : half * count + i]);
      }
      mapping.map(body.getArguments(), arguments);
      for (Operation &inner : body.without_terminator())
        if (!inner.hasTrait<OpTrait::ConstantLike>())
          rewriter.clone(inner, mapping);
      results.push_back(mapping.lookup(cast<YieldOp>(body.getTerminator()).getValue()));
    }
    if (op.getMaxOfRows())
      results = largestOfRows({rewriter, op.getLoc()}, results);
    if (auto vector = dyn_cast<VectorType>(op.getType()))
      results = {vector::FromElementsOp::create(rewriter, op.getLoc(), vector, results)};
    rewriter.replaceOpWithMultiple(op, {results});
    return success();
  }

private:
  /// The registers of a fragment or of scales, and the elements of a vector, which is one value.
  static SmallVector<Value> elementsOf(ValueRange registers, OpBuilder &builder, Location loc) {
    if (registers.size() != 1 || !isa<VectorType>(registers.front().getType()))
      return registers;
    return vector::ToElementsOp::create(builder, loc, registers.front()).getElements();
  }

  /// Of the thread's two rows, whose elements four neighbouring lanes have.
  static SmallVector<Value> largestOfRows(Emitter emit, ValueRange registers) {
    SmallVector<Value> largest(2);
    auto include = [&](Value &largest, Value value) {
      largest = largest ? arith::MaximumFOp::create(emit.builder, emit.loc, largest, value).getResult() : value;
    };
    for (auto [i, value] : llvm::enumerate(registers))
      include(largest[i / 2 % 2], value);
    Value all = emit.i32(-1), clamp = emit.i32(kThreadsPerWarp - 1);
    for (int64_t distance : {1, 2}) {
      Value offset = emit.i32(distance);
      for (Value &ofRow : largest) {
        Value other = NVVM::ShflOp::create(emit.builder, emit.loc, emit.builder.getF32Type(), all, ofRow, offset, clamp,
                                           NVVM::ShflKind::bfly, UnitAttr());
        include(ofRow, other);
      }
    }
    return largest;
  }
};

/// A constant fragment, of equal elements, or such scales -> one f32 constant.
struct LowerConstant : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> registers;
    if (!isa<FragmentType, ScalesType>(op.getType()) || failed(typeConverter->convertType(op.getType(), registers)))
      return rewriter.notifyMatchFailure(op, "not a fragment");
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat)
      return op.emitOpError("expected a constant fragment of equal elements, such as dense<1.0>");
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(), splat.getSplatValue<FloatAttr>());
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>(registers.size(), scalar)});
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

/// put_scales of an accumulator's rows -> stores of the first of the four lanes that have a row.
struct LowerPutScalesOfRows : OpConversionPattern<PutScalesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(PutScalesOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.isOfAccumulator())
      return rewriter.notifyMatchFailure(op, "of a vector");
    Emitter emit{rewriter, op.getLoc()};
    auto type = cast<MemRefType>(op.getBuffer().getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset); // the operation verifies it
    Type f32 = rewriter.getF32Type();
    ValueRange buffer = adaptor.getBuffer();
    Value base = buffer.front();
    if (op.getGroup()) {
      Value distance = emit.mul(emit.toI64(adaptor.getGroup().front()), buffer[2]);
      base = emit.element(base, f32, distance);
    }
    Value first = emit.firstRow(), lane = emit.lane();
    emit.when(emit.equals(emit.rem(lane, 4), 0), [&] {
      for (auto [half, scale] : llvm::enumerate(adaptor.getValues())) {
        Value inFragment = emit.add(first, int64_t(half) * 8);
        emit.when(emit.lessThan(inFragment, emit.toI32(adaptor.getRows().front())), [&, scale = scale] {
          Value outer = emit.add(emit.toI32(adaptor.getRow().front()), inFragment);
          Value inner = emit.toI32(adaptor.getKBlock().front());
          if (strides.back() != 1)
            std::swap(outer, inner);
          Value distance = emit.mul(emit.toI64(outer), buffer[1]);
          Value address = emit.element(emit.element(base, f32, distance), f32, inner);
          LLVM::StoreOp::create(rewriter, op.getLoc(), scale, address, /*alignment=*/4);
        });
      }
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateFragmentPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerLoadMatrix, LowerPutScalesOfRows, LowerMap, LowerConstant, LowerElementwise>(converter, patterns.getContext());
}
