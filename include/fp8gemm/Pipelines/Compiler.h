// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as functions, for programs that have IR or a problem: docs/Embedding.md.
//
// Nothing here prints, ends the process, or keeps state between calls. Errors go to the diagnostic
// handlers of the MLIRContext, as from any pass. Any number of threads may compile at once, each in its own context;
// the same input, LLVM and ptxas give the same bytes, whatever else runs.

#ifndef FP8GEMM_PIPELINES_COMPILER_H
#define FP8GEMM_PIPELINES_COMPILER_H

#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Problem.h"
#include "fp8gemm/Target/Kernel.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/LLVM.h"

#include <vector>

namespace fp8gemm {

/// The kernels of all products and kernels in `module`, at any level, in their order, as fp8gemm-to-cubin
/// compiles them, with their cubins, manifests and kernel files. The module is not changed. Missing dialects
/// are added to the module's context, which no other thread may use meanwhile. An error if there is no product
/// and no kernel, or if one cannot be compiled.
mlir::FailureOr<std::vector<target::Kernel>> compile(mlir::ModuleOp module, const PipelineOptions &options = {});

/// The kernel of a product; errors have the location "<problem>".
mlir::FailureOr<target::Kernel> compile(mlir::MLIRContext &context, const format::Problem &problem,
                                        const PipelineOptions &options = {});

/// A module with one function that contains the product, with packed operands; null, and an error, if the problem
/// breaks a rule of its operation. `origin` is the file in its locations.
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext &context, const format::Problem &problem,
                                              llvm::StringRef origin = "<problem>");

/// All that a kernel and its product are made of. Made once, and only read from then on.
const mlir::DialectRegistry &allDialects();

/// Those, and all of upstream's: a module may hold anything beside its products.
const mlir::DialectRegistry &allInputDialects();

/// compile() of a module that the caller gives up: it is lowered where it is.
mlir::FailureOr<std::vector<target::Kernel>> compileInPlace(mlir::ModuleOp module, const PipelineOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_COMPILER_H
