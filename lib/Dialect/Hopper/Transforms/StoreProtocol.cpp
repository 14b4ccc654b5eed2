// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Staging buffers between the consumers' stores and TMA's, and named barriers.

#include "RingChecks.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// What a store_fragment still needs before TMA may read it; the worst first.
enum class Written { unfenced, fenced, published };

/// The staging that `op`, a tma_store or store_rows, reads.
Value stagingOf(Operation *op) {
  if (auto store = dyn_cast<TmaStoreOp>(op))
    return store.getStaging();
  return cast<StoreRowsOp>(op).getStaging();
}

/// What a tma_store still needs before its staging may be written; the worst first. store_rows has
/// read what its own thread reads.
enum class Reading { inFlight, waited };

struct StoreState {
  struct Store {
    Reading reading = Reading::inFlight;
    int64_t newer = 0; // groups committed since
  };
  llvm::MapVector<Operation *, Written> written;
  llvm::SetVector<Operation *> notCopied; // of those written
  llvm::MapVector<Operation *, Store> stores;

  bool join(const StoreState &other) {
    bool changed = false;
    for (auto &[op, level] : other.written) {
      auto [it, isNew] = written.insert({op, level});
      changed |= isNew || level < it->second;
      it->second = std::min(it->second, level);
    }
    for (Operation *op : other.notCopied)
      changed |= notCopied.insert(op);
    for (auto &[op, store] : other.stores) {
      auto [it, isNew] = stores.insert({op, store});
      Store &mine = it->second;
      changed |= isNew || store.reading < mine.reading || store.newer < mine.newer;
      mine.reading = std::min(mine.reading, store.reading);
      mine.newer = std::min(mine.newer, store.newer);
    }
    return changed;
  }
};

class StoreChecker {
public:
  StoreChecker(Kernel &kernel, Reporter &reporter) : kernel(kernel), reporter(reporter) {}

  void visit(Operation *op, StoreState &state) {
    if (auto store = dyn_cast<StoreFragmentOp>(op)) {
      writeStaging(store, state);
    } else if (isa<TmaStoreOp, StoreRowsOp>(op)) {
      readStaging(op, state);
    } else if (isFence(op, FenceKind::async_shared)) {
      for (auto &[op, level] : state.written)
        level = std::max(level, Written::fenced);
    } else if (isa<NamedBarrierOp>(op)) {
      for (auto &[op, level] : state.written)
        if (level == Written::fenced)
          level = Written::published;
      state.stores.remove_if([](auto &entry) { return entry.second.reading == Reading::waited; });
    } else if (auto wait = dyn_cast<TmaStoreWaitOp>(op)) {
      for (auto &[op, store] : state.stores)
        if (store.newer >= int64_t(wait.getPending()))
          store.reading = Reading::waited;
    } else if (isa<YieldOp>(op) && isa<WarpSpecializeOp>(op->getParentOp())) {
      for (Operation *write : state.notCopied)
        reportLost(write);
      // R29: shared memory is given back when the kernel ends.
      for (auto &[store, info] : state.stores)
        if (info.reading == Reading::inFlight)
          reporter.report(store, 29, op, "the role ends here")
              << "expected hopper.tma_store.wait between a TMA store and the end of its role, got none on some path";
    }
  }

private:
  /// R43
  void reportLost(Operation *write) {
    reporter.report(write, 43) << "expected a fragment that is stored to be copied to global memory, by a TMA store or "
                                  "hopper.store_rows of the same staging, got none on some path";
  }

  /// R25
  void writeStaging(StoreFragmentOp write, StoreState &state) {
    for (auto &[store, info] : state.stores) {
      if (!mayOverlap(kernel, stagingOf(store), write.getStaging()))
        continue;
      bool byTma = isa<TmaStoreOp>(store);
      reporter.report(write, 25, store,
                      byTma ? "this TMA store may still read it" : "other threads may still copy from it")
          << "expected staging to be free before it is written, got no "
          << (info.reading == Reading::inFlight ? "hopper.tma_store.wait that covers the TMA store"
              : byTma                           ? "hopper.named_barrier after the wait of one thread"
                                                : "hopper.named_barrier after the copy of its rows");
    }
    state.written[write] = Written::unfenced;
    if (!state.notCopied.insert(write))
      reportLost(write);
  }

  /// R26, R27, R30
  void readStaging(Operation *store, StoreState &state) {
    bool byTma = isa<TmaStoreOp>(store);
    bool isWritten = false;
    state.notCopied.remove_if(
        [&](Operation *write) { return cast<StoreFragmentOp>(write).getStaging() == stagingOf(store); });
    for (auto &[write, level] : state.written) {
      bool overlaps = mayOverlap(kernel, cast<StoreFragmentOp>(write).getStaging(), stagingOf(store));
      isWritten |= overlaps;
      if (level == Written::published || !overlaps)
        continue;
      if (level == Written::unfenced)
        reporter.report(store, 26, write, "stored here") << "expected hopper.fence async_shared between the store of a "
                                                            "fragment and its TMA store, got none on some path";
      else
        reporter.report(store, 27, write, "stored here")
            << "expected hopper.named_barrier between the fence and the TMA store, got none on some path";
    }
    if (!isWritten)
      reporter.report(store, 30) << "expected a fragment to be stored to the staging before its TMA store, got none";
    if (byTma)
      for (auto &[other, info] : state.stores)
        ++info.newer;
    state.stores[store] = StoreState::Store{byTma ? Reading::inFlight : Reading::waited};
  }

  Kernel &kernel;
  Reporter &reporter;
};

/// R28: as many threads come to a barrier as it waits for.
void checkBarrier(Kernel &kernel, NamedBarrierOp barrier, Reporter &reporter) {
  constexpr int64_t kThreadsPerWarpgroup = 128;
  llvm::SmallMapVector<int64_t, int64_t, 4> threadsAt;
  for (int64_t warpgroup = 0; warpgroup < int64_t(kernel.roles.getConsumers()); ++warpgroup) {
    std::optional<int64_t> id = evaluate(barrier.getId(), kernel.roles.getConsumer().getArgument(0), warpgroup);
    if (!id) {
      reporter.report(barrier, 28) << "expected 'id' to be computed from constants and the warpgroup's number";
      return;
    }
    if (*id < 1 || *id > 15) {
      reporter.report(barrier, 28) << "expected 'id' to be in [1, 15], got " << *id << " in warpgroup " << warpgroup;
      return;
    }
    threadsAt[*id] += kThreadsPerWarpgroup;
  }
  for (auto [id, threads] : threadsAt)
    if (threads != int64_t(barrier.getThreads()))
      reporter.report(barrier, 28) << "expected the " << threads << " threads that come to barrier " << id << ", got "
                                   << barrier.getThreads();
}

} // namespace

void fp8gemm::hopper::checkStores(Kernel &kernel, Reporter &reporter) {
  Block *consumers = kernel.getBlock(Role::consumers);
  consumers->walk([&](NamedBarrierOp barrier) { checkBarrier(kernel, barrier, reporter); });
  StoreChecker checker(kernel, reporter);
  StoreState state;
  followPaths(*consumers, state, [&](Operation *op, StoreState &state) { checker.visit(op, state); });
}
