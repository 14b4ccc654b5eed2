// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments: products, promotion, and how fragments are loaded, exchanged and stored.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERFRAGMENTOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERFRAGMENTOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

def Hopper_MmaOp : Hopper_Op<"mma", [Hopper_NamedResults,
    OptionalTypesMatchWith<"reused fragment is like the result", "partial", "reused", "$_self">]> {
  let summary = "issue A * B^T for one K block on the tensor core";
  let description = [{
    `partial[i, j] = sum over k of a[i, k] * b[j, k]`, from zero. One
    wgmma.mma_async per 32 elements of K, committed as one group. The result is in
    flight until `mma.wait`.

    `reusing` names a fragment whose registers the result takes; its value is not
    read. Without it, ptxas allocates separate registers for each product of a loop, and
    spills if two do not fit.

    `isolated` keeps what follows from being scheduled between the wgmmas: a barrier of the warp ends the group, which
    ptxas moves nothing across. Loads of scales between them would delay the next one.

    Constraints:
    - (C1) `a` is 64x128, `b` is Nx128, each f8E4M3FN or f8E5M2 in shared memory, with rows
           128 bytes apart (the 128-byte swizzle of TMA)
    - (C2) N is a multiple of 8 in [8, 256]
    - (C3) the result is 64xN

    Source: PTX ISA, "wgmma.mma_async", shape m64nNk32.
  }];
  let arguments = (ins Arg<Hopper_SmemBuffer, "", [MemRead]>:$a, Arg<Hopper_SmemBuffer, "", [MemRead]>:$b,
                       Optional<Hopper_Fragment>:$reused, UnitAttr:$isolated);
  let results = (outs Hopper_Fragment:$partial);
  let assemblyFormat = [{
    $a `,` $b (`reusing` $reused^)? (`isolated` $isolated^)? attr-dict `:` type($a) `,` type($b) `->` type($partial)
  }];
  let hasVerifier = 1;
}

def Hopper_MmaWaitOp : Hopper_Op<"mma.wait", [AllTypesMatch<["partial", "result"]>, Hopper_NamedResults]> {
  let summary = "wait until all but the newest `pending` mma groups are complete";
  let description = [{
    `result` is `partial`, now readable. Waits for this warpgroup's groups in the order
    in which they were committed: `partial` must be older than the `pending` newest.
    Source: PTX ISA, `wgmma.wait_group.sync.aligned`.
  }];
  let arguments = (ins Hopper_Fragment:$partial, DefaultValuedAttr<I32Attr, "0">:$pending);
  let results = (outs Hopper_Fragment:$result);
  let assemblyFormat = "$partial (`pending` $pending^)? attr-dict `:` type($partial)";
}

def Hopper_PromoteOp : Hopper_Op<"promote", [Pure, AllTypesMatch<["partial", "acc", "result"]>, Hopper_NamedResults]> {
  let summary = "add a scaled partial product to the accumulator, in f32";
  let description = [{
    `result[i, j] = fma(partial[i, j], rows[i] * columns[j], acc[i, j])`: the scales
    are multiplied first, rounded to f32, then one fused multiply-add.

    Constraints:
    - (C1) `rows` scales the fragment's 64 rows, `columns` its columns
  }];
  let arguments = (ins Hopper_Fragment:$partial, Hopper_Scales:$rows, Hopper_Scales:$columns, Hopper_Fragment:$acc);
  let results = (outs Hopper_Fragment:$result);
  let assemblyFormat = [{
    $partial `scaled_by` `(` $rows `,` $columns `)` `into` $acc attr-dict
    `:` type($rows) `,` type($columns) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Hopper_LoadFragmentOp : Hopper_Op<"load_fragment", [AttrSizedOperandSegments, Hopper_NamedResults]> {
  let summary = "read panels from a stage, or a part of a matrix in global memory, into the layout of an accumulator";
  let description = [{
    Of panels, the counterpart of `store_fragment`: `source` holds 64 x N elements as N / w panels
    of w columns, swizzled as TMA does for their rows.

    Of a matrix in global memory, `fragment[i, j] = source[row + i, column + j]`, or with `transposed`
    `source[row + j, column + i]`, of `group` if `source` has groups. An extent of 1 serves all rows, or all columns, and a
    source of rank 1 is a row. Rows from `limit` on, and columns beyond the last one, are those: a tile may extend beyond the matrix. Each
    thread loads the elements that it holds, and the loads are waited for where they are used.

    bf16 and f16 are extended to f32.

    Constraints:
    - (C1) panels are [N / w, 64, w] bf16 or f32 in shared memory, with rows of 32, 64 or
           128 bytes, directly after each other
    - (C2) a matrix is a memref of bf16, f16 or f32 in global memory, of rank 1 or 2, or of rank 3 with `group`; its columns
           are next to each other, and their number is static: 1, or even; rows start at multiples of two elements
    - (C3) `row` and `column`, which is even unless the fragment is transposed, are given for a matrix only, and `limit` for one with
           more than one row
  }];
  let arguments = (ins Arg<AnyTypeOf<[Hopper_SmemBuffer, MemRefRankOf<[BF16, F16, F32], [1, 2, 3]>]>, "", [MemRead]>:$source,
                       Optional<Index>:$row, Optional<Index>:$column, Optional<Index>:$group, Optional<Index>:$limit,
                       UnitAttr:$transposed);
  let results = (outs Hopper_Fragment:$fragment);
  let assemblyFormat = [{
    $source (`[` $row^ `,` $column `]`)? (`of` $group^)? (`limit` $limit^)? (`transposed` $transposed^)? attr-dict
    `:` type($source) `->` type($fragment)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$fragment, "::mlir::Value":$panels), [{
    build($_builder, $_state, fragment, panels, /*row=*/nullptr, /*column=*/nullptr, /*group=*/nullptr, /*limit=*/nullptr,
          /*transposed=*/false);
  }]>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// From global memory, not from panels.
    bool isOfMatrix() { return bool(getRow()); }
    /// The extents of the source; 1: one element serves all.
    int64_t getSourceRows();
    int64_t getSourceColumns();
  }];
}

def Hopper_PutFragmentOp : Hopper_Op<"put_fragment"> {
  let summary = "store an accumulator to shared memory as it is, for the cluster to read";
  let description = [{
    `exchange` is [N / 8, 128, 4]: for each 8 columns, the four registers of each thread
    (see !hopper.fragment).

    Constraints:
    - (C1) `exchange` is [N / 8, 128, 4] f32 in shared memory
  }];
  let arguments = (ins Hopper_Fragment:$fragment, Arg<Hopper_SmemBuffer, "", [MemWrite]>:$exchange);
  let assemblyFormat = "$fragment `to` $exchange attr-dict `:` type($fragment) `,` type($exchange)";
  let hasVerifier = 1;
}

def Hopper_ReduceFragmentsOp : Hopper_Op<"reduce_fragments", [Hopper_NamedResults]> {
  let summary = "add up the fragments put by the CTAs of the cluster, in the order of their ranks, or take the largest elements";
  let description = [{
    `result = ((e0 + e1) + e2) + ...`, where e_r is the fragment that rank r put at `exchange`, a
    view of the same offset in each CTA, read through distributed shared memory. The order is
    fixed, so the same operands give the same bits. With `max`, arith.maximumf instead of the sum: NaN if one is NaN.

    Constraints:
    - (C1) `exchange` is [N / 8, 128, 4] f32 in shared memory, N the columns of `result`
    - (C2) `ranks` is in [2, 8]
  }];
  let arguments = (ins Arg<Hopper_SmemBuffer, "", [MemRead]>:$exchange, I64Attr:$ranks, UnitAttr:$max);
  let results = (outs Hopper_Fragment:$result);
  let assemblyFormat = "$exchange `ranks` `(` $ranks `)` (`max` $max^)? attr-dict `:` type($exchange) `->` type($result)";
  let hasVerifier = 1;
}

def Hopper_StoreFragmentOp : Hopper_Op<"store_fragment"> {
  let summary = "store an accumulator to shared memory, as bf16, f32 or f8E4M3FN";
  let description = [{
    For bf16 it rounds to nearest even and stores with stmatrix; for f32 it uses ordinary
    stores, and so for f8E4M3FN, to which it rounds to nearest even; what is larger than 448 becomes that. `staging` holds the 64 x N fragment as N / w panels of w columns:
    [panel, row, column], swizzled as TMA does for their rows. `transposed` stores N rows
    of 64 columns instead, as one panel.

    Constraints:
    - (C1) `staging` is [N / w, 64, w] bf16, f32 or f8E4M3FN in shared memory, with rows of 32, 64 or
           128 bytes; with `transposed` [1, N, 64] bf16

    Source: PTX ISA, "stmatrix" and "Swizzling modes".
  }];
  let arguments = (ins Hopper_Fragment:$fragment, Arg<Hopper_SmemBuffer, "", [MemWrite]>:$staging,
                       UnitAttr:$transposed);
  let assemblyFormat = "$fragment `to` $staging (`transposed` $transposed^)? attr-dict `:` type($fragment) `,` type($staging)";
  let hasVerifier = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERFRAGMENTOPS_TD
