// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-check-rings: rejects schedules that would hang a GPU or corrupt memory.

#include "RingChecks.h"

#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_CHECKRINGSPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

class CheckRings : public fp8gemm::hopper::impl::CheckRingsPassBase<CheckRings> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    Kernel kernel;
    kernel.func = getOperation();
    Reporter reporter('R');
    getOperation().walk([&](Operation *op) {
      if (auto ring = dyn_cast<RingCreateOp>(op))
        kernel.rings.push_back(ring);
      auto roles = dyn_cast<WarpSpecializeOp>(op);
      if (!roles)
        return;
      // R1: the roles are the kernel's only ones, and every thread comes to them.
      if (kernel.roles)
        reporter.report(roles, 1, kernel.roles, "the first")
            << "expected one hopper.warp_specialize a kernel, got a second";
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
    if (reporter.failed())
      signalPassFailure();
  }
};

} // namespace
