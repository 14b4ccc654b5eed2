// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_PACK_PRODUCT_H
#define FP8GEMM_PACK_PRODUCT_H

#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Target/Kernel.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace fp8gemm {

/// A product in its own context, so that threads share nothing. Keeps its diagnostics.
class Product {
public:
  Product(const PackProblem &entry, const PipelineOptions &options);

  bool isValid() const { return !!module; }
  mlir::ModuleOp getModule() { return *module; }
  /// Why something failed.
  std::string takeErrors() { return std::exchange(errors, {}); }

  /// The problem for lib/Config.
  config::Problem question();
  void choose(const config::Config &config);
  /// All that the kernel is made of, beside the tools.
  std::string source();
  /// Up to a level of kLoweringSteps.
  mlir::LogicalResult lower(llvm::StringRef level);
  mlir::FailureOr<target::Kernel> compile();

private:
  void keep(mlir::Diagnostic &diagnostic);

  mlir::MLIRContext context;
  std::string errors;
  mlir::ScopedDiagnosticHandler diagnostics;
  const PipelineOptions &pipeline;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The options of the passes for an entry of a list.
struct ProductOptions : PipelineOptions {
  ProductOptions(const PackProblems &problems, const PackProblem &entry);
};

} // namespace fp8gemm

#endif // FP8GEMM_PACK_PRODUCT_H
