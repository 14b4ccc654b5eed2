// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-assign-stages: gives every ring access its stage and phase.

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_ASSIGNSTAGESPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// What a role advances through: a ring, as a filler or as a reader.
enum class Side { reader, filler };
using Access = std::pair<Value, Side>;

struct Position {
  Value stage;
  Value phase;
};

/// The access that `op` makes, if it makes one.
std::optional<Access> getAccess(Operation *op) {
  if (auto acquire = dyn_cast<RingAcquireOp>(op))
    return Access{acquire.getRing(), Side::filler};
  if (auto wait = dyn_cast<RingWaitOp>(op))
    return Access{wait.getRing(), Side::reader};
  return std::nullopt;
}

bool hasPosition(Operation *op) {
  if (auto acquire = dyn_cast<RingAcquireOp>(op))
    return bool(acquire.getStage());
  return bool(cast<RingWaitOp>(op).getStage());
}

/// Threads the positions of one role through its region.
class RoleThreader {
public:
  RoleThreader(Region &role, RewriterBase &rewriter) : role(role), rewriter(rewriter) {}

  LogicalResult run() {
    if (failed(collect()))
      return failure();
    if (positions.empty())
      return success();
    rewriter.setInsertionPointToStart(&role.front());
    Location loc = role.getLoc();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    for (auto &[access, position] : positions)
      position = {zero, arith::ConstantOp::create(rewriter, loc, rewriter.getBoolAttr(access.second == Side::filler))};
    return thread(role.front());
  }

private:
  /// Finds the role's accesses, and leaves out those that have positions.
  LogicalResult collect() {
    llvm::MapVector<Access, Operation *> assigned;
    WalkResult result = role.walk([&](Operation *op) -> WalkResult {
      std::optional<Access> access = getAccess(op);
      if (!access)
        return WalkResult::advance();
      if (hasPosition(op))
        assigned.insert({*access, op});
      else
        positions.insert({*access, Position()});
      if (!assigned.count(*access) || !positions.count(*access))
        return WalkResult::advance();
      InFlightDiagnostic error = op->emitOpError()
                                 << "expected all accesses of a role to a ring to say their position, or none";
      error.attachNote(assigned[*access]->getLoc()) << "this one does";
      return error;
    });
    return failure(result.wasInterrupted());
  }

  /// The accesses to assign in `op` and its regions, in the order of `positions`.
  SmallVector<Access> getAccesses(Operation *op) {
    llvm::SmallDenseSet<Access> found;
    op->walk([&](Operation *inner) {
      if (std::optional<Access> access = getAccess(inner))
        found.insert(*access);
    });
    SmallVector<Access> accesses;
    for (auto &[access, position] : positions)
      if (found.contains(access))
        accesses.push_back(access);
    return accesses;
  }

  SmallVector<Value> getPositions(ArrayRef<Access> accesses) {
    SmallVector<Value> values;
    for (Access access : accesses)
      llvm::append_values(values, positions[access].stage, positions[access].phase);
    return values;
  }

  /// `values` ends with a stage and a phase for each of `accesses`.
  void setPositions(ArrayRef<Access> accesses, ValueRange values) {
    values = values.take_back(2 * accesses.size());
    for (auto [i, access] : llvm::enumerate(accesses))
      positions[access] = {values[2 * i], values[2 * i + 1]};
  }

  LogicalResult thread(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      SmallVector<Access> accesses = getAccesses(&op);
      if (accesses.empty())
        continue;
      if (getAccess(&op)) {
        assign(&op, accesses.front());
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        if (failed(threadLoop(loop, accesses)))
          return failure();
      } else if (auto condition = dyn_cast<scf::IfOp>(op)) {
        if (failed(threadIf(condition, accesses)))
          return failure();
      } else {
        InFlightDiagnostic error = emitWithoutRegions(&op);
        error << "expected ring accesses to be nested only in scf.for and scf.if";
        if (isa<ForTilesOp>(op))
          error << ": run hopper-expand-tiles first";
        return error;
      }
    }
    return success();
  }

  /// acquire, wait → the same at a position, then ring.advance
  void assign(Operation *op, Access access) {
    Position &position = positions[access];
    if (auto acquire = dyn_cast<RingAcquireOp>(op)) {
      acquire.getStageMutable().assign(position.stage);
      acquire.getPhaseMutable().assign(position.phase);
    } else {
      auto wait = cast<RingWaitOp>(op);
      wait.getStageMutable().assign(position.stage);
      wait.getPhaseMutable().assign(position.phase);
    }
    rewriter.setInsertionPointAfter(op);
    auto next = RingAdvanceOp::create(rewriter, op->getLoc(), access.first, position.stage, position.phase);
    position = {next.getNextStage(), next.getNextPhase()};
  }

  /// scf.for → scf.for that carries the positions after its own values
  LogicalResult threadLoop(scf::ForOp loop, ArrayRef<Access> accesses) {
    rewriter.setInsertionPoint(loop);
    FailureOr<LoopLikeOpInterface> replaced = loop.replaceWithAdditionalYields(
        rewriter, getPositions(accesses), /*replaceInitOperandUsesInLoop=*/false,
        [](OpBuilder &, Location, ArrayRef<BlockArgument> args) { return SmallVector<Value>(args); });
    if (failed(replaced))
      return emitWithoutRegions(loop) << "expected a loop that can carry positions";
    auto carrying = cast<scf::ForOp>(replaced->getOperation());
    setPositions(accesses, carrying.getRegionIterArgs());
    if (failed(thread(*carrying.getBody())))
      return failure();
    carrying.getBody()->getTerminator()->setOperands(carrying.getNumRegionIterArgs() - 2 * accesses.size(),
                                                     2 * accesses.size(), getPositions(accesses));
    setPositions(accesses, carrying.getResults());
    return success();
  }

  /// scf.if → scf.if that returns the positions after its own results
  LogicalResult threadIf(scf::IfOp condition, ArrayRef<Access> accesses) {
    SmallVector<Value> before = getPositions(accesses);
    SmallVector<Type> types(condition.getResultTypes());
    llvm::append_range(types, ValueRange(before).getTypes());
    rewriter.setInsertionPoint(condition);
    auto carrying = scf::IfOp::create(rewriter, condition.getLoc(), types, condition.getCondition(),
                                      /*addThenBlock=*/false, /*addElseBlock=*/false);
    carrying->setDiscardableAttrs(condition->getDiscardableAttrDictionary());
    carrying.getThenRegion().takeBody(condition.getThenRegion());
    carrying.getElseRegion().takeBody(condition.getElseRegion());
    if (carrying.getElseRegion().empty()) {
      rewriter.createBlock(&carrying.getElseRegion());
      scf::YieldOp::create(rewriter, condition.getLoc());
    }
    for (Region *region : {&carrying.getThenRegion(), &carrying.getElseRegion()}) {
      setPositions(accesses, before);
      if (failed(thread(region->front())))
        return failure();
      Operation *yield = region->front().getTerminator();
      yield->insertOperands(yield->getNumOperands(), getPositions(accesses));
    }
    rewriter.replaceOp(condition, carrying.getResults().take_front(condition.getNumResults()));
    setPositions(accesses, carrying.getResults());
    return success();
  }

  Region &role;
  RewriterBase &rewriter;
  llvm::MapVector<Access, Position> positions;
};

class AssignStages : public OnEach<KernelOp, fp8gemm::hopper::impl::AssignStagesPassBase<AssignStages>> {
  LogicalResult runOn(KernelOp func) override {
    IRRewriter rewriter(&getContext());
    WalkResult result = func.walk([&](Operation *op) -> WalkResult {
      if (getAccess(op) && !op->getParentOfType<WarpSpecializeOp>())
        return op->emitOpError() << "expected a ring access to be in a role of 'hopper.warp_specialize'";
      if (auto roles = dyn_cast<WarpSpecializeOp>(op))
        for (Region &role : roles->getRegions())
          if (!role.empty() && failed(RoleThreader(role, rewriter).run()))
            return WalkResult::interrupt();
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
