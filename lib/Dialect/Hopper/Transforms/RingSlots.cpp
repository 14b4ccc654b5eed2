// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slots, their buffers, and what fills the buffers.

#include "RingChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace fp8gemm::hopper;

Value fp8gemm::hopper::getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

namespace {

/// One acquire or wait.
struct Slot {
  Operation *maker;
  Value slot;
  ValueRange buffers;
  bool fills;

  static std::optional<Slot> get(Operation *op) {
    if (auto acquire = dyn_cast<RingAcquireOp>(op))
      return Slot{op, acquire.getSlot(), acquire.getBuffers(), true};
    if (auto wait = dyn_cast<RingWaitOp>(op))
      return Slot{op, wait.getSlot(), wait.getBuffers(), false};
    return std::nullopt;
  }
  StringRef getEnd() const { return fills ? "hopper.ring.commit" : "hopper.ring.release"; }
};

bool isAfter(Operation *op, Operation *end) {
  Operation *ancestor = end->getBlock()->findAncestorOpInBlock(*op);
  return ancestor && end->isBeforeInBlock(ancestor);
}

/// R8: consumed once, by the right word, in the block that made it. Returns the
/// consumer, null if the rule is broken.
Operation *checkConsumed(const Slot &slot, Reporter &reporter) {
  Operation *end = nullptr;
  bool broken = false;
  for (Operation *user : getUsers(slot.slot)) {
    if (isa<TmaLoadOp>(user))
      continue;
    bool matches = slot.fills ? isa<RingCommitOp>(user) : isa<RingReleaseOp>(user);
    if (!matches) {
      reporter.report(user, 8) << "expected the slot of '" << slot.maker->getName() << "' to be consumed by '"
                               << slot.getEnd() << "', got another use";
    } else if (user->getBlock() != slot.maker->getBlock()) {
      reporter.report(user, 8, slot.maker, "made here") << "expected the slot to be consumed in the block that made it";
    } else if (end) {
      Operation *second = end->isBeforeInBlock(user) ? user : end;
      reporter.report(second, 8) << "expected the slot to be consumed once, got a second time";
    } else {
      end = user;
      continue;
    }
    broken = true;
  }
  if (!end && !broken)
    reporter.report(slot.maker, 8) << "expected the slot to be consumed by '" << slot.getEnd() << "', got none";
  return broken ? nullptr : end;
}

/// R10: the buffer and its views are used before the end, and stay in the block.
void checkBufferUses(const Slot &slot, Value buffer, Operation *end, Reporter &reporter) {
  for (Operation *user : buffer.getUsers()) {
    if (user->hasTrait<OpTrait::IsTerminator>() || user->getNumRegions() != 0) {
      reporter.report(user, 10) << "expected the buffers of a slot to be used where it was made, got them passed on";
    } else if (isAfter(user, end)) {
      reporter.report(user, 10, end, "the slot ends here")
          << "expected the buffers of a slot to be used before its '" << slot.getEnd() << "', got a use after it";
    } else if (auto view = dyn_cast<ViewLikeOpInterface>(user)) {
      for (Value result : user->getResults())
        checkBufferUses(slot, result, end, reporter);
    }
  }
}

/// The buffer that a load fills whole: its own, or with `multicast` the one that it loads
/// this CTA's share of (rank * rows .. of rows * cluster); null for another part.
Value getFilled(TmaLoadOp load) {
  if (!load.getMulticast())
    return load.getBuffer();
  auto share = load.getBuffer().getDefiningOp<memref::SubViewOp>();
  auto acquire = load.getSlot().getDefiningOp<RingAcquireOp>();
  if (!share || !acquire)
    return {};
  int64_t cluster = acquire.getRing().getType().getCluster(), rows = share.getType().getDimSize(0);
  SmallVector<int64_t> whole(share.getType().getShape());
  whole.front() *= cluster;
  auto first = share.getMixedOffsets().front().dyn_cast<Value>();
  auto product = first ? first.getDefiningOp<arith::MulIOp>() : arith::MulIOp();
  bool isShare = product && product.getLhs().getDefiningOp<gpu::ClusterBlockIdOp>() &&
                 getConstantIntValue(product.getRhs()) == rows && share.getSourceType().getShape() == ArrayRef(whole);
  return isShare ? share.getSource() : Value();
}

Value getFilled(PutScalesOp put) { return put.getBuffer(); }

/// Rows of a buffer that a write to `filled` fills: all, or those of a view of whole rows at a constant place.
std::optional<std::pair<int64_t, int64_t>> rowsFilled(Value filled, Value buffer) {
  ArrayRef<int64_t> shape = cast<MemRefType>(buffer.getType()).getShape();
  if (filled == buffer)
    return std::pair(int64_t(0), shape.front());
  auto view = filled ? filled.getDefiningOp<memref::SubViewOp>() : memref::SubViewOp();
  if (!view || view.getSource() != buffer || view.getStaticSizes().drop_front() != shape.drop_front() ||
      !llvm::all_of(view.getStaticOffsets().drop_front(), [](int64_t offset) { return offset == 0; }))
    return std::nullopt;
  int64_t first = view.getStaticOffsets().front(), rows = view.getStaticSizes().front();
  if (ShapedType::isDynamic(first) || ShapedType::isDynamic(rows))
    return std::nullopt;
  return std::pair(first, rows);
}

/// R11, R13: each row of each buffer is written once between acquire and commit.
template <typename WriteOp>
void checkFilled(const Slot &slot, Operation *end, unsigned rule, StringRef word, Reporter &reporter) {
  for (auto [index, buffer] : llvm::enumerate(slot.buffers)) {
    const int64_t all = cast<MemRefType>(buffer.getType()).getDimSize(0);
    SmallVector<std::pair<int64_t, int64_t>> written; // first and count
    int64_t count = 0;
    for (Operation &op : llvm::make_range(slot.maker->getIterator(), end->getIterator())) {
      auto write = dyn_cast<WriteOp>(op);
      auto rows = write ? rowsFilled(getFilled(write), buffer) : std::nullopt;
      if (!rows)
        continue;
      bool isSecond = llvm::any_of(written, [&](std::pair<int64_t, int64_t> other) {
        return rows->first < other.first + other.second && other.first < rows->first + rows->second;
      });
      if (isSecond)
        reporter.report(write, rule) << "expected a buffer to be " << word
                                     << " once before the commit, got a second time";
      written.push_back(*rows);
      count += rows->second;
    }
    if (written.empty())
      reporter.report(slot.maker, rule) << "expected every buffer to be " << word
                                        << ", whole and in this block, before the commit, got none for buffer "
                                        << index;
    else if (count < all)
      reporter.report(slot.maker, rule) << "expected every buffer to be " << word
                                        << ", whole and in this block, before the commit, got " << count
                                        << " of " << all << " rows of buffer " << index;
  }
}

/// R12: the load completes its bytes where they were armed.
void checkLoad(TmaLoadOp load, Reporter &reporter) {
  Operation *maker = load.getSlot().getDefiningOp();
  if (getRoot(load.getBuffer()).getDefiningOp() != maker || !isa_and_nonnull<RingAcquireOp>(maker))
    reporter.report(load, 12) << "expected a load to signal the slot that its buffer belongs to, got another";
}

/// R8: what is given on was taken. A slot of the other word is refused where it was made.
void checkEnd(Operation *end, Reporter &reporter) {
  Operation *maker = end->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<RingAcquireOp, RingWaitOp>(maker))
    reporter.report(end, 8) << "expected a slot that "
                            << (isa<RingCommitOp>(end) ? "hopper.ring.acquire" : "hopper.ring.wait")
                            << " made, got another value";
}

void checkSlot(const Slot &slot, Reporter &reporter) {
  Operation *end = checkConsumed(slot, reporter);
  if (!end)
    return;
  // R9: what signals a committed slot may complete a phase that is over.
  for (Operation *user : slot.slot.getUsers())
    if (user != end && isAfter(user, end))
      reporter.report(user, 9, end, "the slot ends here")
          << "expected the slot to be used before its '" << slot.getEnd() << "', got a use after it";
  for (Value buffer : slot.buffers)
    checkBufferUses(slot, buffer, end, reporter);
  if (auto acquire = dyn_cast<RingAcquireOp>(slot.maker)) {
    if (acquire.getFiller() == Filler::tma)
      checkFilled<TmaLoadOp>(slot, end, 11, "loaded", reporter);
    else
      checkFilled<PutScalesOp>(slot, end, 13, "put", reporter);
  }
}

/// R14: a role that holds every stage and acquires one more waits forever.
void checkHeld(Block &role, Reporter &reporter) {
  llvm::DenseMap<Value, int64_t> held;
  role.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (Value ring = getAccessedRing(op)) {
      int64_t stages = cast<RingType>(ring.getType()).getStages();
      if (++held[ring] > stages)
        reporter.report(op, 14) << "expected at most the ring's " << stages << " stages to be held at once, got "
                                << held[ring];
    } else if (isa<RingCommitOp, RingReleaseOp>(op)) {
      if (Operation *maker = op->getOperand(0).getDefiningOp())
        if (Value ring = getAccessedRing(maker))
          --held[ring];
    }
  });
}

} // namespace

void fp8gemm::hopper::checkSlots(Kernel &kernel, Reporter &reporter) {
  for (Role role : kRoles) {
    Block *block = kernel.getBlock(role);
    if (!block)
      continue;
    bool brokenBefore = reporter.failed();
    block->walk([&](Operation *op) {
      if (std::optional<Slot> slot = Slot::get(op))
        checkSlot(*slot, reporter);
      else if (auto load = dyn_cast<TmaLoadOp>(op))
        checkLoad(load, reporter);
      else if (isa<RingCommitOp, RingReleaseOp>(op))
        checkEnd(op, reporter);
    });
    if (!reporter.failed() || brokenBefore)
      checkHeld(*block, reporter);
  }
}
