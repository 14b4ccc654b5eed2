// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hopper dialect: warp-specialised kernels.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fp8gemm/Dialect/Hopper/IR/HopperDialect.h.inc"
#include "fp8gemm/Dialect/Hopper/IR/HopperEnums.h.inc"

namespace fp8gemm::hopper {
/// Fails, with an error, if an operation has an attribute without a dialect prefix that it does not define: a
/// misspelt one would be ignored silently.
llvm::LogicalResult verifyKnownAttributes(mlir::Operation *op);

template <typename ConcreteType>
class KnownAttributes : public mlir::OpTrait::TraitBase<ConcreteType, KnownAttributes> {
public:
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) { return verifyKnownAttributes(op); }
};
} // namespace fp8gemm::hopper

#include "fp8gemm/Dialect/Hopper/IR/HopperInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperTypes.h.inc"
#define GET_OP_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperOps.h.inc"

namespace fp8gemm::hopper {
/// True for an operation of arith or math that computes each element of one fragment from the elements at the same
/// place of its operands. Operands that are not fragments are scalars, and serve every element.
bool isElementwise(mlir::Operation *op);

/// True for an operation that the body of hopper.map may have: a constant, or an elementwise operation of arith or math
/// on scalars.
bool isScalarOperation(mlir::Operation *op);

/// True if `op` itself reads or writes registers of accumulators. The products of hopper.mma, which the tensor core
/// writes, and what structured control flow passes on do not count.
bool accessesFragments(mlir::Operation *op);

inline bool isFence(mlir::Operation *op, FenceKind kind) {
  auto fence = llvm::dyn_cast<FenceOp>(op);
  return fence && fence.getKind() == kind;
}

/// Whether `op` is hopper.griddepcontrol wait, or launch_dependents.
inline bool isGriddepcontrol(mlir::Operation *op, Dependence kind) {
  auto control = llvm::dyn_cast<GriddepcontrolOp>(op);
  return control && control.getKind() == kind;
}
} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPER_H
