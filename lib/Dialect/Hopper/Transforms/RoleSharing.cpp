// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What consumer warpgroups have in common: staging, and named barriers.

#include "RingChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

static constexpr int64_t kThreadsPerWarpgroup = 128;

static std::optional<int64_t> evaluate(Value value, Value warpgroupArgument, int64_t warpgroup, unsigned depth) {
  constexpr unsigned kMostDepth = 8; // of what is written as a barrier's id or an offset
  if (value == warpgroupArgument)
    return warpgroup;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) || depth == kMostDepth)
    return std::nullopt;
  std::optional<int64_t> lhs = evaluate(op->getOperand(0), warpgroupArgument, warpgroup, depth + 1);
  std::optional<int64_t> rhs = evaluate(op->getOperand(1), warpgroupArgument, warpgroup, depth + 1);
  if (!lhs || !rhs)
    return std::nullopt;
  // Wrap-around as the hardware does.
  uint64_t l = *lhs, r = *rhs;
  return isa<arith::AddIOp>(op) ? l + r : isa<arith::SubIOp>(op) ? l - r : l * r;
}

std::optional<int64_t> fp8gemm::hopper::evaluate(Value value, Value warpgroupArgument, int64_t warpgroup) {
  return ::evaluate(value, warpgroupArgument, warpgroup, /*depth=*/0);
}

/// The staging that `op` writes or reads, null for other operations.
static Value getStaging(Operation *op) {
  if (auto write = dyn_cast<StoreFragmentOp>(op))
    return write.getStaging();
  if (auto store = dyn_cast<TmaStoreOp>(op))
    return store.getStaging();
  if (auto store = dyn_cast<StoreRowsOp>(op))
    return store.getStaging();
  return {};
}

/// Where a view begins in dimension `dim` of its source in consumer `warpgroup`; nothing if that isn't known.
static std::optional<int64_t> getOffset(memref::SubViewOp view, unsigned dim, Value warpgroupArgument,
                                        int64_t warpgroup) {
  OpFoldResult offset = view.getMixedOffsets()[dim];
  if (auto constant = dyn_cast<Attribute>(offset))
    return cast<IntegerAttr>(constant).getInt();
  return evaluate(cast<Value>(offset), warpgroupArgument, warpgroup);
}

/// True if warpgroup `warpgroupA` at `a` and `warpgroupB` at `b` surely touch different bytes.
static bool areApart(Value a, int64_t warpgroupA, Value b, int64_t warpgroupB, Value warpgroupArgument) {
  if (getRoot(a) != getRoot(b))
    return true;
  auto viewA = a.getDefiningOp<memref::SubViewOp>(), viewB = b.getDefiningOp<memref::SubViewOp>();
  if (!viewA || !viewB || viewA.getSource() != viewB.getSource() || !viewA.hasUnitStride() || !viewB.hasUnitStride())
    return false;
  for (unsigned dim = 0; dim < viewA.getStaticSizes().size(); ++dim) {
    int64_t sizeA = viewA.getStaticSizes()[dim], sizeB = viewB.getStaticSizes()[dim];
    std::optional<int64_t> offsetA = getOffset(viewA, dim, warpgroupArgument, warpgroupA);
    std::optional<int64_t> offsetB = getOffset(viewB, dim, warpgroupArgument, warpgroupB);
    if (offsetA && offsetB && !ShapedType::isDynamic(sizeA) && !ShapedType::isDynamic(sizeB) &&
        (*offsetA + sizeA <= *offsetB || *offsetB + sizeB <= *offsetA))
      return true;
  }
  return false;
}

bool fp8gemm::hopper::mayOverlap(Kernel &kernel, Value a, Value b) {
  for (int64_t warpgroup = 0; warpgroup < int64_t(kernel.roles.getConsumers()); ++warpgroup)
    if (!areApart(a, warpgroup, b, warpgroup, kernel.roles.getConsumer().getArgument(0)))
      return true;
  return false;
}

/// R40: R25 to R27 take a barrier to cover all who touch a staging. One of a warpgroup covers its own.
static void checkApart(Kernel &kernel, Reporter &reporter) {
  int64_t consumers = kernel.roles.getConsumers();
  SmallVector<Operation *> users;
  bool allShareBarriers = true;
  kernel.getBlock(Role::consumers)->walk([&](Operation *op) {
    if (getStaging(op))
      users.push_back(op);
    if (auto barrier = dyn_cast<NamedBarrierOp>(op))
      allShareBarriers &= int64_t(barrier.getThreads()) == kThreadsPerWarpgroup * consumers;
  });
  if (allShareBarriers)
    return;
  Value warpgroup = kernel.roles.getConsumer().getArgument(0);
  for (Operation *write : users) {
    if (!isa<StoreFragmentOp>(write))
      continue;
    for (Operation *other : users)
      for (int64_t a = 0; a < consumers; ++a)
        for (int64_t b = 0; b < consumers; ++b)
          if (a != b && !areApart(getStaging(write), a, getStaging(other), b, warpgroup))
            reporter.report(write, 40, other, "the other's access")
                << "expected warpgroups with barriers of their own to have staging of their own, got warpgroups "
                << std::min(a, b) << " and " << std::max(a, b) << " at one place";
  }
}

/// Values that may depend on `value`: through operands, and through what loops and conditions give on.
static llvm::DenseSet<Value> getDependents(Value value) {
  llvm::DenseSet<Value> dependents;
  SmallVector<Value> open{value};
  auto add = [&](ValueRange values) {
    for (Value each : values)
      if (dependents.insert(each).second)
        open.push_back(each);
  };
  add(value);
  while (!open.empty()) {
    for (Operation *user : open.pop_back_val().getUsers()) {
      add(user->getResults());
      for (Region &region : user->getRegions())
        if (!region.empty())
          add(region.getArguments());
      Operation *parent = user->getParentOp();
      if (!user->hasTrait<OpTrait::IsTerminator>() || isa<WarpSpecializeOp>(parent))
        continue;
      add(parent->getResults());
      for (Region &region : parent->getRegions())
        if (!region.empty())
          add(region.getArguments());
    }
  }
  return dependents;
}

/// R41: all who share a barrier come to it.
static void checkSharedBarriers(Kernel &kernel, Reporter &reporter) {
  SmallVector<NamedBarrierOp> shared;
  kernel.getBlock(Role::consumers)->walk([&](NamedBarrierOp barrier) {
    if (int64_t(barrier.getThreads()) > kThreadsPerWarpgroup)
      shared.push_back(barrier);
  });
  if (shared.empty())
    return;
  llvm::DenseSet<Value> dependents = getDependents(kernel.roles.getConsumer().getArgument(0));
  for (NamedBarrierOp barrier : shared)
    for (Operation *around = barrier->getParentOp(); around != kernel.roles.getOperation();
         around = around->getParentOp()) {
      unsigned decisive = isa<scf::ForOp>(around) ? 3 : around->getNumOperands(); // not what a loop carries
      if (llvm::any_of(around->getOperands().take_front(decisive),
                       [&](Value operand) { return dependents.contains(operand); }))
        reporter.report(barrier, 41, around, "this differs between warpgroups")
            << "expected a barrier that warpgroups share outside of what depends on the warpgroup's number";
    }
}

void fp8gemm::hopper::checkSharing(Kernel &kernel, Reporter &reporter) {
  checkApart(kernel, reporter);
  checkSharedBarriers(kernel, reporter);
}
