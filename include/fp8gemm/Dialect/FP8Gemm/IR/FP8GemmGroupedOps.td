// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of groups of rows, and of groups of K.

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMGROUPEDOPS_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMGROUPEDOPS_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOpBase.td"

def FP8Gemm_GroupedGemmOp : FP8Gemm_ProductOp<"grouped_gemm", FP8Gemm_EpilogueTraits> {
  let summary = "block-scaled FP8 products of groups of rows, each with its own B";
  let description = [{
    ```
    D[m, n] = epilogue(C[m, n] + sum over kb of  sfa(m, kb) * sfb(w, n, kb) * sum over k in block kb of A[m, k] * B[w, n, k])
    ```
    for each row m of each group g, where w = g, or w = g mod W if B has only W of the G matrices. Rows that belong to no group are not computed: D keeps its
    contents there, and C is not used. Otherwise the operation is `fp8gemm.gemm` for each group, with the same numerics.

    `groups` and the attribute that follows it assign rows to groups when the operation runs (see
    `#fp8gemm.grouping`). There are three forms of operands:

    | form | `groups` | `a`; `c`, `d` | rows of a group |
    |---|---|---|---|
    | contiguous | `row_index` or `row_end` | [M, K], [M, N] | given by `groups` |
    | masked | `row_count` | [G, M, K], [G, M, N] | the first `groups[g]` of its M |
    | batched | none | [G, M, K], [G, M, N] | all M |

    Operands (M static or dynamic; G, N and K static):
    - `a`: f8E4M3FN or f8E5M2, K-major
    - `sfa`: f32 scales of A, stored according to `a_scale`; masked and batched: for each group, [G, ...]
    - `b`: [W, N, K] f8E4M3FN or f8E5M2, K-major; W is G, or a divisor of it
    - `sfb`: f32 scales of B, for each matrix stored according to `b_scale`, [W, ...]
    - `groups`: i32, one entry for each row (`row_index`) or for each group
    - `c` (optional): of D's shape and type, added to the product
    - `epilogue_operands` (any number): as in `fp8gemm.gemm`; rows of each group are [G, 1, N], in all forms
    - `d`: bf16, f32 or f8E4M3FN
    - `sfd`: scales of a d of f8E4M3FN; masked and batched: for each group, [G, ...]

    Groups that **share weights** are those with the same remainder of W. So rows from R ranks for W experts, [R, W, ...], are
    R * W groups of W matrices. G is the number of entries of `groups` (`row_end`), or of matrices of `a`. There is no such product by
    `row_index`: an index is the number of a matrix of B, which any rows may have.

    The epilogue is as in `fp8gemm.gemm`, and so are `gated` and what `sfd` means; scales of padding rows keep their contents.

    A memref operand may have any row stride and any group stride, so groups may also lie beside
    each other in each row. `d` must not overlap any other operand, except in a product *in place*, where `c` and `d` are the
    same value: D += A * B^T in the rows of groups.

    An invalid description affects only the results: a row whose index is not a group is not computed;
    ends and counts are clamped to the rows of D; a group whose end precedes its start
    has no rows (docs/Numerics.md has all cases).

    Constraints: (C2), (C3), (C4), (C5), (C7), (C8), (C9), (C12), (C13), (C14), (C15), (C16), (C18), (C19), (C20) and (C21) of
    `fp8gemm.gemm`; (C10), (C11) and (C21) hold for the last two dimensions of `sfa`, `sfb` and `sfd`. And
    - (G1) operands are all tensors or all memrefs; `b` and `sfb` have rank 3, `groups` has rank 1;
           `a`, `sfa`, `d` and `sfd` have rank 2 if the form is contiguous, else 3
    - (G2) a grouping is given exactly if `groups` is, and its kind is `row_index`, `row_end` or `row_count`
    - (G3) `groups` has element type i32, is contiguous, and has M entries (`row_index`) or G
    - (G4) G is static and positive, and the same in every operand that has it; `b` and `sfb` have W matrices, W = G or, unless
           the kind is `row_index`, a divisor of G
    - (G5) `a` and `b` agree on K; `d` is [M, N], or [G, M, N]
    - (G6) groups of memrefs start at multiples of 16 bytes and don't overlap (those of (C13))
    - (G7) an operand of the epilogue is as in (C17), or [G, 1, N] or [G, 1, 1] where `d` has rank 2

    Examples: packed groups of rows, and rows allocated for each of 8 experts.
    ```mlir
    fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major>
        groups %ends <row_end> into %d
      : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<8x7168x2048xf8E4M3FN>, memref<8x56x16xf32>, memref<8xi32>,
        memref<?x7168xbf16>

    fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major>
        groups %counts <row_count> into %d
      : memref<8x?x2048xf8E4M3FN>, memref<8x16x?xf32>, memref<8x7168x2048xf8E4M3FN>, memref<8x56x16xf32>,
        memref<8xi32>, memref<8x?x7168xbf16>
    ```
  }];
  let arguments = (ins FP8Gemm_Shaped:$a, FP8Gemm_Shaped:$sfa,
                       FP8Gemm_Shaped:$b, FP8Gemm_Shaped:$sfb,
                       Optional<FP8Gemm_Shaped>:$groups, Optional<FP8Gemm_Shaped>:$c,
                       Variadic<FP8Gemm_Shaped>:$epilogue_operands, FP8Gemm_Shaped:$d, Optional<FP8Gemm_Shaped>:$sfd,
                       FP8Gemm_ScaleAttr:$a_scale, FP8Gemm_ScaleAttr:$b_scale,
                       OptionalAttr<FP8Gemm_ScaleAttr>:$d_scale, UnitAttr:$power_of_two,
                       OptionalAttr<FP8Gemm_GroupingAttr>:$grouping, UnitAttr:$gated,
                       OptionalAttr<FP8Gemm_ConfigAttr>:$config,
                       OptionalAttr<SymbolRefAttr>:$kernel);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  // As of `fp8gemm.gemm`; without `groups` the product is batched.
  let builders = [OpBuilder<(ins "const ScaledMatrix &":$a, "const ScaledMatrix &":$b, "const ScaledMatrix &":$d,
                             CArg<"::mlir::Value", "{}">:$groups, CArg<"GroupingAttr", "{}">:$grouping,
                             CArg<"::mlir::Value", "{}">:$c)>];
  let assemblyFormat = [{
    $a `scaled_by` $sfa $a_scale `,` $b `scaled_by` $sfb $b_scale
    (`groups` $groups^ custom<Grouping>($grouping))? (`plus` $c^)? `into` $d
    (`scaled_by` $sfd^ custom<ScaleOfD>($d_scale) (`power_of_two` $power_of_two^)?)? attr-dict
    `:` custom<GroupedOperandTypes>(ref($groups), ref($c), type($a), type($sfa), type($b), type($sfb), type($groups),
                                    type($c), type($d)) (`scaled_by` type($sfd)^)?
    (`->` type($result)^)? (`gated` $gated^)? custom<Epilogue>($epilogue_operands, type($epilogue_operands), $epilogue)
  }];
  let extraClassDeclaration = productMethods # [{
    ::mlir::Block *getEpilogueBody() { return getEpilogue().empty() ? nullptr : &getEpilogue().front(); }
    bool isGated() { return getGated(); }
    /// True if the rows of all groups are in one matrix.
    bool isContiguous();
  }];
}

def FP8Gemm_KGroupedGemmOp : FP8Gemm_ProductOp<"k_grouped_gemm"> {
  let summary = "block-scaled FP8 products of groups of K";
  let description = [{
    ```
    D[g, m, n] = C[g, m, n] + sum over kb of group g of
                   sfa(m, kb) * sfb(n, kb) * sum over k in block kb of A[m, k] * B[n, k]
    ```
    K is divided into consecutive groups of the lengths in `groups`; a group is divided into blocks kb
    of 128 elements, the last of which may be shorter. So each group starts a new block, and a block
    never has elements of two groups. This is the weight gradient of experts: K runs over tokens.

    Operands (G, M and N static; the sum of the lengths need not be known):
    - `a`: f8E4M3FN or f8E5M2, either [M, Ksum], where the columns of the groups follow each other;
      or *flattened*: rank 1, where each group g is a packed row-major [M, groups[g]] matrix
      and the matrices follow each other
    - `sfa`: f32 scales of A, one for 1x128 elements: [KB, >= M] mn_major or [M, KB] k_major, where the
      blocks of all groups follow each other
    - `b`, `sfb`: the same with N instead of M
    - `groups`: [G] i32
    - `c` (optional): [G, M, N] of D's type, added to the product
    - `d`: [G, M, N] bf16 or f32, overwritten

    A group of length 0 has no terms: its part of D equals C (in place: is untouched), or is 0 without C.
    Elements of `a`, `b`, `sfa` and `sfb` after the last group are not used. `d` must not overlap any other
    operand, except in a product *in place*, where `c` and `d` are the same value.

    An invalid description affects only the results: a negative length counts as 0, and
    a length that extends beyond `a` or the scales is cut off there.

    Constraints: (C2), (C3), (C4), (C7), (C12), (C13), (C14), (C15) and (C16) of `fp8gemm.gemm`, and
    - (K1) operands are all tensors or all memrefs; `a` and `b` are both of rank 2 or both of rank 1, `sfa` and `sfb`
           of rank 2, `groups` of rank 1, `c` and `d` of rank 3
    - (K2) the grouping's kind is `k_count`
    - (K3) `groups` has element type i32, is contiguous, and has G entries
    - (K4) G, M and N are static, in every operand that has them; G and M are positive
    - (K5) `a` has M rows, `b` has N, and they agree on Ksum, where it is static: a multiple of 16
    - (K6) `a_scale` and `b_scale` have 1x128 blocks
    - (K7) `sfa` has scales for M rows, `sfb` for N, and they agree on KB, where it is static
    - (K8) groups of `c` and `d` in memrefs start at multiples of 16 bytes and don't overlap

    Example: a product that is added to D.
    ```mlir
    fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major>
        groups %lengths <k_count> plus %d into %d
      : memref<4096x?xf8E4M3FN>, memref<?x4096xf32>, memref<7168x?xf8E4M3FN>, memref<?x7168xf32>, memref<4xi32>,
        memref<4x4096x7168xf32>, memref<4x4096x7168xf32>
    ```
  }];
  let arguments = (ins FP8Gemm_Shaped:$a, FP8Gemm_Shaped:$sfa,
                       FP8Gemm_Shaped:$b, FP8Gemm_Shaped:$sfb, FP8Gemm_Shaped:$groups,
                       Optional<FP8Gemm_Shaped>:$c, FP8Gemm_Shaped:$d,
                       FP8Gemm_ScaleAttr:$a_scale, FP8Gemm_ScaleAttr:$b_scale,
                       FP8Gemm_GroupingAttr:$grouping,
                       OptionalAttr<FP8Gemm_ConfigAttr>:$config,
                       OptionalAttr<SymbolRefAttr>:$kernel);
  let builders = [OpBuilder<(ins "const ScaledMatrix &":$a, "const ScaledMatrix &":$b, "::mlir::Value":$d,
                             "::mlir::Value":$groups, CArg<"::mlir::Value", "{}">:$c)>];
  let assemblyFormat = [{
    $a `scaled_by` $sfa $a_scale `,` $b `scaled_by` $sfb $b_scale `groups` $groups $grouping
    (`plus` $c^)? `into` $d attr-dict
    `:` custom<OperandTypes>(type($a), type($sfa), type($b), type($sfb), type($groups), type($c), type($d))
    (`->` type($result)^)?
  }];
  let extraClassDeclaration = productMethods # [{
    ::mlir::Block *getEpilogueBody() { return nullptr; }
    bool isGated() { return false; }
    ::mlir::Value getSfd() { return nullptr; }
    ScaleAttr getDScaleAttr() { return nullptr; }
    bool getPowerOfTwo() { return false; }
    ::mlir::OperandRange getEpilogueOperands() { return getOperation()->getOperands().take_front(0); }
    /// True if A and B are of rank 1.
    bool isFlattened();
  }];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMGROUPEDOPS_TD
