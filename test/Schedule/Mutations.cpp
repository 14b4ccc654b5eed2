// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ways to break a schedule.

#include "Mutations.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace fp8gemm::schedule {

namespace {

bool isNeeded(Operation *fence);

/// Drops an operation; a result is replaced by the operand that it would be without it.
bool drop(Operation *op) {
  if (isFence(op, FenceKind::wgmma) && !isNeeded(op))
    return false;
  if (auto advance = dyn_cast<RingAdvanceOp>(op))
    op->replaceAllUsesWith(ValueRange{advance.getStage(), advance.getPhase()});
  else if (auto wait = dyn_cast<MmaWaitOp>(op))
    wait.getResult().replaceAllUsesWith(wait.getPartial());
  else if (auto promote = dyn_cast<PromoteOp>(op))
    promote.getResult().replaceAllUsesWith(promote.getAcc());
  else if (isElementwise(op))
    op->getResult(0).replaceAllUsesWith(op->getOperands().back());
  if (!op->use_empty())
    return false;
  op->erase();
  return true;
}

bool duplicate(Operation *op) {
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  builder.clone(*op);
  return true;
}

/// The nearest operation of that name before `op` in its block, or after it.
Operation *find(Operation *op, StringRef name, bool before) {
  for (Operation *at = op; (at = before ? at->getPrevNode() : at->getNextNode());) {
    bool holds = nameOf(at) == name;
    // A store under a condition counts as one.
    if (!holds && isa<scf::IfOp>(at))
      at->walk([&](Operation *inner) { holds |= nameOf(inner) == name; });
    if (holds)
      return at;
  }
  return nullptr;
}

/// What moves before an operand's definition would be no IR.
bool moveBefore(Operation *op, StringRef name) {
  Operation *target = find(op, name, /*before=*/true);
  if (!target)
    return false;
  for (Value operand : op->getOperands())
    if (Operation *definition = operand.getDefiningOp())
      if (definition->getBlock() == op->getBlock() && !definition->isBeforeInBlock(target))
        return false;
  op->moveBefore(target);
  return true;
}

bool moveAfter(Operation *op, StringRef name) {
  Operation *target = find(op, name, /*before=*/false);
  if (!target || !op->use_empty() || (isFence(op, FenceKind::wgmma) && !isNeeded(op)))
    return false;
  op->moveAfter(target);
  return true;
}

bool setInteger(Operation *op, StringRef name, llvm::function_ref<int64_t(int64_t)> change) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  int64_t value = attribute ? attribute.getInt() : 0;
  if (change(value) == value)
    return false;
  op->setAttr(
      name, IntegerAttr::get(attribute ? attribute.getType() : IntegerType::get(op->getContext(), 32), change(value)));
  return true;
}

/// Gives a ring another type; its buffers stay what they are.
bool setRing(Operation *op, llvm::function_ref<RingType(RingType)> change) {
  auto create = cast<RingCreateOp>(op);
  RingType type = create.getRing().getType(), changed = change(type);
  if (changed == type)
    return false;
  create.getRing().setType(changed);
  return true;
}

RingType withReaders(RingType type, int64_t readers) {
  return RingType::get(type.getContext(), type.getStages(), type.getTma(), type.getWarps(), type.getNames(), readers,
                       type.getCluster());
}

RingType withCluster(RingType type, int64_t cluster) {
  return RingType::get(type.getContext(), type.getStages(), type.getTma(), type.getWarps(), type.getNames(),
                       type.getReaders(), cluster);
}

bool swapOperands(Operation *op, unsigned first) {
  Value x = op->getOperand(first), y = op->getOperand(first + 1);
  if (x == y)
    return false;
  op->setOperand(first, y);
  op->setOperand(first + 1, x);
  return true;
}

bool setOperandToConstant(Operation *op, unsigned number, int64_t value) {
  OpBuilder builder(op);
  op->setOperand(number, arith::ConstantIndexOp::create(builder, op->getLoc(), value));
  return true;
}

/// A role's loops run one iteration less.
bool shorten(Operation *op) {
  auto loop = cast<scf::ForOp>(op);
  bool accesses = false;
  for (Operation &inner : *loop.getBody())
    accesses |= isa<RingAcquireOp, RingWaitOp>(inner);
  if (!accesses)
    return false;
  OpBuilder builder(op);
  loop.setUpperBound(arith::SubIOp::create(builder, op->getLoc(), loop.getUpperBound(), loop.getStep()));
  return true;
}

bool flipPhase(Operation *op) {
  auto constant = cast<arith::ConstantOp>(op);
  if (!constant.getType().isInteger(1))
    return false;
  bool value = cast<IntegerAttr>(constant.getValue()).getValue().getBoolValue();
  constant.setValueAttr(BoolAttr::get(op->getContext(), !value));
  return true;
}

/// A fence between two products without an access to accumulators between them orders nothing: without it the
/// schedule is the same.
bool isNeeded(Operation *fence) {
  for (Operation *op = fence->getPrevNode(); op; op = op->getPrevNode()) {
    if (isa<MmaOp>(op))
      return false;
    if (accessesFragments(op) || isa<scf::ForOp>(op))
      return true;
  }
  return true;
}

/// The next kernel may start before this one has waited for the one before.
bool launchEarly(Operation *op) {
  OpBuilder builder(op);
  GriddepcontrolOp::create(builder, op->getLoc(), Dependence::launch_dependents);
  return true;
}

std::vector<Mutation> make() {
  std::vector<Mutation> all;
  addTileMutations(all);
  auto add = [&](StringRef op, StringRef what, std::function<bool(Operation *)> apply) {
    all.push_back({op.str(), what.str(), std::move(apply)});
  };
  for (StringRef op : {"arith.addf",
                       "hopper.ring.init",
                       "hopper.fence mbarrier_init",
                       "gpu.barrier",
                       "hopper.cluster_barrier",
                       "hopper.griddepcontrol wait",
                       "hopper.ring.commit",
                       "hopper.ring.release",
                       "hopper.ring.advance",
                       "hopper.tma_load",
                       "hopper.put_scales",
                       "hopper.fence wgmma",
                       "hopper.mma.wait",
                       "hopper.promote",
                       "hopper.named_barrier",
                       "hopper.fence async_shared",
                       "hopper.store_fragment",
                       "hopper.tma_store",
                       "hopper.tma_store.wait",
                       "hopper.store_rows",
                       "hopper.put_fragment",
                       "hopper.scan_groups",
                       "hopper.make_group_maps"})
    add(op, "dropped", drop);
  for (StringRef op :
       {"hopper.ring.init", "hopper.ring.commit", "hopper.ring.release", "hopper.tma_load", "hopper.ring.advance"})
    add(op, "twice", [](Operation *op) {
      if (auto advance = dyn_cast<RingAdvanceOp>(op)) {
        OpBuilder builder(op->getContext());
        builder.setInsertionPointAfter(op);
        auto second = RingAdvanceOp::create(builder, op->getLoc(), advance->getResultTypes(), advance.getRing(),
                                            advance.getNextStage(), advance.getNextPhase());
        for (auto [from, to] : llvm::zip_equal(op->getResults(), second->getResults()))
          from.replaceAllUsesExcept(to, second);
        return true;
      }
      return duplicate(op);
    });
  using Move = std::pair<StringRef, StringRef>;
  for (auto [op, target] :
       {Move{"hopper.ring.release", "hopper.mma.wait"}, Move{"hopper.ring.release", "hopper.load_scales"},
        Move{"hopper.ring.release", "hopper.load_fragment"}, Move{"hopper.ring.commit", "hopper.tma_load"},
        Move{"hopper.ring.commit", "hopper.put_scales"}, Move{"hopper.fence async_shared", "hopper.store_fragment"},
        Move{"hopper.named_barrier", "hopper.tma_store.wait"},
        Move{"hopper.named_barrier", "hopper.fence async_shared"}, Move{"gpu.barrier", "hopper.ring.init"},
        Move{"gpu.barrier", "hopper.fence mbarrier_init"}, Move{"gpu.barrier", "hopper.scan_groups"},
        Move{"hopper.fence mbarrier_init", "hopper.ring.init"},
        Move{"hopper.cluster_barrier", "hopper.fence mbarrier_init"},
        Move{"hopper.cluster_barrier", "hopper.put_fragment"}, Move{"hopper.cluster_barrier", "scf.for"},
        Move{"hopper.make_group_maps", "gpu.barrier"}, Move{"hopper.tma_store", "hopper.fence async_shared"},
        Move{"hopper.cluster_barrier", "hopper.reduce_fragments"}})
    add(op, ("before " + target).str(), [target = target.str()](Operation *op) { return moveBefore(op, target); });
  for (auto [op, target] :
       {Move{"hopper.fence wgmma", "hopper.mma"}, Move{"hopper.fence async_shared", "hopper.named_barrier"},
        Move{"hopper.named_barrier", "hopper.store_fragment"}, Move{"hopper.named_barrier", "hopper.tma_store"},
        Move{"hopper.named_barrier", "hopper.store_rows"}, Move{"hopper.tma_store.wait", "hopper.named_barrier"},
        Move{"hopper.griddepcontrol wait", "hopper.scan_groups"},
        Move{"hopper.griddepcontrol wait", "hopper.warp_specialize"}, Move{"hopper.scan_groups", "gpu.barrier"},
        Move{"hopper.make_group_maps", "hopper.cluster_barrier"}, Move{"hopper.put_fragment", "hopper.cluster_barrier"},
        Move{"hopper.ring.init", "hopper.fence mbarrier_init"}, Move{"hopper.fence mbarrier_init", "gpu.barrier"}})
    add(op, ("after " + target).str(), [target = target.str()](Operation *op) { return moveAfter(op, target); });

  add("hopper.named_barrier", "threads * 2",
      [](Operation *op) { return setInteger(op, "threads", [](int64_t n) { return 2 * n; }); });
  add("hopper.named_barrier", "threads / 2",
      [](Operation *op) { return setInteger(op, "threads", [](int64_t n) { return n / 2; }); });
  add("hopper.named_barrier", "id of another consumer", [](Operation *op) {
    return op->getParentOfType<WarpSpecializeOp>().getConsumers() > 1 && setOperandToConstant(op, 0, 1);
  });
  add("hopper.mma.wait", "pending + 1",
      [](Operation *op) { return setInteger(op, "pending", [](int64_t n) { return n + 1; }); });
  add("hopper.tma_store.wait", "pending + 1",
      [](Operation *op) { return setInteger(op, "pending", [](int64_t n) { return n + 1; }); });
  add("hopper.ring.create", "readers + 1", [](Operation *op) {
    return setRing(op, [](RingType type) { return withReaders(type, type.getReaders() + 1); });
  });
  add("hopper.ring.create", "readers - 1", [](Operation *op) {
    return setRing(op, [](RingType type) { return withReaders(type, std::max<int64_t>(type.getReaders() - 1, 1)); });
  });
  add("hopper.ring.create", "cluster * 2", [](Operation *op) {
    // A ring of each CTA's own may as well wait for the whole cluster.
    auto launch = op->getParentOfType<KernelOp>().getLaunchAttr();
    RingType ring = cast<RingCreateOp>(op).getRing().getType();
    return ring.getCluster() == launch.getCluster() &&
           setRing(op, [](RingType type) { return withCluster(type, 2 * type.getCluster()); });
  });
  add("hopper.ring.create", "cluster = 1",
      [](Operation *op) { return setRing(op, [](RingType type) { return withCluster(type, 1); }); });
  add("arith.constant", "phase flipped", flipPhase);
  add("arith.shrui", "one bit less", [](Operation *op) {
    auto bits = op->getOperand(1).getDefiningOp<arith::ConstantIntOp>();
    OpBuilder builder(op);
    op->setOperand(1, arith::ConstantIntOp::create(builder, op->getLoc(), bits.getType(), bits.value() - 1));
    return true;
  });
  add("scf.for", "one iteration less", shorten);
  add("hopper.tma_load", "row and column swapped", [](Operation *op) { return swapOperands(op, 1); });
  add("hopper.tma_load", "not multicast", [](Operation *op) { return bool(op->removeAttr("multicast")); });
  add("hopper.tma_store", "row and column swapped", [](Operation *op) { return swapOperands(op, 2); });
  add("hopper.tma_store", "adds, or no longer", [](Operation *op) {
    if (!op->removeAttr("add"))
      op->setAttr("add", UnitAttr::get(op->getContext()));
    return true;
  });
  add("hopper.fetch_scales", "per / 2",
      [](Operation *op) { return setInteger(op, "per", [](int64_t n) { return std::max<int64_t>(n / 2, 1); }); });
  add("hopper.scan_groups", "chunk * 2",
      [](Operation *op) { return setInteger(op, "chunk", [](int64_t n) { return 2 * n; }); });
  add("hopper.count_rows", "most / 2",
      [](Operation *op) { return setInteger(op, "most", [](int64_t n) { return n / 2; }); });
  add("hopper.store_rows", "all rows", [](Operation *op) { return setOperandToConstant(op, 0, 64); });
  add("hopper.reduce_fragments", "ranks - 1",
      [](Operation *op) { return setInteger(op, "ranks", [](int64_t n) { return n - 1; }); });
  add("hopper.griddepcontrol wait", "after launch_dependents", launchEarly);
  return all;
}

} // namespace

std::string nameOf(Operation *op) {
  StringRef name = op->getName().getStringRef();
  if (auto fence = dyn_cast<FenceOp>(op))
    return (name + " " + stringifyFenceKind(fence.getKind())).str();
  if (auto control = dyn_cast<GriddepcontrolOp>(op))
    return (name + " " + stringifyDependence(control.getKind())).str();
  return name.str();
}

const std::vector<Mutation> &mutations() {
  static const std::vector<Mutation> all = make();
  return all;
}

} // namespace fp8gemm::schedule
