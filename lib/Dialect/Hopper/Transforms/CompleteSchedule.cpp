// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of the passes that complete a schedule.

#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

void fp8gemm::hopper::buildCompleteSchedulePipeline(mlir::OpPassManager &kernel) {
  kernel.addPass(createExpandTilesPass());
  kernel.addPass(createUnrollPass());
  kernel.addPass(createReuseRegistersPass());
  kernel.addPass(createAssignStagesPass());
}
