// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-simulate: the simulator as a pass.

#include "fp8gemm/Simulator/Passes.h"
#include "fp8gemm/Simulator/Trial.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm::simulator {
#define GEN_PASS_DEF_SIMULATEPASS
#include "fp8gemm/Simulator/Passes.h.inc"
} // namespace fp8gemm::simulator

using namespace mlir;
using namespace fp8gemm::simulator;

namespace {
struct SimulatePass : fp8gemm::simulator::impl::SimulatePassBase<SimulatePass> {
  using SimulatePassBase::SimulatePassBase;

  void runOnOperation() override {
    gpu::GPUFuncOp kernel = getOperation();
    TrialOptions options;
    options.m = m;
    options.groupSizes.assign(groupSizes.begin(), groupSizes.end());
    options.rowIndex.assign(rowIndex.begin(), rowIndex.end());
    options.padBytes = pad;
    options.clusters = clusters;
    for (int64_t run = 0; run < runs; ++run) {
      options.seed = seed + uint64_t(run);
      FailureOr<TrialResult> result = runTrial(kernel, options);
      if (failed(result)) {
        kernel.emitRemark("simulated with seed ") << options.seed;
        return signalPassFailure();
      }
      if (report)
        kernel.emitRemark("simulated M = ")
            << result->m << " in " << result->clusters << " clusters, seed " << options.seed << ": compared "
            << result->elements << " elements, the worst at " << result->worst << " of its bound; " << result->untouched
            << " are nobody's";
    }
  }
};
} // namespace
