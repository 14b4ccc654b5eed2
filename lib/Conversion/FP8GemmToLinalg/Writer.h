// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Helpers with which all conversions to linalg create operations.

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTOLINALG_WRITER_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTOLINALG_WRITER_H

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace fp8gemm::linalg_conversion {

/// A part of a value: its first dimension may be dropped.
struct Window {
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;
  unsigned rank;
};

/// Writes linalg that reads the same on tensors and on memrefs: on memrefs each
/// operation writes its destination and returns it.
class Writer : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using OpFoldResult = mlir::OpFoldResult;

  /// For an operation whose operands are all tensors or all memrefs.
  Writer(mlir::PatternRewriter &rewriter, mlir::Operation *op)
      : ImplicitLocOpBuilder(op->getLoc(), rewriter),
        onTensors(llvm::isa<mlir::TensorType>(op->getOperand(0).getType())) {}

  bool isOnTensors() const { return onTensors; }
  /// Those of a product: on tensors D and, if that is quantised, its scales; on memrefs none.
  llvm::SmallVector<Value> results(Value d, Value sfd);

  Value index(int64_t value);
  Value value(OpFoldResult index);
  /// In [0, last].
  Value clamp(Value index, OpFoldResult last);
  Value smaller(Value lhs, OpFoldResult rhs);
  Value add(Value lhs, Value rhs);
  Value subtract(OpFoldResult lhs, Value rhs);
  Value multiply(Value lhs, OpFoldResult rhs);
  Value divideCeil(Value index, int64_t divisor);
  Value compare(mlir::arith::CmpIPredicate predicate, Value lhs, Value rhs);
  Value isPositive(Value index) { return compare(mlir::arith::CmpIPredicate::sgt, index, this->index(0)); }
  Value select(Value condition, Value yes, Value no);

  /// The size of a dimension.
  OpFoldResult size(Value shaped, unsigned dim);
  /// An i32 of a description, as an index.
  Value load(Value description, Value at);

  /// A temporary of f32, uninitialised.
  Value temporary(llvm::ArrayRef<OpFoldResult> sizes);
  /// Ends the life of a temporary; on tensors that is bufferization's to do.
  void free(Value value);

  Value slice(Value source, llvm::ArrayRef<OpFoldResult> offsets, llvm::ArrayRef<OpFoldResult> sizes);
  Value slice(Value source, const Window &window);
  /// `whole` with `part` in the window that it is a slice of.
  Value insert(Value part, Value whole, const Window &window);
  /// rows * columns consecutive elements as a matrix.
  Value matrix(Value elements, int64_t rows, OpFoldResult columns);

  Value fillZero(Value output);

  /// One linalg.generic; `maps` are those of `inputs`, then of `output`. `body`
  /// makes the new element of `output` of their elements.
  Value generic(mlir::ValueRange inputs, Value output, llvm::ArrayRef<mlir::AffineMap> maps,
                llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                llvm::function_ref<Value(ImplicitLocOpBuilder &, mlir::ValueRange)> body);

  /// for i in [0, count): state = body(i, state); `state` is a part of memory or a tensor.
  Value loop(OpFoldResult count, Value state, llvm::function_ref<Value(Value, Value)> body);
  /// for i in [first, last): state = body(i, state); `state` is an index.
  Value reduce(Value first, Value last, Value state, llvm::function_ref<Value(Value, Value)> body);
  /// if (condition) state = body(); `state` is a part of memory or a tensor.
  Value when(Value condition, Value state, llvm::function_ref<Value()> body);

private:
  bool onTensors;
};

/// A product of matrices: what each group of a grouped product is, too.
struct Product {
  mlir::Value a, sfa, b, sfb, c, d; ///< of rank 2; c is null where nothing is added
  ScaleAttr aScale, bScale;
  mlir::OpFoldResult m, n, k;
  mlir::Block *epilogue = nullptr; ///< null where D is the sum
  bool isGated = false;            ///< of the sums of B's rows n and N/2 + n
  llvm::SmallVector<mlir::Value> epilogueOperands;
};

/// Writes `product`; returns what D is then.
mlir::Value write(Writer &writer, const Product &product);

/// Q: [m, k] = f8(X / scales), with scales of 1x128 or 128x128 blocks of X.
struct Quantization {
  mlir::Value x;
  ScaleAttr scale;
  bool powerOfTwo;
  mlir::Type f8;
  mlir::OpFoldResult m;
  int64_t k;
  /// Of a block of 128 rows: its first row, and its number; m are its rows then.
  mlir::OpFoldResult first = {}, number = {};
};

/// Writes the scales of X; and Q, of the scales. Each returns what its destination is then.
mlir::Value writeScales(Writer &writer, const Quantization &quantization, mlir::Value scales);
mlir::Value writeElements(Writer &writer, const Quantization &quantization, mlir::Value scales, mlir::Value q);

/// The result of a body of scalars, which yields one, of these arguments.
mlir::Value inlineBody(mlir::ImplicitLocOpBuilder &builder, mlir::Block *body, mlir::ValueRange arguments);

void populateGroupedPatterns(mlir::RewritePatternSet &patterns);
void populateQuantizePatterns(mlir::RewritePatternSet &patterns);

} // namespace fp8gemm::linalg_conversion

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOLINALG_WRITER_H
