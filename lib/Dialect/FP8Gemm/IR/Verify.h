// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the verifiers of the products: one function per group of constraints, labelled
// as in FP8GemmOps.td.

#ifndef FP8GEMM_LIB_DIALECT_FP8GEMM_IR_VERIFY_H
#define FP8GEMM_LIB_DIALECT_FP8GEMM_IR_VERIFY_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

namespace fp8gemm::verification {

struct NamedOperand {
  std::string name;
  mlir::ShapedType type;

  explicit operator bool() const { return type != nullptr; }
  bool isStatic(unsigned dim) const { return !type.isDynamicDim(dim); }
  int64_t size(unsigned dim) const { return type.getDimSize(dim); }
  int64_t rank() const { return type.getRank(); }
};

struct NamedOperands {
  explicit NamedOperands(ProductOpInterface op);
  /// Those that are there, in the order of the operation.
  llvm::SmallVector<NamedOperand> all() const;

  NamedOperand a, sfa, b, sfb, groups, c, d, sfd;
  llvm::SmallVector<NamedOperand> epilogue;
};

/// For messages: `?` if dynamic.
std::string extent(int64_t size);

/// The size of a dimension, counted from the last one if negative.
inline int64_t sizeOf(mlir::Value value, int dim) {
  auto type = mlir::cast<mlir::ShapedType>(value.getType());
  return type.getDimSize(dim < 0 ? type.getRank() + dim : dim);
}

/// True if they may be the same when the operation runs.
bool mayAgree(int64_t size, int64_t other);

/// Attributes, and (C1), (G1), (K1): of kinds; of ranks.
llvm::LogicalResult verifyKinds(mlir::Operation *op, llvm::ArrayRef<NamedOperand> operands);
llvm::LogicalResult verifyRanks(mlir::Operation *op, llvm::ArrayRef<NamedOperand> operands, int64_t rank);

/// The element type of one operand; `notBuilt` names what is not built yet, if anything.
llvm::LogicalResult verifyElement(mlir::Operation *op, NamedOperand operand, llvm::ArrayRef<mlir::Type> expected,
                                  llvm::StringRef notBuilt = "");

/// (C2), (C3), (C4)
llvm::LogicalResult verifyElements(mlir::Operation *op, const NamedOperands &operands);

/// (C5), (G4), (K4)
llvm::LogicalResult verifyStatic(mlir::Operation *op, NamedOperand operand, unsigned dim, llvm::StringRef what);

/// (C7), (C8)
llvm::LogicalResult verifyN(mlir::Operation *op, int64_t n);
llvm::LogicalResult verifyK(mlir::Operation *op, int64_t k);
/// G, M, N and K are counted in 32 bits in a kernel; dynamic ones hold.
llvm::LogicalResult verifySize(mlir::Operation *op, llvm::StringRef what, int64_t size);

/// (C9), (K6): blocks of 128 columns, and of one of these numbers of rows.
llvm::LogicalResult verifyBlock(mlir::Operation *op, llvm::StringRef name, ScaleAttr scale,
                                llvm::ArrayRef<int64_t> rows);

/// (C10), (C11), (K7): `operand` is in its last two dimensions the storage of the scales of a
/// [rows, k] matrix. With a dynamic k it may have any number of K blocks.
llvm::LogicalResult verifyStorage(mlir::Operation *op, NamedOperand operand, llvm::StringRef rowsName, int64_t rows,
                                  int64_t k, ScaleAttr scale);

/// (C12), (C13), (C14), (G6), (K8): of a matrix; of scales.
llvm::LogicalResult verifyMatrixMemory(mlir::Operation *op, NamedOperand matrix);
llvm::LogicalResult verifyScaleMemory(mlir::Operation *op, NamedOperand scales, ScaleAttr scale);

/// (C16), and on the memory of all operands (C12), (C13), (C14), (G6), (K8), and (C15).
llvm::LogicalResult verifyC(mlir::Operation *op, const NamedOperands &operands);
llvm::LogicalResult verifyMemory(ProductOpInterface op, const NamedOperands &operands);
llvm::LogicalResult verifyResults(ProductOpInterface op);

/// (C21)
llvm::LogicalResult verifyQuantised(ProductOpInterface op, const NamedOperands &operands);

/// (C17), (C18), (C19), (G7): operands and region of the epilogue.
llvm::LogicalResult verifyEpilogue(ProductOpInterface op, const NamedOperands &operands);

/// (Q9)
llvm::LogicalResult verifyPrologue(QuantizeOp op);

/// (G3), (K3): `entries` may be dynamic; `what` they are.
llvm::LogicalResult verifyGroups(mlir::Operation *op, NamedOperand groups, int64_t entries, llvm::StringRef what);

} // namespace fp8gemm::verification

#endif // FP8GEMM_LIB_DIALECT_FP8GEMM_IR_VERIFY_H
