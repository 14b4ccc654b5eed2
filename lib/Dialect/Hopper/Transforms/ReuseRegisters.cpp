// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-reuse-registers: products take the registers of earlier ones.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_REUSEREGISTERSPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

static void reuseRegisters(Block &block) {
  SmallVector<Value> free;
  for (Operation &op : block) {
    if (auto wait = dyn_cast<MmaWaitOp>(op))
      free.push_back(wait.getResult());
    auto mma = dyn_cast<MmaOp>(op);
    if (!mma || free.empty())
      continue;
    if (mma.getReused())
      llvm::erase(free, mma.getReused());
    else if (free.front().getType() == mma.getPartial().getType()) {
      mma.getReusedMutable().assign(free.front());
      free.erase(free.begin());
    }
  }
}

namespace {
class ReuseRegisters : public OnEach<KernelOp, fp8gemm::hopper::impl::ReuseRegistersPassBase<ReuseRegisters>> {
  LogicalResult runOn(KernelOp func) override {
    func.walk([](Block *block) { reuseRegisters(*block); });
    return success();
  }
};
} // namespace
