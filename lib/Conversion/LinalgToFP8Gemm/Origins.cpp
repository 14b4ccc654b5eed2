// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Origins.h"

#include "Factors.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace fp8gemm::raising {

void Origins::add(Value value) {
  if (value && isa<FloatType>(getElementTypeOrSelf(value.getType())) && found.insert(value).second)
    pending.push_back(value);
}

/// The value that an operand of a terminator becomes after it.
void Origins::addYielded(OpOperand &use) {
  Operation *yield = use.getOwner();
  unsigned index = use.getOperandNumber();
  if (auto branch = dyn_cast<BranchOpInterface>(yield))
    if (std::optional<BlockArgument> argument = branch.getSuccessorBlockArgument(index))
      add(*argument);
  Operation *parent = yield->getParentOp();
  if (!parent || !isa<RegionBranchOpInterface>(parent))
    return;
  bool isOneToOne = parent->getNumResults() == yield->getNumOperands();
  for (OpResult result : parent->getResults())
    if (!isOneToOne || result.getResultNumber() == index)
      add(result);
  if (auto loop = dyn_cast<LoopLikeOpInterface>(parent))
    for (BlockArgument argument : loop.getRegionIterArgs())
      if (!isOneToOne || argument.getArgNumber() - loop.getRegionIterArgs().front().getArgNumber() == index)
        add(argument);
}

/// An argument of a function below the root, where it is called with `use`.
void Origins::addArgument(CallOpInterface call, OpOperand &use) {
  auto callee = dyn_cast_if_present<CallableOpInterface>(call.resolveCallableInTable(&symbols));
  if (!callee || !root->isProperAncestor(callee) || !callee.getCallableRegion())
    return;
  for (auto [operand, argument] : llvm::zip(call.getArgOperandsMutable(), callee.getCallableRegion()->getArguments()))
    if (&operand == &use)
      add(argument);
}

void Origins::addUse(OpOperand &use) {
  Operation *op = use.getOwner();
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (isa<ProductOpInterface>(op) || (structured && structured.getNumReductionLoops() != 0))
    return;
  if (auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(op))
    return add(insert.getTiedOpResult());
  if (op->hasTrait<OpTrait::IsTerminator>())
    return addYielded(use);
  auto loop = dyn_cast<LoopLikeOpInterface>(op);
  if (loop && loop.getTiedLoopRegionIterArg(&use)) {
    add(loop.getTiedLoopRegionIterArg(&use));
    return add(loop.getTiedLoopResult(&use));
  }
  if (auto call = dyn_cast<CallOpInterface>(op))
    addArgument(call, use);
  for (Value result : op->getResults())
    add(result);
  if (!structured)
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          add(argument);
  // All readers of this buffer see the stored values.
  if (auto effects = dyn_cast<MemoryEffectOpInterface>(op)) {
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &instance : instances)
      if (isa<MemoryEffects::Write>(instance.getEffect()))
        add(instance.getValue());
  }
}

Origins::Origins(Operation *root) : root(root) {
  auto addNarrow = [&](Value value) {
    if (isF8(getElementTypeOrSelf(value.getType())))
      add(value);
  };
  root->walk([&](Operation *op) {
    llvm::for_each(op->getResults(), addNarrow);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), addNarrow);
  });
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (auto view = value.getDefiningOp<ViewLikeOpInterface>(); view && isa<BaseMemRefType>(value.getType()))
      add(view.getViewSource());
    for (OpOperand &use : value.getUses())
      addUse(use);
  }
}

} // namespace fp8gemm::raising
