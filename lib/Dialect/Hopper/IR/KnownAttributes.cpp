// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect has attributes of its operations, and no discardable ones: those would be ignored.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

static LogicalResult refuse(Operation *op, NamedAttribute attribute) {
  return op->emitOpError() << "expected no attribute with the prefix of the hopper dialect: the facts of a kernel are "
                              "those of hopper.kernel and hopper.entry, got "
                           << attribute.getName();
}

LogicalResult HopperDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  return refuse(op, attribute);
}

LogicalResult HopperDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return refuse(op, attribute);
}

LogicalResult HopperDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return refuse(op, attribute);
}

LogicalResult fp8gemm::hopper::verifyKnownAttributes(Operation *op) {
  // Those with two underscores are analyses' notes of upstream.
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (StringRef name = attribute.getName(); !name.contains('.') && !name.starts_with("__"))
      return op->emitOpError() << "expected no attribute that it does not define, got " << attribute.getName();
  return success();
}
