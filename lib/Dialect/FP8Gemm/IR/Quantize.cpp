// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

#include "Verify.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

static ShapedType shapedType(Value value) { return cast<ShapedType>(value.getType()); }

int64_t QuantizeOp::getM() {
  int64_t m = shapedType(getX()).getDimSize(0);
  return ShapedType::isDynamic(m) ? shapedType(getQ()).getDimSize(0) : m;
}

int64_t QuantizeOp::getK() { return shapedType(getQ()).getDimSize(1); }

bool QuantizeOp::keepsPartOfScales() {
  int64_t stored = shapedType(getScales()).getDimSize(1);
  int64_t m = getM(), rows = ShapedType::isDynamic(m) ? m : llvm::divideCeil(m, getScale().getRows());
  return getScale().getLayout() == ScaleLayout::mn_major && (ShapedType::isDynamic(stored) || stored != rows);
}

void QuantizeOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

LogicalResult QuantizeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  for (unsigned result = 0; result < getNumResults(); ++result)
    shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getOperand(result + 1)));
  return success(!shapes.empty());
}

/// (Q8)
static LogicalResult verifyResultTypes(QuantizeOp op) {
  bool onTensors = !isa<MemRefType>(op.getX().getType());
  if (op.getNumResults() != (onTensors ? 2 : 0))
    return op.emitOpError("expected ") << (onTensors ? "2 results on tensors" : "no results on memrefs") << ", got "
                                       << op.getNumResults();
  for (auto [result, name, init] : llvm::zip(op.getResults(), ArrayRef<StringRef>{"q", "scales"},
                                             op->getOperands().drop_front()))
    if (result.getType() != init.getType())
      return op.emitOpError("expected the results to have the types of 'q' and 'scales', got ")
             << result.getType() << " for '" << name << "', " << init.getType();
  return success();
}

LogicalResult QuantizeOp::verify() {
  NamedOperand x{"x", shapedType(getX())}, q{"q", shapedType(getQ())}, scales{"scales", shapedType(getScales())};
  MLIRContext *context = getContext();
  Type f32 = Float32Type::get(context);
  if (failed(verifyKinds(*this, {x, q, scales})) || failed(verifyRanks(*this, {x, q, scales}, 2)) ||
      failed(verifyElement(*this, x, {BFloat16Type::get(context), Float16Type::get(context), f32})) ||
      failed(verifyElement(*this, q, {Float8E4M3FNType::get(context), Float8E5M2Type::get(context)})) ||
      failed(verifyElement(*this, scales, {f32})) || failed(verifyStatic(*this, x, 1, "K")) ||
      failed(verifyStatic(*this, q, 1, "K")))
    return failure();
  if (!mayAgree(x.size(0), q.size(0)) || x.size(1) != q.size(1) * (getGated() ? 2 : 1))
    return emitOpError("expected 'q' to have the shape of 'x'")
           << (getGated() ? ", but half of its columns (gated)" : "") << ", [" << extent(x.size(0)) << ", " << x.size(1)
           << "], got [" << extent(q.size(0)) << ", " << q.size(1) << "]";
  return failure(failed(verifyK(*this, getK())) || failed(verifySize(*this, "M", getM())) ||
                 failed(verifySize(*this, "columns of 'x'", x.size(1))) ||
                 failed(verifyBlock(*this, "scale", getScale(), {1, 128})) ||
                 failed(verifyStorage(*this, scales, "M", getM(), getK(), getScale())) ||
                 failed(verifyMatrixMemory(*this, x)) || failed(verifyMatrixMemory(*this, q)) ||
                 failed(verifyScaleMemory(*this, scales, getScale())) || failed(verifyResultTypes(*this)) ||
                 failed(verifyPrologue(*this)));
}
