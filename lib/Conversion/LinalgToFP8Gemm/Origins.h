// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values come from FP8 elements.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_ORIGINS_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_ORIGINS_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Value.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "llvm/ADT/DenseSet.h"

namespace fp8gemm::raising {

/// The FP8 values below an operation and what is computed from them, by whatever operations, tensors and buffers,
/// loops, branches and calls, up to sums: a result of a contraction is no longer made of the elements of one matrix.
class Origins {
public:
  explicit Origins(mlir::Operation *root);

  bool isFromF8(mlir::Value value) const { return found.contains(value); }

private:
  void add(mlir::Value value);
  void addUse(mlir::OpOperand &use);
  void addYielded(mlir::OpOperand &use);
  void addArgument(mlir::CallOpInterface call, mlir::OpOperand &use);

  mlir::Operation *root;
  mlir::SymbolTableCollection symbols;
  llvm::DenseSet<mlir::Value> found;
  llvm::SmallVector<mlir::Value> pending;
};

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_ORIGINS_H
