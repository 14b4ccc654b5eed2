// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What TableGen makes of the operations, and those without a file of their own.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

#define GET_OP_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperOps.cpp.inc"

LogicalResult NamedBarrierOp::verify() {
  if (static_cast<int32_t>(getThreads()) <= 0 || getThreads() % 32 != 0)
    return emitOpError() << "expected 'threads' to be a positive multiple of 32, got " << getThreads();
  APInt id;
  if (matchPattern(getId(), m_ConstantInt(&id)) && (id.slt(1) || id.sgt(15)))
    return emitOpError() << "expected 'id' to be in [1, 15], got " << id.getSExtValue();
  return success();
}
