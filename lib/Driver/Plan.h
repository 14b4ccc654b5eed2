// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of one (N, K) for any M, and the table of which serves which.

#ifndef FP8GEMM_DRIVER_PLAN_H
#define FP8GEMM_DRIVER_PLAN_H

#include "Explain.h"
#include "fp8gemm/Config/Plan.h"
#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// A plan of the product that a module holds.
struct PlannedProduct {
  Question question;
  std::string gpu;
  int64_t maxM; ///< rows that are modelled
  config::Plan plan;
  std::vector<config::Config> kernels; ///< each config of the plan once, in order of its first M
  std::vector<std::string> names;      ///< of the kernels
};

/// Plans the only product of `module` up to so many rows, and puts one product for each kernel in its place.
mlir::FailureOr<PlannedProduct> planProduct(mlir::ModuleOp module, const PipelineOptions &options, int64_t maxM);

/// Learns the kernels' names from the module that planProduct left, lowered at least to hopper.
void nameKernels(mlir::ModuleOp module, PlannedProduct &product);

std::string print(const PlannedProduct &product, Answer form);

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_PLAN_H
