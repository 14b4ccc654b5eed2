// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of one (N, K) for any M, and the table of which serves which.

#ifndef FP8GEMM_PIPELINES_PLAN_H
#define FP8GEMM_PIPELINES_PLAN_H

#include "Explain.h"
#include "fp8gemm/Config/Plan.h"
#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// A plan of the product that a module holds.
struct PlannedProduct {
  Question question;
  config::Plan plan;
  std::vector<config::Config> kernels; ///< each config of the plan once, in order of its first M
  std::vector<std::string> names;      ///< of the kernels
};

/// Plans the only product of `module`, and puts one product for each kernel in its place.
mlir::FailureOr<PlannedProduct> planProduct(mlir::ModuleOp module, const CompileOptions &options);

/// Learns the kernels' names from the module that planProduct left, lowered at least to hopper.
void nameKernels(mlir::ModuleOp module, PlannedProduct &product);

std::string print(const PlannedProduct &product, const CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PLAN_H
