// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-simulate: the simulator as a pass.

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Simulator/Passes.h"
#include "fp8gemm/Simulator/Trial.h"

namespace fp8gemm::simulator {
#define GEN_PASS_DEF_SIMULATEPASS
#include "fp8gemm/Simulator/Passes.h.inc"
} // namespace fp8gemm::simulator

using namespace mlir;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

namespace {
struct SimulatePass : fp8gemm::hopper::OnEach<KernelOp, fp8gemm::simulator::impl::SimulatePassBase<SimulatePass>> {
  using OnEach::OnEach;

  LogicalResult runOn(KernelOp kernel) override {
    markAllAnalysesPreserved();
    TrialOptions options;
    options.m = m;
    options.groupSizes.assign(groupSizes.begin(), groupSizes.end());
    options.rowIndex.assign(rowIndex.begin(), rowIndex.end());
    options.padBytes = pad;
    options.clusters = clusters;
    options.maxOperations = maxOperations;
    if (runs < 1)
      return emitWithoutRegions(kernel) << "expected at least 1 run, got " << int64_t(runs);
    for (int64_t run = 0; run < runs; ++run) {
      options.seed = seed + uint64_t(run);
      Watchdog limit(watchdog);
      options.watchdog = &limit;
      FailureOr<TrialResult> result = runTrial(kernel, options);
      if (failed(result)) {
        remark(kernel) << "simulated with seed " << options.seed;
        return failure();
      }
      if (report)
        remark(kernel) << "simulated M = " << result->m << " in " << result->clusters << " clusters, seed "
                       << options.seed << ": compared " << result->elements << " elements, the worst at "
                       << result->worst << " of its bound; " << result->untouched << " are padding";
    }
    return success();
  }

  static InFlightDiagnostic remark(KernelOp kernel) { return emitWithoutRegions(kernel, DiagnosticSeverity::Remark); }
};
} // namespace
