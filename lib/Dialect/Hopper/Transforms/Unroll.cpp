// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-unroll: several iterations of the main loop become one.

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_UNROLLPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

/// The loops with products that have no such loop in them.
static SmallVector<scf::ForOp> mainLoops(WarpSpecializeOp roles) {
  SmallVector<scf::ForOp> loops;
  llvm::SmallPtrSet<Operation *, 4> outer;
  roles.getConsumer().walk([&](scf::ForOp loop) { // inner ones first
    bool hasProducts = loop.walk([](MmaOp) { return WalkResult::interrupt(); }).wasInterrupted();
    if (!hasProducts)
      return;
    if (!outer.contains(loop))
      loops.push_back(loop);
    for (auto around = loop->getParentOfType<scf::ForOp>(); around; around = around->getParentOfType<scf::ForOp>())
      outer.insert(around);
  });
  return loops;
}

/// Upstream takes a loop of known length for one of constant bounds, but the length is also known where both bounds are
/// the same value.
static bool canUnroll(scf::ForOp loop) {
  return !loop.getStaticTripCount() ||
         (getConstantIntValue(loop.getLowerBound()) && getConstantIntValue(loop.getUpperBound()) &&
          getConstantIntValue(loop.getStep()));
}

namespace {
class Unroll : public OnEach<KernelOp, fp8gemm::hopper::impl::UnrollPassBase<Unroll>> {
  LogicalResult runOn(KernelOp func) override {
    WalkResult result = func.walk([](WarpSpecializeOp roles) -> WalkResult {
      if (roles.getUnroll() == 1)
        return WalkResult::advance();
      SmallVector<scf::ForOp> loops = mainLoops(roles);
      if (loops.empty())
        return emitWithoutRegions(roles) << "expected a loop with products in the consumers to unroll, got none";
      for (scf::ForOp loop : loops)
        if (!canUnroll(loop) || failed(loopUnrollByFactor(loop, roles.getUnroll())))
          return emitWithoutRegions(loop) << "expected a loop that can be unrolled";
      roles.setUnroll(1);
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};
} // namespace
