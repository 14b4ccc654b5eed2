// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm operations to the LLVM dialect of a CPU, through linalg.

#ifndef FP8GEMM_EXECUTION_CPUPIPELINE_H
#define FP8GEMM_EXECUTION_CPUPIPELINE_H

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace fp8gemm::execution {

/// Functions on tensors to functions on memrefs, with deallocation.
void buildBufferizationPipeline(mlir::OpPassManager &pm);

/// Host functions of linalg, scf, arith and math on memrefs to the LLVM dialect of a CPU.
void buildHostLoweringPipeline(mlir::OpPassManager &pm);

/// Functions of fp8gemm operations, on tensors or memrefs, to the LLVM dialect: the first, then linalg of each
/// product, then the second.
void buildCpuPipeline(mlir::OpPassManager &pm);

/// Registers `fp8gemm-to-llvm-cpu`, its passes of this project, and upstream's passes
/// that bufferize.
void registerCpuPipeline();

/// The dialects that the pipeline reads or creates, and their bufferization interfaces.
void registerCpuDialects(mlir::DialectRegistry &registry);

} // namespace fp8gemm::execution

#endif // FP8GEMM_EXECUTION_CPUPIPELINE_H
