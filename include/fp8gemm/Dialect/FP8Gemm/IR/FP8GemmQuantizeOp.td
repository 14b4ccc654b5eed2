// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantisation, which comes before a product.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMQUANTIZEOP_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMQUANTIZEOP_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOpBase.td"

def FP8Gemm_QuantizeOp : Op<FP8Gemm_Dialect, "quantize", [IsolatedFromAbove,
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "block-scaled quantisation to FP8, as the A or B of a product";
  let description = [{
    ```
    amax(mb, kb)   = max over m in block mb and k in block kb of |X[m, k]|
    scales(mb, kb) = max(amax(mb, kb), 1e-4) / largest
    Q[m, k]        = f8(X[m, k] * (1 / scales(mb, kb)))
    ```
    K is divided into blocks kb of 128 elements; the last one may be shorter. A block mb is a row, or, if `scale` has 128x128
    blocks, 128 rows, of which the last one may have fewer. `largest` is the largest finite element
    of Q: 448 (f8E4M3FN) or 57344 (f8E5M2). With `power_of_two`, scales are rounded up to the next power of two. All
    operations are those of f32, rounded to nearest even, and so is the conversion to FP8: the result has the same bits
    everywhere. A block with a NaN or an infinity has the scale NaN, and all of its elements are NaN (docs/Numerics.md).

    The *prologue* (optional) computes what is quantised: `prologue(X[m, k])` takes the place of X[m, k]. It is a function of
    scalars, as the epilogue of `fp8gemm.gemm` is: it takes an element of `x`, extended to f32, and yields an f32, which is not
    rounded to the type of `x`.

    A quantisation is `gated` if two elements of `x` make one of Q, as between the two products of gated linear units: `x` is
    [M, 2K], the gate's K columns and then those that pass it, as a product gives them whose weights checkpoints stack. The
    prologue takes both elements, of columns k and K + k. Columns that alternate, gate and up, are another matrix: reorder the weights.

    Operands (M static or dynamic; K static):
    - `x`: [M, K] bf16, f16 or f32; if gated [M, 2K]
    - `q`: [M, K] f8E4M3FN or f8E5M2, overwritten
    - `scales`: f32 scales, stored according to `scale`, overwritten; storage of mn_major scales that is longer than their
      rows keeps its contents there

    `q` and `scales` can be `a` and `sfa` of `fp8gemm.gemm`, or its `b` and `sfb`: the constraints on memory are the same. On tensors, the
    results are the new values of `q` and `scales`; on memrefs there are none. `q` and `scales` overlap no operand.

    `kernel` is the GPU kernel built for this operation (see `convert-fp8gemm-to-hopper`).

    Constraints: (C8), (C12), (C13) and (C14) of `fp8gemm.gemm` (of `x`, `q` and `scales`), and
    - (Q1) operands are all tensors or all memrefs, each of rank 2
    - (Q2) `x` has element type bf16, f16 or f32
    - (Q3) `q` has element type f8E4M3FN or f8E5M2, `scales` f32
    - (Q4) K is static, in `x` and `q`
    - (Q5) `q` has the shape of `x`; if gated half of its columns
    - (Q6) `scale` has 1x128 or 128x128 blocks
    - (Q7) `scales` has the storage shape that `scale` requires
    - (Q8) on tensors there are two results, of the types of `q` and `scales`; on memrefs none
    - (Q9) the region of the prologue takes an f32, if gated two, and yields an f32; its operations are those of an epilogue (C18).
           A gated quantisation has a prologue

    Groups of rows and other blocks are not implemented; other blocks are rejected with an error.

    Examples: the activations of a product; its weights; the activations of the second product of a SwiGLU, of what the first one gives.
    ```mlir
    fp8gemm.quantize %x into %a scaled_by %sfa <1x128, mn_major>
      : memref<?x2048xbf16>, memref<?x2048xf8E4M3FN>, memref<16x?xf32>

    fp8gemm.quantize %w into %b scaled_by %sfb <128x128, k_major>
      : memref<7168x2048xbf16>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>

    fp8gemm.quantize %x into %a scaled_by %sfa <1x128, mn_major>
      : memref<?x4096xbf16>, memref<?x2048xf8E4M3FN>, memref<16x?xf32> gated prologue {
    ^bb0(%gate: f32, %up: f32):
      %negated = arith.negf %gate : f32
      %power = math.exp %negated : f32
      %one = arith.constant 1.0 : f32
      %sum = arith.addf %one, %power : f32
      %silu = arith.divf %gate, %sum : f32
      %product = arith.mulf %silu, %up : f32
      fp8gemm.yield %product : f32
    }
    ```
  }];
  let arguments = (ins FP8Gemm_Shaped:$x, FP8Gemm_Shaped:$q, FP8Gemm_Shaped:$scales, FP8Gemm_ScaleAttr:$scale,
                       UnitAttr:$power_of_two, UnitAttr:$gated, OptionalAttr<SymbolRefAttr>:$kernel);
  let regions = (region MaxSizedRegion<1>:$prologue);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $x `into` $q `scaled_by` $scales $scale (`power_of_two` $power_of_two^)? attr-dict
    `:` type($x) `,` type($q) `,` type($scales) (`->` type($results)^)?
    (`gated` $gated^)? custom<Prologue>($prologue)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return {getOperation(), /*start=*/1, /*length=*/2}; }
    /// M, or ShapedType::kDynamic.
    int64_t getM();
    int64_t getK();
    ::mlir::Type getXElement() { return ::mlir::getElementTypeOrSelf(getX().getType()); }
    ::mlir::Type getQElement() { return ::mlir::getElementTypeOrSelf(getQ().getType()); }
    /// Null if X is quantised as it is.
    ::mlir::Block *getPrologueBody() { return getPrologue().empty() ? nullptr : &getPrologue().front(); }
    /// True if storage of `scales` may be longer than what is written.
    bool keepsPartOfScales();
  }];
  let hasVerifier = 1;
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMQUANTIZEOP_TD
