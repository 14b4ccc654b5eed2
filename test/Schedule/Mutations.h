// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Broken schedules: what the checks and the simulator make of them.

#ifndef FP8GEMM_TEST_SCHEDULE_MUTATIONS_H
#define FP8GEMM_TEST_SCHEDULE_MUTATIONS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>
#include <string>
#include <vector>

namespace fp8gemm::schedule {

/// The schedule that the builder writes, or the one that hopper-complete-schedule makes of it and that runs.
enum class Level { Written, Complete };

/// A way to break an operation. `apply` changes it, or says that it does not apply.
struct Mutation {
  std::string op;   ///< as nameOf gives it: "hopper.ring.release"
  std::string what; ///< "dropped"
  std::function<bool(mlir::Operation *)> apply;
  Level level = Level::Complete;
};

/// The name of an operation, with its kind if it has several: "hopper.fence wgmma".
std::string nameOf(mlir::Operation *op);

const std::vector<Mutation> &mutations();
/// Those of hopper.tiles, hopper.for_tiles and hopper.locate, which only a written schedule has.
void addTileMutations(std::vector<Mutation> &all);

/// Breaks every operation of some kernels in every way, and prints what objects. 0 if for each mutation
/// hopper-check-rings or the simulator does; `table`: as docs/Mutations.md has it.
int mutate(unsigned jobs, bool table);

} // namespace fp8gemm::schedule

#endif // FP8GEMM_TEST_SCHEDULE_MUTATIONS_H
