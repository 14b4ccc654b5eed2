// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ThreadValues.h"

#include "ThreadArithmetic.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm::kernel;

StringRef fp8gemm::kernel::getName(Scope scope) {
  switch (scope) {
  case Scope::thread:
    return "thread";
  case Scope::warp:
    return "warp";
  case Scope::warpgroup:
    return "warpgroup";
  case Scope::cta:
    return "CTA";
  }
  return "";
}

ThreadValues::ThreadValues(LLVM::LLVMFuncOp kernel) : threads(kMaxThreads) {
  if (auto most = kernel->getAttrOfType<DenseI32ArrayAttr>("nvvm.maxntid"); most && most.size() > 0)
    threads = std::clamp<int64_t>(most[0], 1, kMaxThreads);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static uint64_t cutTo(uint64_t value, unsigned width) { return value & llvm::maskTrailingOnes<uint64_t>(width); }

std::optional<ThreadValues::PerThread> ThreadValues::evaluate(Operation *op) {
  if (isa<NVVM::ThreadIdXOp>(op)) {
    PerThread identity(threads);
    std::iota(identity.begin(), identity.end(), 0);
    return identity;
  }
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return constant.getBitWidth() > 64
               ? std::nullopt
               : std::optional(
                     PerThread{int64_t(cutTo(constant.getZExtValue(), getWidth(op->getResult(0).getType())))});
  auto shuffle = dyn_cast<NVVM::ShflOp>(op);
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIntOrIndex() ||
      !(shuffle || isa<arith::ArithDialect>(op->getDialect())))
    return std::nullopt;
  SmallVector<const PerThread *> operands;
  size_t size = 1;
  for (Value operand : op->getOperands()) {
    operands.push_back(operand.getType().isIntOrIndex() ? getValues(operand) : nullptr);
    if (!operands.back())
      return std::nullopt;
    size = std::max(size, operands.back()->size());
  }
  auto at = [](const PerThread &values, size_t thread) { return values[values.size() == 1 ? 0 : thread]; };
  PerThread results(size);
  if (shuffle) { // (mask, value, source, clamp)
    if (shuffle.getKind() != NVVM::ShflKind::idx || shuffle.getReturnValueAndIsValid())
      return std::nullopt;
    for (size_t thread = 0; thread < size; ++thread) {
      size_t source = thread / kThreadsPerWarp * kThreadsPerWarp + at(*operands[2], thread) % kThreadsPerWarp;
      results[thread] = at(*operands[1], std::min(source, size - 1));
    }
    return results;
  }
  ThreadFunction function = getThreadFunction(op);
  unsigned width = getWidth(op->getResult(0).getType());
  if (!function || width > 64)
    return std::nullopt;
  std::array<uint64_t, 3> in; // a select has the most operands
  for (size_t thread = 0; thread < size; ++thread) {
    for (auto [i, operand] : llvm::enumerate(operands))
      in[i] = at(*operand, thread);
    results[thread] = cutTo(function(in.data()), width);
  }
  return results;
}

const SmallVector<int64_t> *ThreadValues::getValues(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  auto it = values.find(value);
  if (it == values.end()) {
    auto known = std::make_unique<std::optional<PerThread>>(evaluate(op));
    it = values.try_emplace(value, std::move(known)).first;
  }
  std::optional<PerThread> &known = *it->second;
  return known ? &*known : nullptr;
}

std::optional<int64_t> ThreadValues::getValue(Value value, int64_t thread) {
  const PerThread *known = getValues(value);
  if (!known)
    return std::nullopt;
  return llvm::SignExtend64((*known)[known->size() == 1 ? 0 : thread], getWidth(value.getType()));
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

namespace {
/// The scope of a value: max(atLeast, min(inputs, atMost)).
struct Origin {
  Scope atLeast = Scope::thread, atMost = Scope::cta;
  SmallVector<Value> inputs;
};
} // namespace

static Value getYielded(Region &region, unsigned index) { return region.front().getTerminator()->getOperand(index); }

static Origin getOriginOfArgument(BlockArgument argument) {
  Operation *parent = argument.getOwner()->getParentOp();
  unsigned index = argument.getArgNumber();
  if (isa<LLVM::LLVMFuncOp>(parent))
    return {};
  if (auto loop = dyn_cast<scf::ForOp>(parent)) {
    if (index == 0)
      return {Scope::thread, Scope::cta, {loop.getLowerBound(), loop.getStep()}};
    return {Scope::thread, Scope::cta, {loop.getInitArgs()[index - 1], loop.getYieldedValues()[index - 1]}};
  }
  if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
    if (argument.getOwner() == loop.getAfterBody())
      return {Scope::thread, Scope::cta, {loop.getConditionOp().getArgs()[index]}};
    return {Scope::thread, Scope::cta, {loop.getInits()[index], getYielded(loop.getAfter(), index)}};
  }
  return {Scope::thread, Scope::thread, {}};
}

static Origin getOrigin(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return getOriginOfArgument(argument);
  Operation *op = value.getDefiningOp();
  unsigned index = cast<OpResult>(value).getResultNumber();
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return {
        Scope::thread,
        Scope::cta,
        {branch.getCondition(), getYielded(branch.getThenRegion(), index), getYielded(branch.getElseRegion(), index)}};
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return {Scope::thread,
            Scope::cta,
            {loop.getInitArgs()[index], loop.getYieldedValues()[index], loop.getLowerBound(), loop.getUpperBound(),
             loop.getStep()}};
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    scf::ConditionOp condition = loop.getConditionOp();
    return {Scope::thread, Scope::cta, {condition.getArgs()[index], condition.getCondition()}};
  }
  if (isa<NVVM::BlockIdXOp, NVVM::BlockDimXOp, NVVM::GridDimXOp, NVVM::ClusterIdXOp, NVVM::ClusterDimXOp,
          NVVM::ClusterDimBlocksXOp, NVVM::BlockInClusterIdXOp>(op))
    return {};
  if (auto shuffle = dyn_cast<NVVM::ShflOp>(op)) {
    APInt lane;
    bool fromOne = shuffle.getKind() == NVVM::ShflKind::idx && matchPattern(shuffle.getOffset(), m_ConstantInt(&lane));
    return {fromOne ? Scope::warp : Scope::thread, Scope::cta, {shuffle.getVal()}};
  }
  if (auto vote = dyn_cast<NVVM::VoteSyncOp>(op))
    return {Scope::warp, Scope::cta, {vote.getPred()}};
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    bool plain = !load.getVolatile_() && load.getOrdering() == LLVM::AtomicOrdering::not_atomic;
    return {Scope::thread, plain ? Scope::cta : Scope::thread, {load.getAddr()}};
  }
  // Arithmetic: the same of the same.
  bool isKnown = isa<arith::ArithDialect, LLVM::LLVMDialect>(op->getDialect()) || isa<NVVM::MapaOp>(op);
  if (isKnown && op->getNumRegions() == 0 && isMemoryEffectFree(op))
    return {Scope::thread, Scope::cta, SmallVector<Value>(op->getOperands())};
  return {Scope::thread, Scope::thread, {}};
}

Scope ThreadValues::getScopeOf(const PerThread &known) const {
  Scope scope = Scope::cta;
  for (size_t thread = 1; thread < known.size(); ++thread) {
    if (known[thread] == known[thread - 1])
      continue;
    scope = std::min(scope, thread % kThreadsPerWarpgroup == 0 ? Scope::warpgroup
                            : thread % kThreadsPerWarp == 0    ? Scope::warp
                                                               : Scope::thread);
  }
  return scope;
}

/// Values of loops depend on themselves: all are taken for the best there is until that contradicts
/// what they are computed from.
Scope ThreadValues::getScope(Value value) {
  if (auto it = scopes.find(value); it != scopes.end())
    return it->second;
  llvm::SetVector<Value> open;
  SmallVector<Origin> origins;
  open.insert(value);
  for (size_t i = 0; i < open.size(); ++i) {
    const PerThread *known = open[i].getType().isIntOrIndex() ? getValues(open[i]) : nullptr;
    Origin origin;
    if (known)
      origin.atMost = getScopeOf(*known);
    else
      origin = getOrigin(open[i]);
    if (origin.atMost == Scope::thread)
      origin.inputs.clear();
    for (Value input : origin.inputs)
      if (!scopes.contains(input))
        open.insert(input);
    origins.push_back(std::move(origin));
  }
  for (Value each : open)
    scopes[each] = Scope::cta;
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [each, origin] : llvm::zip_equal(open, origins)) {
      Scope scope = origin.atMost;
      for (Value input : origin.inputs)
        scope = std::min(scope, scopes.lookup(input));
      scope = std::max(scope, origin.atLeast);
      changed |= scope != scopes[each];
      scopes[each] = scope;
    }
  }
  return scopes[value];
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

const llvm::BitVector &ThreadValues::getActive(Block *block) {
  if (auto it = active.find(block); it != active.end())
    return *it->second;
  Operation *parent = block->getParentOp();
  auto mine = std::make_unique<llvm::BitVector>(threads, true);
  if (!isa<LLVM::LLVMFuncOp>(parent)) {
    *mine = getActive(parent->getBlock());
    auto branch = dyn_cast<scf::IfOp>(parent);
    if (const PerThread *condition = branch ? getValues(branch.getCondition()) : nullptr) {
      bool isThen = block->getParent() == &branch.getThenRegion();
      for (int64_t thread = 0; thread < threads; ++thread)
        if (bool((*condition)[condition->size() == 1 ? 0 : thread]) != isThen)
          mine->reset(thread);
    }
  }
  return *(active[block] = std::move(mine));
}

Scope ThreadValues::getControl(Operation *op) {
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return getScope(branch.getCondition());
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return std::min({getScope(loop.getLowerBound()), getScope(loop.getUpperBound()), getScope(loop.getStep())});
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return getScope(loop.getConditionOp().getCondition());
  return Scope::thread; // unknown
}

Operation *ThreadValues::getDivergence(Block *block, Scope scope) {
  for (Operation *op = block->getParentOp(); op && !isa<LLVM::LLVMFuncOp>(op); op = op->getParentOp())
    if (getControl(op) < scope)
      return op;
  return nullptr;
}
