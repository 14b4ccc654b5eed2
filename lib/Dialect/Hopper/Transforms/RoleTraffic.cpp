// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fillers and readers of a ring must access it equally often, and rings in one order: their loop
// nests are compared, after loops of constant trip count are multiplied out and unrolled ones are put together.

#include "RingChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// A number of accesses to one ring, or a loop or condition around some.
struct Item {
  Operation *op;
  int64_t count = 0; // 0 if op is a loop or condition
  Value ring;        // null if op is a loop or condition
  std::vector<Item> first;
  std::vector<Item> second; // else
  Value lower;              // where a loop starts; an unrolled one is taken with its rest, which is op
};
using Items = std::vector<Item>;

void append(Items &items, Item item) {
  int64_t sum;
  if (item.count > 0 && !items.empty() && items.back().count > 0 && items.back().ring == item.ring &&
      !llvm::AddOverflow(items.back().count, item.count, sum))
    items.back().count = sum;
  else
    items.push_back(std::move(item));
}

/// The value of a constant, or of the `k_count` of hopper.for_tiles where that is one.
std::optional<int64_t> getNumber(Value value) {
  constexpr unsigned kCount = 3;
  if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getArgNumber() == kCount)
    if (auto tiles = dyn_cast<ForTilesOp>(argument.getOwner()->getParentOp()))
      return tiles.getStaticCount();
  return getConstantIntValue(value);
}

std::optional<int64_t> getTrips(scf::ForOp loop) {
  std::optional<int64_t> lower = getNumber(loop.getLowerBound()), upper = getNumber(loop.getUpperBound()),
                         step = getNumber(loop.getStep());
  int64_t distance;
  if (!lower || !upper || !step || *step <= 0 || llvm::SubOverflow(*upper, *lower, distance))
    return std::nullopt;
  return distance <= 0 ? 0 : llvm::divideCeil(distance, *step);
}

/// Whether `loop` does `factor` iterations at a time of what `rest` does the last ones of: the loops that
/// hopper-unroll makes of one whose bounds are no constants.
bool isUnrolled(scf::ForOp loop, scf::ForOp rest, int64_t factor) {
  using matchers::m_Val;
  auto lower = m_Val(loop.getLowerBound()), step = m_Val(rest.getStep());
  auto distance = m_Op<arith::SubIOp>(m_Val(rest.getUpperBound()), lower);
  auto trips = m_Op<arith::DivUIOp>(m_Op<arith::AddIOp>(distance, m_Op<arith::SubIOp>(step, m_One())), step);
  APInt ofBound, ofStep;
  auto even = m_Op<arith::SubIOp>(trips, m_Op<arith::RemSIOp>(trips, m_ConstantInt(&ofBound)));
  return loop.getUpperBound() == rest.getLowerBound() &&
         matchPattern(loop.getUpperBound(), m_Op<arith::AddIOp>(lower, m_Op<arith::MulIOp>(even, step))) &&
         matchPattern(loop.getStep(), m_Op<arith::MulIOp>(step, m_ConstantInt(&ofStep))) &&
         ofBound.getSExtValue() == factor && ofStep.getSExtValue() == factor;
}

/// Appends a loop, or puts it together with the unrolled one before it.
void appendLoop(Items &items, Item item) {
  auto rest = cast<scf::ForOp>(item.op);
  item.lower = rest.getLowerBound();
  auto loop = items.empty() ? scf::ForOp() : dyn_cast<scf::ForOp>(items.back().op);
  if (loop && items.back().count == 0 && items.back().first.size() == 1 && item.first.size() == 1) {
    const Item &many = items.back().first.front(), &one = item.first.front();
    if (one.count > 0 && many.ring == one.ring && many.count % one.count == 0 &&
        isUnrolled(loop, rest, many.count / one.count)) {
      item.lower = items.back().lower;
      items.pop_back();
    }
  }
  items.push_back(std::move(item));
}

/// The accesses to `rings` in `block`, in order: those that fill them, or those that read them.
Items collect(Block &block, ArrayRef<Value> rings, bool fills) {
  Items items;
  for (Operation &op : block) {
    if (Value ring = getAccessedRing(&op); llvm::is_contained(rings, ring) && isa<RingAcquireOp>(op) == fills) {
      append(items, Item{&op, 1, ring, {}, {}, {}});
      continue;
    }
    Item item{&op, 0, {}, {}, {}, {}};
    for (Region &region : op.getRegions()) {
      Items inner;
      if (!region.empty())
        inner = collect(region.front(), rings, fills);
      Items &part = region.getRegionNumber() == 0 ? item.first : item.second;
      llvm::append_range(part, inner);
    }
    if (item.first.empty() && item.second.empty())
      continue;
    auto loop = dyn_cast<scf::ForOp>(op);
    std::optional<int64_t> trips = loop ? getTrips(loop) : std::nullopt;
    if (trips == 0)
      continue;
    int64_t count;
    if (trips && item.first.size() == 1 && item.first.front().count > 0 &&
        !llvm::MulOverflow(*trips, item.first.front().count, count))
      item = Item{item.first.front().op, count, item.first.front().ring, {}, {}, {}};
    if (loop && item.count == 0)
      appendLoop(items, std::move(item));
    else
      append(items, std::move(item));
  }
  return items;
}

/// Compares the traffic of two roles.
class Comparison {
public:
  /// The first items that differ, null at the end of a list.
  std::optional<std::pair<const Item *, const Item *>> compare(const Items &a, const Items &b) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      const Item *itemA = i < a.size() ? &a[i] : nullptr, *itemB = i < b.size() ? &b[i] : nullptr;
      if (!itemA || !itemB)
        return std::make_pair(itemA, itemB);
      if (itemA->count > 0 && itemA->count == itemB->count && itemA->ring == itemB->ring)
        continue;
      if (itemA->count > 0 || itemB->count > 0 || !haveSameControl(*itemA, *itemB))
        return std::make_pair(itemA, itemB);
      if (auto difference = compare(itemA->first, itemB->first))
        return difference;
      if (auto difference = compare(itemA->second, itemB->second))
        return difference;
    }
    return std::nullopt;
  }

private:
  bool haveSameControl(const Item &a, const Item &b) {
    if (auto loopA = dyn_cast<scf::ForOp>(a.op), loopB = dyn_cast<scf::ForOp>(b.op); loopA && loopB) {
      equal.insert({loopA.getInductionVar(), loopB.getInductionVar()});
      if (!areEqual(a.lower, b.lower) || !areEqual(loopA.getUpperBound(), loopB.getUpperBound()) ||
          !areEqual(loopA.getStep(), loopB.getStep()))
        return false;
      assumeCarried(loopA, loopB);
      return true;
    }
    if (auto loopA = dyn_cast<ForTilesOp>(a.op), loopB = dyn_cast<ForTilesOp>(b.op); loopA && loopB) {
      // The same tiles, if they are those of one value.
      for (auto [regionA, regionB] : llvm::zip_equal(loopA->getRegions(), loopB->getRegions()))
        for (auto [x, y] : llvm::zip(regionA.getArguments(), regionB.getArguments())) // either may have no `empty`
          equal.insert({x, y});
      return loopA.getWork() == loopB.getWork();
    }
    if (auto ifA = dyn_cast<scf::IfOp>(a.op), ifB = dyn_cast<scf::IfOp>(b.op); ifA && ifB)
      return areEqual(ifA.getCondition(), ifB.getCondition());
    return false;
  }

  /// What both loops carry first is equal if it starts equal, and if, being equal, it is equal after an iteration.
  void assumeCarried(scf::ForOp a, scf::ForOp b) {
    for (size_t count = std::min(a.getNumRegionIterArgs(), b.getNumRegionIterArgs()); count > 0; --count) {
      llvm::DenseSet<std::pair<Value, Value>> before = equal;
      auto allEqual = [&](ValueRange x, ValueRange y) {
        return llvm::all_of(llvm::zip_equal(x.take_front(count), y.take_front(count)),
                            [&](auto pair) { return areEqual(std::get<0>(pair), std::get<1>(pair)); });
      };
      if (allEqual(a.getInitArgs(), b.getInitArgs())) {
        for (auto [x, y] : llvm::zip(a.getRegionIterArgs().take_front(count), b.getRegionIterArgs()))
          equal.insert({x, y});
        if (allEqual(a.getYieldedValues(), b.getYieldedValues()))
          return;
      }
      equal = before;
    }
  }

  /// True if the two have the same value in every thread of the CTA: one value, the same arithmetic of equal values, or
  /// what equal conditions choose of such.
  bool areEqual(Value a, Value b) {
    if (a == b || equal.contains({a, b}))
      return true;
    Operation *opA = a.getDefiningOp(), *opB = b.getDefiningOp();
    if (auto ifA = dyn_cast_or_null<scf::IfOp>(opA), ifB = dyn_cast_or_null<scf::IfOp>(opB); ifA && ifB) {
      unsigned result = cast<OpResult>(a).getResultNumber();
      return result == cast<OpResult>(b).getResultNumber() && areEqual(ifA.getCondition(), ifB.getCondition()) &&
             areEqual(ifA.thenYield().getOperand(result), ifB.thenYield().getOperand(result)) &&
             areEqual(ifA.elseYield().getOperand(result), ifB.elseYield().getOperand(result));
    }
    if (!opA || !opB || opA->getName() != opB->getName() || opA->getNumOperands() != opB->getNumOperands() ||
        opA->getAttrDictionary() != opB->getAttrDictionary() ||
        cast<OpResult>(a).getResultNumber() != cast<OpResult>(b).getResultNumber())
      return false;
    // Loads: a kernel does not write the descriptions of groups that bounds come from.
    if (!isa<gpu::BlockIdOp, gpu::GridDimOp, LocateOp, FindGroupOp, memref::LoadOp>(opA) &&
        !isa<arith::ArithDialect>(opA->getDialect()))
      return false;
    for (auto [operandA, operandB] : llvm::zip_equal(opA->getOperands(), opB->getOperands()))
      if (!areEqual(operandA, operandB))
        return false;
    equal.insert({a, b});
    return true;
  }

  llvm::DenseSet<std::pair<Value, Value>> equal;
};

std::string describe(const Item *item) {
  if (!item)
    return "none";
  if (item->count == 0)
    return isa<scf::IfOp>(item->op) ? "a condition" : "a loop";
  return std::to_string(item->count);
}

/// The accesses of `role` to `rings`; none if it isn't to access them.
Items collect(Kernel &kernel, Role role, ArrayRef<Value> rings) {
  Block *block = kernel.getBlock(role);
  return block ? collect(*block, rings, role != Role::consumers) : Items();
}

/// R23, R24: the roles that the ring's type names access it, all equally often.
void checkRing(Kernel &kernel, RingCreateOp ring, Reporter &reporter) {
  RingType type = ring.getRing().getType();
  std::optional<Role> filler;
  Items filled;
  for (Role role : kRoles) {
    if ((role == Role::producer && type.getTma().empty()) || (role == Role::helper && type.getWarps().empty()))
      continue;
    Items items = collect(kernel, role, {ring.getRing()});
    // R23: a role that waits for this one would wait forever.
    if (items.empty()) {
      reporter.report(ring, 23) << "expected the " << getName(role) << " to access the ring, got no "
                                << (role == Role::consumers ? "wait" : "acquire");
      continue;
    }
    if (!filler) {
      filler = role;
      filled = std::move(items);
      continue;
    }
    // R24
    auto difference = Comparison().compare(filled, items);
    if (!difference)
      continue;
    auto [there, here] = *difference;
    reporter.report(here ? here->op : items.back().op, 24, there ? there->op : filled.back().op, "in the other role")
        << "expected as many accesses to the ring, in the same loops, in the " << getName(role) << " as in the "
        << getName(*filler) << ", got " << describe(here) << " where the " << getName(*filler) << " has "
        << describe(there);
  }
}

/// R35: one waits for the first ring and the other for the second, if they come in another order.
void checkOrder(Kernel &kernel, RingCreateOp first, RingCreateOp second, Reporter &reporter) {
  std::optional<Role> other;
  Items before;
  for (Role role : kRoles) {
    bool accessesBoth =
        !collect(kernel, role, {first.getRing()}).empty() && !collect(kernel, role, {second.getRing()}).empty();
    if (!accessesBoth)
      continue;
    Items items = collect(kernel, role, {first.getRing(), second.getRing()});
    if (!other) {
      other = role;
      before = std::move(items);
      continue;
    }
    auto difference = Comparison().compare(before, items);
    if (!difference)
      continue;
    auto [there, here] = *difference;
    reporter.report(here ? here->op : items.back().op, 35, there ? there->op : before.back().op, "in the other role")
        << "expected the " << getName(role) << " to access both rings in the order of the " << getName(*other)
        << ", got another";
  }
}

} // namespace

void fp8gemm::hopper::checkTraffic(Kernel &kernel, Reporter &reporter) {
  bool brokenBefore = reporter.failed();
  for (RingCreateOp ring : kernel.rings)
    checkRing(kernel, ring, reporter);
  if (reporter.failed() && !brokenBefore)
    return; // the order would differ for that reason
  for (auto [i, first] : llvm::enumerate(kernel.rings))
    for (RingCreateOp second : ArrayRef(kernel.rings).drop_front(i + 1))
      checkOrder(kernel, first, second, reporter);
}
