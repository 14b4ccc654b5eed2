// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products in flight: partials, the groups that wgmma commits, and what they read.

#include "RingChecks.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// True if a wait between `mma` and `end`, of the same block, ensures that `mma` is
/// complete. Groups complete in order: pending <= the groups committed since.
static bool isCompleteAt(MmaOp mma, Operation *end) {
  int64_t newer = 0;
  for (Operation *op = mma->getNextNode(); op && op != end; op = op->getNextNode()) {
    if (isa<MmaOp>(op))
      ++newer;
    else if (auto wait = dyn_cast<MmaWaitOp>(op); wait && int64_t(wait.getPending()) <= newer)
      return true;
  }
  return false;
}

/// R15, R16: a partial is waited for once, in its block, by a wait that covers it.
static void checkPartial(MmaOp mma, Reporter &reporter) {
  MmaWaitOp wait;
  bool broken = false;
  for (Operation *user : getUsers(mma.getPartial())) {
    auto next = dyn_cast<MmaWaitOp>(user);
    if (next && next->getBlock() == mma->getBlock() && !wait) {
      wait = next;
      continue;
    }
    broken = true;
    auto error = reporter.report(user, 15);
    if (!next)
      error << "expected a partial in flight to be used only by hopper.mma.wait";
    else
      error << "expected a partial to be waited for once, in the block of its mma";
  }
  if (!wait && !broken)
    reporter.report(mma, 15) << "expected the partial to be waited for, got no hopper.mma.wait";
  if (!wait || isCompleteAt(mma, wait->getNextNode()))
    return;
  reporter.report(wait, 16, mma, "the partial")
      << "expected 'pending' to be at most the mma groups issued after the partial's, got " << wait.getPending();
}

/// R17: what reads a stage is complete when the stage is released.
static void checkReads(Value buffer, Operation *release, Reporter &reporter) {
  for (Operation *user : buffer.getUsers()) {
    // One in an inner block is complete at that block's end, by R15 and R16.
    if (auto mma = dyn_cast<MmaOp>(user); mma && mma->getBlock() == release->getBlock()) {
      if (mma->isBeforeInBlock(release) && !isCompleteAt(mma, release))
        reporter.report(release, 17, mma, "still in flight")
            << "expected every mma that reads the stage to be waited for before its release";
    } else if (isa<ViewLikeOpInterface>(user)) {
      for (Value view : user->getResults())
        checkReads(view, release, reporter);
    }
  }
}

namespace {
/// R18: whether a fence stands between the last access to accumulator registers and here.
struct Fenced {
  bool fenced = false;
  bool join(const Fenced &other) {
    bool changed = fenced && !other.fenced;
    fenced &= other.fenced;
    return changed;
  }
};
} // namespace

void fp8gemm::hopper::checkMmas(Kernel &kernel, Reporter &reporter) {
  Block *consumers = kernel.getBlock(Role::consumers);
  consumers->walk([&](Operation *op) {
    if (auto mma = dyn_cast<MmaOp>(op))
      checkPartial(mma, reporter);
    else if (auto release = dyn_cast<RingReleaseOp>(op))
      if (auto wait = release.getSlot().getDefiningOp<RingWaitOp>())
        for (Value buffer : wait.getBuffers())
          checkReads(buffer, release, reporter);
  });
  Fenced state;
  followPaths(*consumers, state, [&](Operation *op, Fenced &state) {
    if (isFence(op, FenceKind::wgmma))
      state.fenced = true;
    else if (accessesFragments(op))
      state.fenced = false;
    else if (isa<MmaOp>(op) && !state.fenced)
      reporter.report(op, 18) << "expected hopper.fence wgmma after the last access to accumulator registers, got none "
                                 "on some path";
  });
}
