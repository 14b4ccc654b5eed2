// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stages that roles hold while they wait for others: no circle of roles may wait for each other.

#include "RingChecks.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// Follows the accesses of one role in the order in which they are written down.
class HoldChecker {
public:
  HoldChecker(ArrayRef<RingCreateOp> rings, Reporter &reporter) : reporter(reporter) {
    for (RingCreateOp ring : rings)
      spans[ring.getRing()] = 0;
  }

  void visit(Operation *op) {
    if (isa<RingCommitOp, RingReleaseOp>(op)) {
      Operation *maker = op->getOperand(0).getDefiningOp();
      llvm::erase_if(held, [&](const Held &each) { return each.access == maker; });
      return;
    }
    Value ring = getAccessedRing(op);
    if (!ring)
      return;
    int64_t number = accesses[ring]++;
    held.push_back({op, ring, number});
    for (const Held &each : held) {
      if (each.ring != ring) {
        reporter.report(op, 36, each.access, "still held")
            << "expected no stage of another ring to be held while a role waits for a stage";
      } else if (each.access->getBlock() != op->getBlock()) {
        // A loop might come round any number of times.
        reporter.report(op, 36, each.access, "still held")
            << "expected a stage to be waited for in the block of those that are held, got it in an inner one";
      } else {
        spans[ring] = std::max(spans[ring], number - each.number + 1);
      }
    }
  }

  /// Accesses to `ring` from the oldest that is held to the one that is waited for, at the most.
  int64_t getSpan(Value ring) { return spans.lookup(ring); }

private:
  struct Held {
    Operation *access;
    Value ring;
    int64_t number; // of the accesses of this role to this ring
  };

  Reporter &reporter;
  SmallVector<Held> held;
  llvm::DenseMap<Value, int64_t> accesses, spans;
};

} // namespace

/// With R24 and R35 all roles access rings in one order, and none holds one ring's stage while it waits for
/// another's. So a circle has one ring. Say the filler waits for the stage of its access f,
/// that the reader has not released since access f - S, and the reader waits for access r, that the filler has
/// not committed. So the filler has committed all before f - spanF + 1, and r is at least that; the reader
/// has released all before r - spanR + 1, and f - S is at least that. Both hold only if spanF + spanR >= S + 2.
void fp8gemm::hopper::checkHolds(Kernel &kernel, Reporter &reporter) {
  if (reporter.failed())
    return; // what is held is known of slots that are sound
  llvm::DenseMap<Value, int64_t> fillers, readers;
  for (Role role : kRoles) {
    Block *block = kernel.getBlock(role);
    if (!block)
      continue;
    HoldChecker checker(kernel.rings, reporter);
    block->walk<WalkOrder::PreOrder>([&](Operation *op) { checker.visit(op); });
    for (RingCreateOp ring : kernel.rings) {
      int64_t &span = (role == Role::consumers ? readers : fillers)[ring.getRing()];
      span = std::max(span, checker.getSpan(ring.getRing()));
    }
  }
  for (RingCreateOp ring : kernel.rings) {
    int64_t filler = fillers.lookup(ring.getRing()), reader = readers.lookup(ring.getRing());
    int64_t stages = ring.getRing().getType().getStages();
    if (filler + reader > stages + 1)
      reporter.report(ring, 36)
          << "expected the stages that a filler and a reader hold and wait for to be at most the ring's " << stages
          << " and one, got " << filler << " and " << reader;
  }
}
