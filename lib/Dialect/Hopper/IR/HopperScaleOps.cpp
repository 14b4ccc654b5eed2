// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales in global and shared memory, and in the layouts of accumulators.

#include "Panels.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Scales that one operation moves, 32 a lane.
static constexpr int64_t kMostScales = 1024;

void FetchScalesOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getValues(), "fetched"); }

void LoadScalesOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getScales(), stringifyAxis(getScales().getType().getAxis()));
}

LogicalResult FetchScalesOp::verify() {
  int64_t count = getCount(), step = getStep(), per = getPer();
  int64_t lanes = cast<VectorType>(getValues().getType()).getNumElements();
  if (count < 1 || step < 1 || per < 1)
    return emitOpError() << "expected 'count', 'step' and 'per' to be positive, got " << count << ", " << step << ", "
                         << per;
  if (count > kMostScales)
    return emitOpError() << "expected at most " << kMostScales << " scales, got " << count;
  if (lanes != int64_t(llvm::divideCeil(count, 32)))
    return emitOpError() << "expected " << llvm::divideCeil(count, 32) << " elements a lane for " << count
                         << " scales, got " << lanes;
  SmallVector<int64_t> strides;
  int64_t offset;
  auto source = cast<MemRefType>(getSource().getType());
  if (source.getRank() != (getGroup() ? 3 : 2))
    return emitOpError() << "expected 'source' to have rank " << (getGroup() ? 3 : 2) << ", got " << source;
  if (failed(source.getStridesAndOffset(strides, offset)) || !llvm::is_contained(ArrayRef(strides).take_back(2), 1))
    return emitOpError() << "expected 'source' to have one unit stride, got " << source;
  return success();
}

/// (C2) of put_scales.
static LogicalResult verifyScalesOfRows(PutScalesOp op, ScalesType scales, MemRefType buffer) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (scales.getAxis() != Axis::rows || scales.getBlock() != 1)
    return op.emitOpError() << "expected scales of 64 rows by 1, got " << scales;
  if (buffer.getMemorySpace() || buffer.getRank() != (op.getGroup() ? 3 : 2) ||
      failed(buffer.getStridesAndOffset(strides, offset)) || !llvm::is_contained(ArrayRef(strides).take_back(2), 1))
    return op.emitOpError() << "expected 'buffer' to be in global memory, of rank " << (op.getGroup() ? 3 : 2)
                            << " and with one unit stride, got " << buffer;
  return success();
}

LogicalResult PutScalesOp::verify() {
  if (getODSOperandIndexAndLength(0).second != 1 || getODSOperandIndexAndLength(1).second != 1)
    return emitOpError("expected one operand each of 'values' and 'buffer', got another number");
  auto buffer = cast<MemRefType>(getBuffer().getType());
  auto scales = dyn_cast<ScalesType>(getValues().getType());
  bool isWhole = getRow() && getKBlock() && getRows();
  if (bool(scales) != isWhole || (!scales && (getGroup() || getRows())))
    return emitOpError() << "expected 'row', 'k_block' and 'rows' for scales and not for a vector, got "
                         << getValues().getType();
  if (scales)
    return verifyScalesOfRows(*this, scales, buffer);
  int64_t elements = cast<VectorType>(getValues().getType()).getNumElements();
  if (elements > kMostScales / 32)
    return emitOpError() << "expected at most " << kMostScales / 32 << " elements a lane, got " << elements;
  int64_t room = 32 * elements;
  if (buffer.getRank() != 1 || !buffer.getElementType().isF32() || buffer.getDimSize(0) > room || !isDirect(buffer))
    return emitOpError() << "expected 'buffer' to be rank-1 f32 of at most " << room << " elements, got " << buffer;
  return success();
}

LogicalResult LoadScalesOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  ScalesType scales = getScales().getType();
  int64_t count = scales.getExtent() / scales.getBlock();
  if (source.getRank() != 1 || !source.getElementType().isF32() || source.getDimSize(0) != count || !isDirect(source))
    return emitOpError() << "expected 'source' to be rank-1 f32 of " << count << " elements, got " << source;
  return success();
}
