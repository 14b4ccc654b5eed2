// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_SIMULATOR_PASSES_TD
#define FP8GEMM_SIMULATOR_PASSES_TD

include "mlir/Pass/PassBase.td"

def SimulatePass : Pass<"hopper-simulate"> {
  let summary = "run a kernel with random operands on the CPU, and reject it if anything goes wrong";
  let description = [{
    Expects the output of hopper-complete-schedule. Runs the schedule for a small problem with roles, TMA and tensor core
    interleaved at random, and compares D with float64 (docs/Simulator.md, also for the limits). Changes nothing.
  }];
  let options = [
    Option<"m", "m", "int64_t", /*default=*/"0",
           "rows of A, or of each group if groups have their own rows, for a kernel of any M (count)">,
    ListOption<"groupSizes", "group-sizes", "int64_t",
               "rows of each group, or its K (count, default: drawn from the seed)">,
    ListOption<"rowIndex", "row-index", "int32_t", "group of each row, or -1 (default: drawn from the seed)">,
    Option<"pad", "pad", "int64_t", /*default=*/"0", "padding between rows (bytes, a multiple of 16)">,
    Option<"clusters", "clusters", "int64_t", /*default=*/"0",
           "grid of a persistent kernel (clusters; 0: drawn from the seed)">,
    Option<"seed", "seed", "uint64_t", /*default=*/"1", "seed of operands and interleaving">,
    Option<"runs", "runs", "int64_t", /*default=*/"1", "number of runs, each with the next seed (count)">,
    Option<"maxOperations", "max-operations", "int64_t", /*default=*/"::fp8gemm::simulator::kMostOperations",
           "a kernel that runs longer is an error (operations of all roles)">,
    Option<"watchdog", "watchdog", "unsigned", /*default=*/"60",
           "a run that lasts longer is an error (seconds; 0: none)">,
    Option<"report", "report", "bool", /*default=*/"false", "report the comparison in a remark">,
  ];
}

#endif // FP8GEMM_SIMULATOR_PASSES_TD
