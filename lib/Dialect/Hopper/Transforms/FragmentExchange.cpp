// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accumulators that the CTAs of a cluster leave in shared memory for each other.

#include "RingChecks.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// The fragments that were put but not yet published to the cluster, those published, and those that others may still
/// read.
struct ExchangeState {
  llvm::MapVector<Operation *, bool> puts; // true once published
  llvm::SetVector<Operation *> sums;

  bool join(const ExchangeState &other) {
    bool changed = false;
    for (auto &[put, published] : other.puts) {
      auto [it, isNew] = puts.insert({put, published});
      changed |= isNew || (it->second && !published);
      it->second &= published;
    }
    for (Operation *sum : other.sums)
      changed |= sums.insert(sum);
    return changed;
  }
};

class ExchangeChecker {
public:
  ExchangeChecker(Kernel &kernel, Reporter &reporter) : kernel(kernel), reporter(reporter) {
    if (auto launch = kernel.func.getLaunchAttr())
      cluster = launch.getCluster();
  }

  void visit(Operation *op, ExchangeState &state) {
    if (auto put = dyn_cast<PutFragmentOp>(op)) {
      for (Operation *sum : state.sums)
        if (mayOverlap(kernel, cast<ReduceFragmentsOp>(sum).getExchange(), put.getExchange()))
          reporter.report(op, 39, sum, "other CTAs may still read it")
              << "expected hopper.cluster_barrier between a reduction of fragments and the next that is put there, got none "
                 "on some path";
      state.puts[op] = false;
    } else if (isa<ClusterBarrierOp>(op)) {
      for (auto &[put, published] : state.puts)
        published = true;
      state.sums.clear();
    } else if (auto sum = dyn_cast<ReduceFragmentsOp>(op)) {
      checkSum(sum, state);
      state.sums.insert(op);
    } else if (isa<YieldOp>(op) && isa<WarpSpecializeOp>(op->getParentOp())) {
      for (Operation *sum : state.sums)
        reporter.report(sum, 39, op, "the role ends here")
            << "expected hopper.cluster_barrier between a reduction of fragments and the end of its role, got none on some "
               "path";
    }
  }

private:
  void checkSum(ReduceFragmentsOp sum, ExchangeState &state) {
    bool isPut = false;
    for (auto &[put, published] : state.puts) {
      if (!mayOverlap(kernel, cast<PutFragmentOp>(put).getExchange(), sum.getExchange()))
        continue;
      isPut = true;
      if (!published)
        reporter.report(sum, 39, put, "put here")
            << "expected hopper.cluster_barrier between a fragment that is put and the sum, got none on some path";
    }
    if (!isPut)
      reporter.report(sum, 39) << "expected a fragment to be put there before the sum, got none";
    if (cluster && int64_t(sum.getRanks()) != *cluster)
      reporter.report(sum, 39) << "expected 'ranks' to be the " << *cluster << " CTAs of the launch's cluster, got "
                               << sum.getRanks();
  }

  Kernel &kernel;
  Reporter &reporter;
  std::optional<int64_t> cluster; // CTAs, where it is known
};

} // namespace

void fp8gemm::hopper::checkExchange(Kernel &kernel, Reporter &reporter) {
  ExchangeChecker checker(kernel, reporter);
  ExchangeState state;
  followPaths(*kernel.getBlock(Role::consumers), state,
              [&](Operation *op, ExchangeState &state) { checker.visit(op, state); });
}
