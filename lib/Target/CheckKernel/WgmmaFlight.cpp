// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accumulators of a wgmma that is in flight: what ptxas serialises every wgmma for (C7510, C7514).

#include "KernelCheck.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fp8gemm::kernel;

namespace {

/// The wgmmas in flight at some point of a block.
class Flight {
public:
  explicit Flight(Reporter &reporter) : reporter(reporter) {}

  void follow(Block &block) {
    for (Operation &op : block)
      visit(&op);
    for (Issued &issued : inFlight)
      reporter.report(issued.mma, 5, block.getTerminator(), "the block ends here")
          << (isa<LoopLikeOpInterface>(block.getParentOp())
                  ? "expected a wgmma to be complete at the end of its loop's iteration"
                  : "expected a wgmma to be complete at the end of its block")
          << ", got no wait_group that covers it";
  }

private:
  struct Issued {
    NVVM::WgmmaMmaAsyncOp mma;
    std::optional<int64_t> newer; // groups committed since its own; none until then
  };

  void visit(Operation *op) {
    if (auto mma = dyn_cast<NVVM::WgmmaMmaAsyncOp>(op)) {
      // The next of a chain takes the place of the one before: they have the same registers, and complete in order.
      if (auto before = registers.lookup(mma.getInouts()); Issued *issued = before ? find(before) : nullptr) {
        inFlight.erase(issued);
        next[before] = mma;
      }
      registers[mma.getResults()] = mma;
      inFlight.push_back({mma, std::nullopt});
    } else if (isa<NVVM::WgmmaGroupSyncAlignedOp>(op)) {
      for (Issued &issued : inFlight)
        issued.newer = issued.newer ? *issued.newer + 1 : 0;
    } else if (std::optional<int64_t> pending = getWgmmaWait(op)) {
      llvm::erase_if(inFlight, [&](Issued &issued) { return issued.newer && *issued.newer >= *pending; });
      checkUses(op, op);
    } else if (auto extract = dyn_cast<LLVM::ExtractValueOp>(op)) {
      if (auto mma = registers.lookup(extract.getContainer()))
        registers[extract.getRes()] = mma;
    } else {
      checkUses(op, op);
      if (op->getNumRegions() != 0 && !inFlight.empty())
        checkInside(op);
    }
  }

  /// The part in flight of the chain that contains `mma`; null if the chain is complete.
  Issued *find(NVVM::WgmmaMmaAsyncOp mma) {
    while (auto later = next.lookup(mma))
      mma = later;
    Issued *found = llvm::find_if(inFlight, [&](Issued &issued) { return issued.mma == mma; });
    return found == inFlight.end() ? nullptr : found;
  }

  void checkUses(Operation *op, Operation *at) {
    if (inFlight.empty())
      return;
    for (Value operand : op->getOperands()) {
      auto mma = registers.lookup(operand);
      if (!mma || !find(mma))
        continue;
      reporter.report(at, 5, mma, "still in flight")
          << (getWgmmaWait(op)
                  ? "expected wait_group to cover the wgmma whose accumulators it gives, got too many pending groups"
                  : "expected the accumulators of a wgmma in flight to be left alone until its wait_group");
      return;
    }
  }

  /// The body of a loop or condition runs while the wgmmas around it are in flight.
  void checkInside(Operation *around) {
    around->walk([&](Operation *op) {
      if (op == around)
        return;
      checkUses(op, op);
      if (isa<NVVM::WgmmaMmaAsyncOp, NVVM::WgmmaGroupSyncAlignedOp>(op) || getWgmmaWait(op))
        reporter.report(op, 5, inFlight.front().mma, "still in flight")
            << "expected no wgmma in flight around a loop or condition that issues or waits for others";
    });
  }

  Reporter &reporter;
  SmallVector<Issued> inFlight;
  /// The wgmma that writes a value's registers, of those in this block.
  llvm::DenseMap<Value, NVVM::WgmmaMmaAsyncOp> registers;
  llvm::DenseMap<Operation *, NVVM::WgmmaMmaAsyncOp> next;
};

} // namespace

void fp8gemm::kernel::checkWgmmaFlight(Kernel &kernel, Reporter &reporter) {
  kernel.func.walk([&](Block *block) { Flight(reporter).follow(*block); });
}
