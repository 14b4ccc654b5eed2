// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "UniformValues.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// True if `value` is uniform whenever its definition's operands are; the caller then checks those.
static bool followsFromOperands(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) { // what a loop or a branch brings is not followed
    Block *block = cast<BlockArgument>(value).getOwner();
    return block->isEntryBlock() && isa<FunctionOpInterface, KernelOp>(block->getParentOp());
  }
  if (op->hasTrait<OpTrait::ConstantLike>() ||
      isa<gpu::BlockIdOp, gpu::BlockDimOp, gpu::GridDimOp, gpu::ClusterIdOp, gpu::ClusterDimOp, gpu::ClusterBlockIdOp,
          gpu::ClusterDimBlocksOp, RingCreateOp, TilesOp, memref::LoadOp, memref::DimOp>(op))
    return true;
  if (op->getNumRegions() != 0 || op->getNumOperands() == 0 || !isMemoryEffectFree(op))
    return false;
  StringRef dialect = op->getName().getDialectNamespace();
  return isa<ViewLikeOpInterface>(op) || dialect == "arith" || dialect == "index" || dialect == "math";
}

Value UniformValues::findDiffering(Value value) {
  llvm::SmallVector<Value> open{value};
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (!known.insert(next).second)
      continue;
    if (!followsFromOperands(next)) {
      known.clear(); // what led here is not known to be uniform
      return next;
    }
    if (Operation *op = next.getDefiningOp())
      llvm::append_range(open, op->getOperands());
  }
  return {};
}
