// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Panels.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// 256 columns of f32 in rows of 32 bytes.
static constexpr int64_t kMostPanels = 32;

LogicalResult fp8gemm::hopper::verifyPanels(Operation *op, StringRef name, MemRefType panels, bool isStored) {
  Type element = panels.getElementType();
  bool isF8 = isStored && isa<Float8E4M3FNType>(element);
  if (panels.getRank() != 3 || !(element.isBF16() || element.isF32() || isF8) || !hasSwizzledRows(panels))
    return op->emitOpError() << "expected '" << name << "' to be [panels, rows, w] bf16"
                             << (isStored ? ", f32 or f8E4M3FN" : " or f32")
                             << " with rows of 32, 64 or 128 bytes, got " << panels;
  if (panels.getDimSize(0) > kMostPanels)
    return op->emitOpError() << "expected '" << name << "' to have at most " << kMostPanels << " panels, got "
                             << panels.getDimSize(0);
  if (!hasDirectRows(panels))
    return op->emitOpError() << "expected the rows of a panel of '" << name << "' to follow each other directly, got "
                             << panels;
  return success();
}

LogicalResult fp8gemm::hopper::verifyPanels(Operation *op, StringRef name, MemRefType panels, bool isStored,
                                            FragmentType fragment) {
  if (failed(verifyPanels(op, name, panels, isStored)))
    return failure();
  if (panels.getDimSize(1) != 64)
    return op->emitOpError() << "expected '" << name << "' to hold 64 rows, got " << panels.getDimSize(1);
  int64_t columns = panels.getDimSize(0) * panels.getDimSize(2);
  if (columns != fragment.getColumns())
    return op->emitOpError() << "expected '" << name << "' to hold " << fragment.getColumns() << " columns, got "
                             << columns;
  return success();
}
