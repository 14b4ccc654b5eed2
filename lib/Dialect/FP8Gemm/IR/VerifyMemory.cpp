// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strides and offsets of operands.

#include "Verify.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

/// The alignment that cuTensorMapEncodeTiled requires of the address and the strides of a tensor
/// in global memory.
static constexpr int64_t kTmaAlignmentBytes = 16;

/// The name of the outer dimension `dim`.
static StringRef outerName(NamedOperand operand, unsigned dim) { return dim + 2 == operand.rank() ? "row" : "group"; }

/// Rows, and groups of them, don't share elements. Groups may lie in each other's gaps: the
/// dimension with the smaller stride is the inner one.
static LogicalResult verifyNoOverlap(Operation *op, NamedOperand operand, ArrayRef<int64_t> strides) {
  ArrayRef<int64_t> shape = operand.type.getShape();
  if (ShapedType::isDynamic(shape.back()) || llvm::is_contained(shape, 0))
    return success();
  SmallVector<std::pair<int64_t, unsigned>> inward;
  for (unsigned dim = 0; dim + 1 < shape.size(); ++dim)
    if (!ShapedType::isDynamic(strides[dim]))
      inward.emplace_back(strides[dim], dim);
  // Of two with one stride, that of a single row or group is the inner one.
  llvm::sort(inward, [&](auto lhs, auto rhs) {
    return std::pair(lhs.first, shape[lhs.second]) < std::pair(rhs.first, shape[rhs.second]);
  });
  uint64_t span = shape.back();
  for (auto [stride, dim] : inward) {
    StringRef name = outerName(operand, dim);
    if (stride < 0 || uint64_t(stride) < span)
      return op->emitOpError("expected '")
             << operand.name << "' " << name << "s not to overlap (" << name << " stride of at least " << span
             << " elements), got a stride of " << stride;
    if (!ShapedType::isDynamic(shape[dim]))
      span = llvm::SaturatingMultiplyAdd<uint64_t>(shape[dim] - 1, stride, span);
  }
  return success();
}

/// (C12), (C13), (G6), (K8). Strides that are only known when the operation runs are the
/// caller's to keep; the runtime checks those that it is given.
static LogicalResult verifyLayout(Operation *op, NamedOperand operand, bool byTma) {
  auto memref = dyn_cast<MemRefType>(operand.type);
  if (!memref)
    return success();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return op->emitOpError("expected '") << operand.name << "' to be a strided memref, got " << memref;
  if (!ShapedType::isDynamic(strides.back()) && strides.back() != 1)
    return op->emitOpError("expected '") << operand.name << "' " << (operand.rank() > 1 ? "rows " : "")
                                         << "to be contiguous (innermost stride 1), got stride " << strides.back();
  if (!byTma)
    return success();

  int64_t elementBytes = memref.getElementTypeBitWidth() / 8;
  auto isAligned = [&](const Twine &what, int64_t elements) -> LogicalResult {
    // Elements are of 1, 2 or 4 bytes. Not multiplied before: a stride may be close to 2^63.
    if (ShapedType::isDynamic(elements) || elements % (kTmaAlignmentBytes / elementBytes) == 0)
      return success();
    return op->emitOpError("expected '") << operand.name << "' " << what << " to be a multiple of "
                                         << kTmaAlignmentBytes << " bytes, got "
                                         << int64_t(uint64_t(elements) * elementBytes) << " bytes";
  };
  for (unsigned dim = 0; dim + 1 < strides.size(); ++dim)
    if (failed(isAligned(outerName(operand, dim) + " stride", strides[dim])))
      return failure();
  if (failed(isAligned("offset", offset)))
    return failure();
  return verifyNoOverlap(op, operand, strides);
}

/// (C14)
static LogicalResult verifyTensorScaleRows(Operation *op, NamedOperand scales) {
  int64_t columns = scales.type.getShape().back();
  if (isa<MemRefType>(scales.type) || ShapedType::isDynamic(columns) || columns % 4 == 0)
    return success();
  return op->emitOpError("expected '") << scales.name << "' rows to be a multiple of 4 scales (mn_major), got "
                                       << columns << "; pad them to " << llvm::alignTo(columns, 4);
}

LogicalResult verification::verifyMatrixMemory(Operation *op, NamedOperand matrix) {
  return verifyLayout(op, matrix, /*byTma=*/true);
}

LogicalResult verification::verifyScaleMemory(Operation *op, NamedOperand scales, ScaleAttr scale) {
  // Scales of which TMA can bring a tile's: those of 1x128 blocks, one K block after the other.
  bool byTma = scale.getRows() == 1 && scale.getLayout() == ScaleLayout::mn_major;
  return failure(failed(verifyLayout(op, scales, byTma)) || (byTma && failed(verifyTensorScaleRows(op, scales))));
}

LogicalResult verification::verifyMemory(ProductOpInterface op, const NamedOperands &operands) {
  for (const NamedOperand &matrix : {operands.a, operands.b, operands.c, operands.d})
    if (matrix && failed(verifyMatrixMemory(op, matrix)))
      return failure();
  if (failed(verifyScaleMemory(op, operands.sfa, op.getAScale())) ||
      failed(verifyScaleMemory(op, operands.sfb, op.getBScale())))
    return failure();
  return operands.groups ? verifyLayout(op, operands.groups, /*byTma=*/false) : success();
}
