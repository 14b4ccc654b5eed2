// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stages and phases, after hopper-assign-stages: every access takes the position
// that follows the access before it, along every path of its role.

#include "RingChecks.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// Where a position stands: `count` accesses after the point `base` (the role's
/// start, a loop's start or end, a condition's end).
struct Point {
  unsigned base = 0;
  int64_t count = 0;
  bool operator==(const Point &other) const { return base == other.base && count == other.count; }
};

/// The known facts about a stage or phase value.
struct Known {
  Point point;
  bool wrongStart = false; // it comes from a constant other than the role's first
  Value carrier;           // the loop's value it was computed from, if any
};

/// Follows one role's accesses to one ring.
class PositionChecker {
public:
  PositionChecker(Value ring, bool fills, Reporter &reporter) : ring(ring), fills(fills), reporter(reporter) {}

  void follow(Block &block) {
    for (Operation &op : block) {
      if (getAccessedRing(&op) == ring)
        checkAccess(&op);
      else if (auto advance = dyn_cast<RingAdvanceOp>(op))
        followAdvance(advance);
      else if (!accesses(&op))
        continue;
      else if (auto loop = dyn_cast<scf::ForOp>(op))
        followLoop(loop);
      else if (auto condition = dyn_cast<scf::IfOp>(op))
        followIf(condition);
      else
        reporter.report(&op, 22) << "expected accesses with positions to be nested only in scf.for and scf.if";
    }
  }

private:
  bool accesses(Operation *op) {
    return op
        ->walk([&](Operation *inner) {
          return getAccessedRing(inner) == ring ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  std::optional<Known> lookup(Value value) {
    if (auto it = known.find(value); it != known.end())
      return it->second;
    APInt constant;
    if (!matchPattern(value, m_ConstantInt(&constant)))
      return std::nullopt;
    // The role's first position is (0, true) for a filler, (0, false) for a reader.
    bool expected = value.getType().isIndex() ? constant.isZero() : constant.getBoolValue() == fills;
    return Known{Point(), !expected, Value()};
  }

  void checkAccess(Operation *op) {
    // The ring, then stage and phase.
    for (Value value : op->getOperands().drop_front()) {
      StringRef word = value.getType().isIndex() ? "stage" : "phase";
      std::optional<Known> found = lookup(value);
      if (!found) {
        auto advance = value.getDefiningOp<RingAdvanceOp>();
        reporter.report(op, 21) << "expected a " << word << " that was advanced along this ring, got one of "
                                << (advance && advance.getRing() != ring ? "another ring" : "unknown origin");
        continue;
      }
      if (found->wrongStart)
        reporter.report(op, 20) << "expected a "
                                << (fills ? "filler to start at stage 0, phase true"
                                          : "reader to start at stage 0, phase false")
                                << ", got another " << word;
      else if (found->point.base != current.base)
        reporter.report(op, 22)
            << "expected the " << word
            << " to be carried by the loops and conditions around the accesses, got one from outside";
      else if (found->point.count < current.count)
        reporter.report(op, 21) << "expected the " << word
                                << " to be advanced after every access, got that of an earlier one";
      else if (found->point.count > current.count)
        reporter.report(op, 21) << "expected the " << word << " to be advanced once after an access, got it advanced "
                                << found->point.count - current.count << " times more";
      if (found->carrier)
        users.insert({found->carrier, op});
    }
    ++current.count;
  }

  void followAdvance(RingAdvanceOp advance) {
    if (advance.getRing() != ring)
      return;
    for (auto [operand, result] : llvm::zip(advance->getOperands().drop_front(), advance->getResults())) {
      if (std::optional<Known> found = lookup(operand)) {
        ++found->point.count;
        known[result] = *found;
      }
    }
  }

  Point enter() { return current = Point{++bases, 0}; }

  void followLoop(scf::ForOp loop) {
    Point before = current;
    enter();
    for (auto [init, argument] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs())) {
      std::optional<Known> found = lookup(init);
      if (!found || !(argument.getType().isIndex() || argument.getType().isInteger(1)))
        continue;
      // One that is not the current position stays what it was, and is refused where it is used.
      known[argument] = found->point == before ? Known{current, found->wrongStart, argument} : *found;
    }
    follow(*loop.getBody());
    Point end = current;
    enter();
    for (auto [argument, yielded, result] :
         llvm::zip(loop.getRegionIterArgs(), loop.getYieldedValues(), loop.getResults())) {
      auto carried = known.find(argument);
      if (carried == known.end() || carried->second.carrier != argument)
        continue;
      std::optional<Known> found = lookup(yielded);
      if (found && found->point == end)
        known[result] = Known{current, carried->second.wrongStart, Value()};
      else if (Operation *user = users.lookup(argument))
        reporter.report(user, 22, loop.getBody()->getTerminator(), "yielded here")
            << "expected the loop to carry the position after its last access to this ring, got another";
    }
  }

  void followIf(scf::IfOp condition) {
    Point before = current;
    SmallVector<bool> passes(condition.getNumResults(), true);
    for (Region *region : {&condition.getThenRegion(), &condition.getElseRegion()}) {
      current = before;
      if (region->empty())
        continue;
      follow(region->front());
      for (auto [i, yielded] : llvm::enumerate(region->front().getTerminator()->getOperands())) {
        std::optional<Known> found = lookup(yielded);
        passes[i] = passes[i] && found && found->point == current;
      }
    }
    enter();
    for (auto [result, passed] : llvm::zip(condition.getResults(), passes))
      if (passed)
        known[result] = Known{current, false, Value()};
  }

  Value ring;
  bool fills;
  Reporter &reporter;
  Point current;
  unsigned bases = 0;
  llvm::DenseMap<Value, Known> known;
  llvm::DenseMap<Value, Operation *> users; // an access that used what a loop carries
};

bool hasPosition(Operation *op) { return op->getNumOperands() > 1; }

} // namespace

void fp8gemm::hopper::checkPositions(Kernel &kernel, Reporter &reporter) {
  for (RingCreateOp create : kernel.rings) {
    for (Role role : kRoles) {
      Block *block = kernel.getBlock(role);
      if (!block)
        continue;
      Operation *assigned = nullptr, *unassigned = nullptr;
      block->walk([&](Operation *op) {
        if (getAccessedRing(op) == create.getRing())
          (hasPosition(op) ? assigned : unassigned) = op;
      });
      if (assigned && unassigned)
        reporter.report(unassigned, 19, assigned, "this one does")
            << "expected all accesses of a role to a ring to say their position, or none";
      else if (assigned)
        PositionChecker(create.getRing(), role != Role::consumers, reporter).follow(*block);
    }
  }
}
