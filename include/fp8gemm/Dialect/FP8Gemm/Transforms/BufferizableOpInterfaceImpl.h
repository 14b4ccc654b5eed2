// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
#define FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace fp8gemm {

/// Registers the fp8gemm operations with upstream's one-shot-bufferize.
void registerBufferizableOpInterfaceExternalModels(mlir::DialectRegistry &registry);

} // namespace fp8gemm

#endif // FP8GEMM_DIALECT_FP8GEMM_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
