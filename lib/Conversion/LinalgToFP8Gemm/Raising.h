// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The raising of one contraction.

#ifndef FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_RAISING_H
#define FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_RAISING_H

#include "Factors.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

namespace fp8gemm::raising {

/// A or B, and its scales.
struct Side {
  llvm::StringRef name;
  Loop row;
  llvm::SmallVector<Factor> matrices{}, scales{}; ///< the factors that are FP8, and the others
  mlir::Value matrix{}, scale{};
  ScaleAttr attribute{};
};

class Raising {
public:
  explicit Raising(mlir::linalg::LinalgOp op) : op(op) {}

  /// Replaces the contraction; leaves it as it is, with a remark that says why, where it is no product that an
  /// operation has.
  void run();

private:
  llvm::LogicalResult findLoops();
  llvm::LogicalResult findFactors();
  llvm::LogicalResult findSides();
  llvm::LogicalResult matchMatrix(Side &side);
  llvm::LogicalResult matchScales(Side &side);
  llvm::LogicalResult replace();

  llvm::LogicalResult refuse(const llvm::Twine &reason);
  mlir::AffineExpr indexOf(Loop loop) { return mlir::getAffineDimExpr(loop, op.getContext()); }
  bool isFor(mlir::AffineExpr index, mlir::AffineExpr expected, int64_t extent);
  bool isOfGroup(const View &view) { return !isBatched || isFor(view.at[0], indexOf(kGroup), extents[kGroup]); }
  Side *sideOf(const Factor &factor);
  std::string place(const Factor &factor, Loop row);
  std::string element() { return isBatched ? "element (group, row, k)" : "element (row, k)"; }
  mlir::Operation *create(mlir::OpBuilder &builder, mlir::Type type, mlir::Value c, mlir::Value d);

  mlir::linalg::LinalgOp op;
  bool isBatched = false;
  llvm::SmallVector<mlir::AffineExpr> loops;       ///< the index that each loop of `op` has
  std::array<int64_t, kLoops> extents{1, 1, 1, 1}; ///< of our loops; may be dynamic
  llvm::SmallVector<Factor> factors;
  Side a{"a", kRowOfA}, b{"b", kRowOfB};
};

/// Why the verifier of `op` says no; nothing if it doesn't.
std::optional<std::string> invalidity(mlir::Operation *op);

/// For messages: anything that prints itself; a shape, [8, ?].
template <typename T> std::string toString(const T &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}
std::string shapeToString(llvm::ArrayRef<int64_t> shape);

} // namespace fp8gemm::raising

#endif // FP8GEMM_LIB_CONVERSION_LINALGTOFP8GEMM_RAISING_H
