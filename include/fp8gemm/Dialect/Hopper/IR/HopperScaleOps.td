// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales on their way from global memory to the layout of an accumulator, and from it.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERSCALEOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERSCALEOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

def Hopper_FetchScalesOp : Hopper_Op<"fetch_scales", [Hopper_NamedResults]> {
  let summary = "load scales of one K block from global memory into a warp's lanes";
  let description = [{
    Scale i, 0 <= i < count, is `source[min(first + i * step, limit - 1) / per, k_block]`,
    of `group` if `source` has groups, and goes to lane i % 32, element i / 32. `source` has its logical shape: one row per
    block of `per` rows of the scaled matrix, one column per K block; its strides say how it is stored.
    The loads are issued here and waited for where the values are used, so
    fetching for the next K block hides the latency.

    Constraints:
    - (C1) the result has ceil(count / 32) elements per lane
    - (C2) `source` is an f32 memref in global memory, of rank 2 with one unit stride, or with
           `group` of rank 3, such matrices one after the other
  }];
  let arguments = (ins Arg<MemRefRankOf<[F32], [2, 3]>, "", [MemRead]>:$source, Index:$first, Index:$k_block,
                       Optional<Index>:$group, Index:$limit, I64Attr:$count, I64Attr:$step, I64Attr:$per);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$values);
  let assemblyFormat = [{
    $source `[` $first `,` $k_block `]` (`of` $group^)? `count` $count `step` $step `per` $per `limit` $limit attr-dict
    `:` type($source) `->` type($values)
  }];
  let hasVerifier = 1;
}

def Hopper_PutScalesOp : Hopper_Op<"put_scales", [AttrSizedOperandSegments]> {
  let summary = "store a warp's fetched scales into a buffer, or scales of an accumulator's rows to global memory";
  let description = [{
    Of a vector, element e of lane l goes to `buffer[l + 32 e]`, if that is within the buffer.

    Of scales of rows, that of row i goes to `buffer[row + i, k_block]`, of `group` if the buffer has groups, if i is less than
    `rows`: one column of `buffer` is a block of columns of the accumulators. One of the threads that have a scale stores it.

    Constraints:
    - (C1) the buffer of a vector is a rank-1 f32 memref of at most 32 x elements per lane
    - (C2) the buffer of scales, of 64 rows by 1, is an f32 memref in global memory of rank 2 with one unit stride, or with `group` of
           rank 3, such matrices one after the other; `row`, `k_block` and `rows` are given for it only
  }];
  let arguments = (ins AnyTypeOf<[VectorOfRankAndType<[1], [F32]>, Hopper_Scales]>:$values,
                       Arg<AnyTypeOf<[Hopper_SmemBuffer, MemRefRankOf<[F32], [2, 3]>]>, "", [MemWrite]>:$buffer,
                       Optional<Index>:$row, Optional<Index>:$k_block, Optional<Index>:$group, Optional<Index>:$rows);
  let assemblyFormat = [{
    $values `to` $buffer (`[` $row^ `,` $k_block `]`)? (`of` $group^)? (`rows` $rows^)? attr-dict
    `:` type($values) `,` type($buffer)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$values, "::mlir::Value":$buffer), [{
    build($_builder, $_state, values, buffer, /*row=*/nullptr, /*k_block=*/nullptr, /*group=*/nullptr, /*rows=*/nullptr);
  }]>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Of an accumulator, not of a vector.
    bool isOfAccumulator() { return bool(getRow()); }
  }];
}

def Hopper_LoadScalesOp : Hopper_Op<"load_scales", [Hopper_NamedResults]> {
  let summary = "read scales from a stage into the layout of an accumulator";
  let description = [{
    `source[i]` is the scale of rows or columns i * block .. (i + 1) * block - 1.

    Constraints:
    - (C1) `source` is a rank-1 f32 memref of extent / block elements
  }];
  let arguments = (ins Arg<Hopper_SmemBuffer, "", [MemRead]>:$source);
  let results = (outs Hopper_Scales:$scales);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($scales)";
  let hasVerifier = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERSCALEOPS_TD
