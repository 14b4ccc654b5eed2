// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared definitions of the products.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPBASE_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPBASE_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmAttrs.td"
include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def FP8Gemm_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef],
                               "ranked tensor or strided memref">;

/// Destination-style; memref operands are read, except D, which is written.
class FP8Gemm_ProductOp<string mnemonic, list<Trait> traits = []> : Op<FP8Gemm_Dialect, mnemonic, !listconcat(traits, [
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>, FP8Gemm_ProductOpInterface])> {
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let hasVerifier = 1;
  let hasCanonicalizer = 1;

  /// The methods of the interface that are not accessors of operands or attributes.
  code productMethods = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return {getOperation(), getDMutable().getOperandNumber(), getSfd() ? 2u : 1u}; // one after the other
    }
    int64_t getM();
    int64_t getN();
    int64_t getK();
    int64_t getGroupCount();
  }];
}

def FP8Gemm_EpilogueYieldOp : Op<FP8Gemm_Dialect, "yield", [Pure, Terminator,
                                                        ParentOneOf<["GemmOp", "GroupedGemmOp", "QuantizeOp"]>]> {
  let summary = "what an epilogue or a prologue computes, in f32";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

/// Of products that have an epilogue: its region is a function of its own.
defvar FP8Gemm_EpilogueTraits = [AttrSizedOperandSegments, IsolatedFromAbove];

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPBASE_TD
