// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-check-rings: rejects schedules that would hang a GPU or corrupt memory.

#include "RingChecks.h"

#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_CHECKRINGSPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// Each loop around an operation may double how often followPaths comes to it.
constexpr unsigned kMostLoops = 8;

/// What the checks below take for granted, so that they end soon: few loops in each other.
LogicalResult checkNesting(KernelOp func) {
  WalkResult result = func.walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult {
    unsigned loops = 0;
    for (Operation *at = op; at != func; at = at->getParentOp())
      loops += isa<LoopLikeOpInterface, ForTilesOp>(at);
    return loops > kMostLoops
               ? emitWithoutRegions(op) << "expected loops to be nested at most " << kMostLoops << " deep"
               : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

class CheckRings : public OnEach<KernelOp, fp8gemm::hopper::impl::CheckRingsPassBase<CheckRings>> {
  LogicalResult runOn(KernelOp func) override {
    markAllAnalysesPreserved();
    Kernel kernel;
    kernel.func = func;
    Reporter reporter('R');
    if (failed(checkNesting(func)))
      return failure();
    func.walk([&](Operation *op) {
      if (auto ring = dyn_cast<RingCreateOp>(op))
        kernel.rings.push_back(ring);
      auto roles = dyn_cast<WarpSpecializeOp>(op);
      if (!roles)
        return;
      // R1: the roles are the kernel's only ones, and every thread comes to them.
      if (kernel.roles)
        reporter.report(roles, 1, kernel.roles, "the first")
            << "expected one hopper.warp_specialize per kernel, got a second";
      else if (roles->getParentOp() != kernel.func)
        reporter.report(roles, 1) << "expected the roles to start at the kernel's top level";
      else
        kernel.roles = roles;
    });
    if (!kernel.roles) {
      for (RingCreateOp ring : kernel.rings)
        reporter.report(ring, 1) << "expected a ring to be used by the roles of a hopper.warp_specialize, got none";
    } else {
      checkSetup(kernel, reporter);
      checkSlots(kernel, reporter);
      checkMmas(kernel, reporter);
      checkPositions(kernel, reporter);
      checkTraffic(kernel, reporter);
      checkHolds(kernel, reporter);
      checkStores(kernel, reporter);
      checkGroups(kernel, reporter);
      checkExchange(kernel, reporter);
      checkSharing(kernel, reporter);
    }
    return failure(reporter.failed());
  }
};

} // namespace
