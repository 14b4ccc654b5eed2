// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product, and the files of the other operations.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmGroupedOps.td"
include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOpBase.td"
include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmQuantizeOp.td"

def FP8Gemm_GemmOp : FP8Gemm_ProductOp<"gemm", FP8Gemm_EpilogueTraits> {
  let summary = "block-scaled FP8 matrix product";
  let description = [{
    ```
    D[m, n] = epilogue(C[m, n] + sum over kb of  sfa(m, kb) * sfb(n, kb) * sum over k in block kb of A[m, k] * B[n, k])
    ```
    K is divided into blocks kb of 128 elements; the last one may be shorter. docs/Numerics.md
    specifies the roundings and bounds the error.

    Operands (M static or dynamic; N and K static):
    - `a`: [M, K] f8E4M3FN or f8E5M2, K-major
    - `sfa`: f32 scales of A, stored according to `a_scale`
    - `b`: [N, K] f8E4M3FN or f8E5M2, K-major
    - `sfb`: f32 scales of B, stored according to `b_scale`
    - `c` (optional): [M, N] of D's type, added to the product
    - `epilogue_operands` (any number): f32, bf16 or f16, of shapes that broadcast to that of D: scalars [], rows [N],
      columns [M, 1], matrices [M, N]
    - `d`: [M, N] bf16, f32 or f8E4M3FN, overwritten
    - `sfd` (of a d of f8E4M3FN): f32 scales of D, stored according to `d_scale`, overwritten

    The *epilogue* (optional) computes an element of D from the f32 sum, and from an element of each of its operands.
    It is a function of scalars, as the body of linalg.generic is: its arguments are the sum, including C, and for each
    operand the element that belongs to this element of D, extended to f32. It yields an f32, which is rounded to the
    type of D. The shape of an operand says which element that is, as NumPy broadcasts: of a row [N] it is element n, of a
    column [M, 1] element m, of a matrix [M, N] element [m, n], and of a scalar [] the only one. Each element is computed once, from the complete sum, in the order that the region has.

    A product is `gated` if two elements of it make one of D, as in gated linear units: `b` is two matrices [N/2, K], one
    below the other, of which the first gives the gate and the second what passes it; `d` is [M, N/2], and so are
    rows and matrices of the epilogue [N/2] and [M, N/2]. The epilogue takes both sums, of rows n and N/2 + n of `b`,
    before the elements of its operands.

    With a `d` of f8E4M3FN, the product is quantised: D and `sfd` are what `fp8gemm.quantize` makes of the f32 values of the
    epilogue (or the sums), as the A of a next product and its scales, with the same bits; with `power_of_two`, scales are powers of
    two.

    `b_scale` names the recipe: 128x128 blocks are 1d2d (forward, data gradient),
    1x128 blocks are 1d1d (weight gradient).

    On tensors the result is the new value of `d`; on memrefs there is no result.
    A memref operand may have a leading dimension larger than the length of its rows.
    `d` must not overlap any other operand, with one exception: if `c` and `d` are the
    same value, the product is *in place*, D += A * B^T.

    `config` is the schedule (see `fp8gemm-select-config`), `kernel` the GPU
    kernel built for this operation (see `convert-fp8gemm-to-hopper`).

    Constraints (those on dynamic extents must hold when the operation runs):
    - (C1) operands are all tensors or all memrefs, each of rank 2
    - (C2) `a` and `b` each have element type f8E4M3FN or f8E5M2
    - (C3) `sfa` and `sfb` have element type f32
    - (C4) `d` has element type bf16 or f32, or with `sfd` f8E4M3FN
    - (C5) N and K are static, in every operand that has them
    - (C6) `a` and `b` agree on K; `d` is [rows of `a`, rows of `b`]
    - (C7) N is a positive multiple of 8
    - (C8) K is a positive multiple of 16
    - (C9) `a_scale` has 1x128 blocks, `b_scale` has 128x128 or 1x128 blocks
    - (C10) `sfa` has the storage shape that `a_scale` requires
    - (C11) `sfb` has the storage shape that `b_scale` requires
    - (C12) memref rows are contiguous: the innermost stride is 1
    - (C13) memref rows start at multiples of 16 bytes and don't overlap
            (`a`, `b`, `c`, `d`, and scales of 1x128 blocks that are mn_major)
    - (C14) tensors of mn_major scales of 1x128 blocks have rows of a multiple of 4 scales
    - (C15) on tensors there are results of the types of `d` and, if it is there, `sfd`; on memrefs none
    - (C16) `c` has the shape and the element type of `d`
    - (C17) an operand of the epilogue has element type f32, bf16 or f16, and a shape that broadcasts to that of `d`:
            each of its extents, from the last one on, is 1 or that of `d`
    - (C18) the region of the epilogue takes an f32, and one for each operand, and yields an f32; its operations are
            constants and elementwise operations of arith and math on f32 and on integers of at most 64 bits, of arith also on
            bf16 and f16
    - (C19) in memrefs, the elements of a row of an operand are contiguous and start at a multiple of two elements;
            matrices are as in (C12) and (C13)
    - (C20) a gated product has an epilogue, of two sums, no `c`, 128x128 blocks in `b_scale`, and a multiple of 256 for N
    - (C21) `sfd` has element type f32 and the storage shape that `d_scale` requires of [M, columns of D], with blocks 1x128;
            there is no `c` then, and D has a multiple of 128 columns

    (C13) and (C14) are TMA's requirements for a tensor in global memory: PTX ISA,
    "Tensors", and cuTensorMapEncodeTiled. (C7) follows from (C13) for packed
    rows of D; (C8) for packed rows of A and B. M = 0 is a valid product of no rows.

    Kernels are built for epilogues of up to 8 operands, whose elements fit the registers beside the sums of a tile. A kernel
    that adds a row and a matrix of D's type (or C) loads the matrix through shared memory, as it does C.

    Power-of-two (e8m0) scales, other block shapes and other types of D are not implemented
    and are rejected with an error.

    Examples: a forward product, a weight gradient that is added to D, a forward product with a bias, and one whose D is the
    A of the next product.
    ```mlir
    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>, memref<?x7168xbf16>

    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d
      : memref<2112x4096xf8E4M3FN>, memref<32x2112xf32>, memref<7168x4096xf8E5M2>, memref<32x7168xf32>,
        memref<2112x7168xf32>, memref<2112x7168xf32>

    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>, memref<?x7168xbf16>
      epilogue(%row : memref<7168xf32>) {
    ^bb0(%sum: f32, %bias: f32):
      %biased = arith.addf %sum, %bias : f32
      fp8gemm.yield %biased : f32
    }

    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
      : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>, memref<?x7168xf8E4M3FN>
      scaled_by memref<56x?xf32>
    ```
  }];

  let arguments = (ins FP8Gemm_Shaped:$a, FP8Gemm_Shaped:$sfa,
                       FP8Gemm_Shaped:$b, FP8Gemm_Shaped:$sfb,
                       Optional<FP8Gemm_Shaped>:$c, Variadic<FP8Gemm_Shaped>:$epilogue_operands, FP8Gemm_Shaped:$d,
                       Optional<FP8Gemm_Shaped>:$sfd, FP8Gemm_ScaleAttr:$a_scale, FP8Gemm_ScaleAttr:$b_scale,
                       OptionalAttr<FP8Gemm_ScaleAttr>:$d_scale, UnitAttr:$power_of_two, UnitAttr:$gated,
                       OptionalAttr<FP8Gemm_ConfigAttr>:$config,
                       OptionalAttr<SymbolRefAttr>:$kernel);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  // On tensors, results have the types of D and its scales. An epilogue, `gated` and `power_of_two` are set afterwards.
  let builders = [OpBuilder<(ins "const ScaledMatrix &":$a, "const ScaledMatrix &":$b, "const ScaledMatrix &":$d,
                             CArg<"::mlir::Value", "{}">:$c)>];
  let assemblyFormat = [{
    $a `scaled_by` $sfa $a_scale `,` $b `scaled_by` $sfb $b_scale (`plus` $c^)? `into` $d
    (`scaled_by` $sfd^ custom<ScaleOfD>($d_scale) (`power_of_two` $power_of_two^)?)? attr-dict
    `:` custom<OperandTypes>(type($a), type($sfa), type($b), type($sfb), type($c), type($d)) (`scaled_by` type($sfd)^)?
    (`->` type($result)^)? (`gated` $gated^)? custom<Epilogue>($epilogue_operands, type($epilogue_operands), $epilogue)
  }];
  let extraClassDeclaration = productMethods # [{
    ::mlir::Block *getEpilogueBody() { return getEpilogue().empty() ? nullptr : &getEpilogue().front(); }
    bool isGated() { return getGated(); }
    ::mlir::Value getGroups() { return nullptr; }
    GroupingAttr getGroupingAttr() { return nullptr; }
  }];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD
