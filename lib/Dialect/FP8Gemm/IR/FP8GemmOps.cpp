// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

using namespace mlir;
using namespace fp8gemm;

#define GET_OP_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.cpp.inc"

int64_t GemmOp::getM() {
  return cast<ShapedType>(getA().getType()).getDimSize(0);
}

void GemmOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

LogicalResult GemmOp::verify() { return success(); }
