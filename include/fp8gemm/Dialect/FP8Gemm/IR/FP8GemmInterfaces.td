// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMINTERFACES_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMINTERFACES_TD

include "mlir/IR/OpBase.td"

def FP8Gemm_ProductOpInterface : OpInterface<"ProductOpInterface"> {
  let cppNamespace = "::fp8gemm";
  let description = [{
    The common part of all products, grouped or not: operands, scales, extents, and the
    schedule and the kernel once they are chosen. Passes that choose a schedule or build a
    kernel use this interface.
  }];
  let methods = [
    InterfaceMethod<"", "::mlir::Value", "getA">,
    InterfaceMethod<"", "::mlir::Value", "getSfa">,
    InterfaceMethod<"", "::mlir::Value", "getB">,
    InterfaceMethod<"", "::mlir::Value", "getSfb">,
    InterfaceMethod<"The added operand; null if there is none.", "::mlir::Value", "getC">,
    InterfaceMethod<"", "::mlir::Value", "getD">,
    InterfaceMethod<"The scales of a quantised D; null if there are none.", "::mlir::Value", "getSfd">,
    InterfaceMethod<"How they are stored.", "::fp8gemm::ScaleAttr", "getDScaleAttr">,
    InterfaceMethod<"Whether they are powers of two.", "bool", "getPowerOfTwo">,
    InterfaceMethod<"The function of scalars that computes D from the sum; null if D is the sum.", "::mlir::Block *",
                    "getEpilogueBody">,
    InterfaceMethod<"Its operands, one for each argument after the sum, or the sums.", "::mlir::OperandRange",
                    "getEpilogueOperands">,
    InterfaceMethod<"True if two elements of the product, of rows n and N/2 + n of B, make one of D.", "bool", "isGated">,
    InterfaceMethod<"The description of the groups; null if there is none.", "::mlir::Value", "getGroups">,
    InterfaceMethod<"Its form; null if there is none.", "::fp8gemm::GroupingAttr", "getGroupingAttr">,
    InterfaceMethod<"", "::fp8gemm::ScaleAttr", "getAScale">,
    InterfaceMethod<"", "::fp8gemm::ScaleAttr", "getBScale">,
    InterfaceMethod<"", "::fp8gemm::ConfigAttr", "getConfigAttr">,
    InterfaceMethod<"", "void", "setConfigAttr", (ins "::fp8gemm::ConfigAttr":$config)>,
    InterfaceMethod<"", "::mlir::SymbolRefAttr", "getKernelAttr">,
    InterfaceMethod<"", "void", "setKernelAttr", (ins "::mlir::SymbolRefAttr":$kernel)>,
    InterfaceMethod<"M, or ShapedType::kDynamic: all rows of A, or those of each group if A has rank 3.",
                    "int64_t", "getM">,
    InterfaceMethod<"", "int64_t", "getN">,
    InterfaceMethod<"K, or ShapedType::kDynamic: the sum over all groups if K is grouped.", "int64_t", "getK">,
    InterfaceMethod<"Number of groups; 1 for a single product.", "int64_t", "getGroupCount">,
  ];
  let extraSharedClassDeclaration = [{
    /// Columns of D.
    int64_t getColumnsOfD() { return $_op.isGated() ? $_op.getN() / 2 : $_op.getN(); }
    /// True if D is read as C and overwritten.
    bool isInPlace() { return $_op.getC() == $_op.getD(); }
    /// True if parts of D may keep their contents: padding rows.
    bool keepsPartOfD() {
      ::fp8gemm::GroupingAttr grouping = $_op.getGroupingAttr();
      return grouping && grouping.getKind() != ::fp8gemm::GroupingKind::k_count;
    }
    /// True if storage of D's scales may be longer than what is written.
    bool keepsPartOfScalesOfD() {
      if (!$_op.getSfd() || $_op.getDScaleAttr().getLayout() == ::fp8gemm::ScaleLayout::k_major)
        return false;
      int64_t stored = ::llvm::cast<::mlir::ShapedType>($_op.getSfd().getType()).getShape().back();
      return ::mlir::ShapedType::isDynamic(stored) || stored != $_op.getM();
    }
    /// True if each row of B has its own scales (recipe 1d1d).
    bool isBScaledByRows() { return $_op.getBScale().getRows() == 1; }
    ::mlir::Type getAElement() { return ::mlir::getElementTypeOrSelf($_op.getA().getType()); }
    ::mlir::Type getBElement() { return ::mlir::getElementTypeOrSelf($_op.getB().getType()); }
    ::mlir::Type getDElement() { return ::mlir::getElementTypeOrSelf($_op.getD().getType()); }
  }];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMINTERFACES_TD
