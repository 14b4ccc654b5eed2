// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything in this project for a tool or compiler based on MLIR.

#ifndef FP8GEMM_INITALL_H
#define FP8GEMM_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace fp8gemm {

/// The dialects fp8gemm and hopper, those that the pipelines read or create, their translation to LLVM IR, and their
/// bufferization interfaces.
void registerAllDialects(mlir::DialectRegistry &registry);

/// All passes and pipelines of this project, by their names (fp8gemm-to-cubin, convert-fp8gemm-to-linalg, ...), in
/// this process. Repeating it is harmless.
void registerAllPasses();

} // namespace fp8gemm

#endif // FP8GEMM_INITALL_H
