// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations on the sum of a contraction that can become part of the product.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_EPILOGUE_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_EPILOGUE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace fp8gemm::raising {

/// D = round(C + sum): C is added once, in f32, and D is rounded to bf16 where C is bf16, too, or there is none
/// (docs/Numerics.md).
struct Epilogue {
  llvm::SmallVector<mlir::Operation *> replaced; ///< the contraction, and what comes after it; the last one makes D
  mlir::Value c{};                               ///< null where nothing is added
  bool isInPlace = false;                        ///< C is what the contraction starts from: D may take its place
};

/// Whether the contraction starts from zero; from nothing, tensor.empty, it has no meaning.
bool startsFromZero(mlir::linalg::LinalgOp contraction);
bool startsFromNothing(mlir::linalg::LinalgOp contraction);

Epilogue epilogueOf(mlir::linalg::LinalgOp contraction);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_EPILOGUE_H
