// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_PASSES_TD
#define FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SelectConfigPass : Pass<"fp8gemm-select-config"> {
  let summary = "choose a schedule for each product that has none";
  let description = [{
    Sets `config` on every product that has neither a config nor a kernel.
    lib/Config makes the choice: it enumerates the legal schedules of the problem
    and takes the one with the least modelled time on `gpu`. With a
    dynamic M, the choice is made for `expected-m` rows; the kernel serves any M.
  }];
  let options = [
    Option<"gpu", "gpu", "std::string", /*default=*/"\"h100-sxm\"",
           "GPU that the time is modelled for: h100-sxm, h100-pcie, h200-sxm or h20">,
    Option<"expectedM", "expected-m", "int64_t", /*default=*/"4096",
           "rows of A to model if M is dynamic (count)">,
    Option<"config", "config", "std::string", /*default=*/"\"\"",
           "schedule to use for every product instead, e.g. 'tile_m = 128, tile_n = 176, stages = 4, consumers = 2'; omitted fields are derived">,
    Option<"batchInvariant", "batch-invariant", "bool", /*default=*/"false",
           "choose only among schedules that add up the terms of K in one and the same order: a row of D then has the same bits for every M and schedule">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "print the candidates with their modelled times as remarks">,
  ];
  let dependentDialects = ["::fp8gemm::FP8GemmDialect"];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_PASSES_TD
