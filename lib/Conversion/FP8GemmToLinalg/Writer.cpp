// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Writer.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using fp8gemm::linalg_conversion::Window;
using fp8gemm::linalg_conversion::Writer;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value Writer::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value Writer::value(OpFoldResult index) { return getValueOrCreateConstantIndexOp(*this, getLoc(), index); }

Value Writer::clamp(Value index, OpFoldResult last) {
  return smaller(arith::MaxSIOp::create(*this, index, this->index(0)), last);
}

Value Writer::smaller(Value lhs, OpFoldResult rhs) { return arith::MinSIOp::create(*this, lhs, value(rhs)); }

Value Writer::add(Value lhs, Value rhs) { return arith::AddIOp::create(*this, lhs, rhs); }

Value Writer::subtract(OpFoldResult lhs, Value rhs) { return arith::SubIOp::create(*this, value(lhs), rhs); }

Value Writer::multiply(Value lhs, OpFoldResult rhs) { return arith::MulIOp::create(*this, lhs, value(rhs)); }

Value Writer::divideCeil(Value index, int64_t divisor) {
  return arith::CeilDivSIOp::create(*this, index, this->index(divisor));
}

Value Writer::compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
  return arith::CmpIOp::create(*this, predicate, lhs, rhs);
}

Value Writer::select(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(*this, condition, yes, no);
}

OpFoldResult Writer::size(Value shaped, unsigned dim) {
  int64_t size = cast<ShapedType>(shaped.getType()).getDimSize(dim);
  if (!ShapedType::isDynamic(size))
    return getIndexAttr(size);
  if (onTensors)
    return tensor::DimOp::create(*this, shaped, dim).getResult();
  return memref::DimOp::create(*this, shaped, dim).getResult();
}

Value Writer::load(Value description, Value at) {
  Value entry = onTensors ? tensor::ExtractOp::create(*this, description, at).getResult()
                          : memref::LoadOp::create(*this, description, at).getResult();
  return arith::IndexCastOp::create(*this, getIndexType(), entry);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

SmallVector<Value> Writer::results(Value d, Value sfd) {
  if (!onTensors)
    return {};
  return sfd ? SmallVector<Value>{d, sfd} : SmallVector<Value>{d};
}

Value Writer::temporary(ArrayRef<OpFoldResult> sizes) {
  if (onTensors)
    return tensor::EmptyOp::create(*this, sizes, getF32Type());
  auto [shape, dynamic] = decomposeMixedValues(sizes);
  return memref::AllocOp::create(*this, MemRefType::get(shape, getF32Type()), dynamic);
}

void Writer::free(Value value) {
  if (!onTensors)
    memref::DeallocOp::create(*this, value);
}

Value Writer::slice(Value source, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  return slice(source, Window{SmallVector<OpFoldResult>(offsets), SmallVector<OpFoldResult>(sizes),
                              static_cast<unsigned>(sizes.size())});
}

Value Writer::slice(Value source, const Window &window) {
  auto [offsets, sizes, rank] = window;
  SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
  if (onTensors) {
    auto type = tensor::ExtractSliceOp::inferCanonicalRankReducedResultType(
        rank, cast<RankedTensorType>(source.getType()), sizes);
    return tensor::ExtractSliceOp::create(*this, type, source, offsets, sizes, strides);
  }
  SmallVector<int64_t> shape = decomposeMixedValues(ArrayRef(sizes).take_back(rank)).first;
  auto type =
      memref::SubViewOp::inferRankReducedResultType(shape, cast<MemRefType>(source.getType()), offsets, sizes, strides);
  return memref::SubViewOp::create(*this, type, source, offsets, sizes, strides);
}

Value Writer::insert(Value part, Value whole, const Window &window) {
  if (!onTensors)
    return whole;
  SmallVector<OpFoldResult> strides(window.offsets.size(), getIndexAttr(1));
  return tensor::InsertSliceOp::create(*this, part, whole, window.offsets, window.sizes, strides);
}

Value Writer::matrix(Value elements, int64_t rows, OpFoldResult columns) {
  SmallVector<OpFoldResult> sizes{getIndexAttr(rows), columns};
  SmallVector<int64_t> shape = decomposeMixedValues(sizes).first;
  SmallVector<ReassociationIndices> oneToTwo{{0, 1}};
  if (onTensors) {
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(elements));
    return tensor::ExpandShapeOp::create(*this, type, elements, oneToTwo, sizes);
  }
  return memref::ExpandShapeOp::create(*this, shape, elements, oneToTwo, sizes);
}

//===----------------------------------------------------------------------===//
// linalg and scf
//===----------------------------------------------------------------------===//

Value Writer::fillZero(Value output) {
  Value zero = arith::ConstantOp::create(*this, getF32FloatAttr(0.0f));
  auto fill = linalg::FillOp::create(*this, zero, output);
  return onTensors ? fill.getResult(0) : output;
}

Value Writer::generic(ValueRange inputs, Value output, ArrayRef<AffineMap> maps,
                      ArrayRef<utils::IteratorType> iterators,
                      function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
  auto generic = linalg::GenericOp::create(*this, onTensors ? TypeRange(output.getType()) : TypeRange(), inputs, output,
                                           maps, iterators, [&](OpBuilder &builder, Location loc, ValueRange elements) {
                                             ImplicitLocOpBuilder b(loc, builder);
                                             linalg::YieldOp::create(b, body(b, elements));
                                           });
  return onTensors ? generic.getResult(0) : output;
}

Value Writer::loop(OpFoldResult count, Value state, function_ref<Value(Value, Value)> body) {
  Value from = index(0), to = value(count);
  if (onTensors)
    return reduce(from, to, state, body);
  Value step = index(1);
  auto loop = scf::ForOp::create(*this, from, to, step);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  return body(loop.getInductionVar(), state);
}

Value Writer::reduce(Value first, Value last, Value state, function_ref<Value(Value, Value)> body) {
  Value step = index(1);
  auto loop = scf::ForOp::create(*this, first, last, step, state);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(*this, body(loop.getInductionVar(), loop.getRegionIterArg(0)));
  return loop.getResult(0);
}

Value Writer::when(Value condition, Value state, function_ref<Value()> body) {
  auto branch = scf::IfOp::create(*this, onTensors ? TypeRange(state.getType()) : TypeRange(), condition,
                                  /*withElseRegion=*/onTensors);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  Value next = body();
  if (!onTensors)
    return next;
  scf::YieldOp::create(*this, next);
  setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(*this, state);
  return branch.getResult(0);
}
