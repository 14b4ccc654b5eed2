// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations of grouped products: the group of a tile, and tiles that contain
// rows of other groups or padding.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERGROUPOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERGROUPOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

def Hopper_GroupDescription : MemRefRankOf<[I32], [1]>;

def Hopper_ScanGroupsOp : Hopper_Op<"scan_groups"> {
  let summary = "tabulate where each group begins and ends, and how many chunks precede it";
  let description = [{
    Before the roles, one warp reads the G entries of `groups` and writes `table`, G + 1 rows of
    4 entries. Other warps may read it after the `gpu.barrier`. Row g, 0 <= g < G, is that of group g, or, with `sharing`,
    groups that are equal modulo W = G / sharing follow each other: row p is that of group (p mod sharing) * W + p / sharing.
    It is [chunks before, begin, end, 0]: a group has ceil((end - begin) / chunk) chunks, rows of tiles or K blocks, and

    - `row_end`: begin = groups[g - 1] rounded up to a multiple of `align` (0 for g = 0), end = groups[g]
    - `row_count`: begin = 0, end = groups[g]
    - `k_count`: begin = the sum of groups[0 .. g - 1], end = begin + groups[g]

    Row G is [all chunks, 0, 0, 0]. For any contents of `groups`, 0 <= begin <= end <= limit.

    Constraints:
    - (C1) `by` is row_end, row_count or k_count
    - (C2) `table` is [G + 1, 4] i32 in shared memory, G static and at most 1024
    - (C3) `chunk` and `align` are positive
    - (C4) `sharing` divides G, and is 1 by `k_count`
  }];
  let arguments = (ins Arg<Hopper_GroupDescription, "", [MemRead]>:$groups, Hopper_GroupingAttr:$by, Index:$limit,
                       I64Attr:$chunk, DefaultValuedAttr<I64Attr, "1">:$align, DefaultValuedAttr<I64Attr, "1">:$sharing,
                       Arg<Hopper_SmemBuffer, "", [MemWrite]>:$table);
  let assemblyFormat = [{
    $groups `by` `` $by (`align` `(` $align^ `)`)? (`sharing` `(` $sharing^ `)`)? `limit` $limit `chunk` `(` $chunk `)` `to` $table attr-dict
    `:` type($groups) `to` type($table)
  }];
  let hasVerifier = 1;
}

def Hopper_FindGroupOp : Hopper_Op<"find_group", [Hopper_NamedResults]> {
  let summary = "the group that a row of tiles belongs to";
  let description = [{
    The row of the table that `scan_groups` wrote for the last group that is preceded by at most `chunk` chunks: its number, which
    is that of the group unless groups share weights, and its entries. `chunk` must be less than the number of all chunks, so groups
    without chunks are never found.

    Constraints:
    - (C1) `table` is [G + 1, 4] i32 in shared memory
  }];
  let arguments = (ins Index:$chunk, Arg<Hopper_SmemBuffer, "", [MemRead]>:$table);
  let results = (outs Index:$group, Index:$chunks_before, Index:$begin, Index:$end);
  let assemblyFormat = "$chunk `in` $table attr-dict `:` type($table)";
  let hasVerifier = 1;
}

def Hopper_CountRowsOp : Hopper_Op<"count_rows", [Hopper_NamedResults]> {
  let summary = "count the consecutive rows that belong to one group";
  let description = [{
    The number of r with index[first] = .. = index[first + r - 1] = group, at most
    `most`; rows from `limit` on belong to no group. All lanes of a warp compute it together.

    Constraints:
    - (C1) `most` is positive
  }];
  let arguments = (ins Arg<Hopper_GroupDescription, "", [MemRead]>:$index, Index:$first, I32:$group, Index:$limit,
                       I64Attr:$most);
  let results = (outs Index:$count);
  let assemblyFormat = [{
    $index `[` $first `]` `of` $group `limit` $limit `most` `(` $most `)` attr-dict `:` type($index)
  }];
  let hasVerifier = 1;
}

def Hopper_StoreRowsOp : Hopper_Op<"store_rows"> {
  let summary = "copy the first rows of staged panels to global memory";
  let description = [{
    The counterpart of `tma_store` for the first rows of panels: row i < `count` of panel p goes to
    d[group, row + i, column + p * w ..]. Columns outside of D are dropped, and the other rows of the panels are
    not copied. The threads of a warpgroup copy together, 16 bytes at a time.

    Constraints:
    - (C1) `staging` is [panels, r, w] bf16 or f32, with the swizzle of its row length
    - (C2) `d` has the element type of `staging`, N static columns, N a multiple of 8, and rank 2, or 3 with `group`
  }];
  let arguments = (ins Index:$count, Arg<Hopper_SmemBuffer, "", [MemRead]>:$staging,
                       Arg<MemRefRankOf<[BF16, F32, F8E4M3FN], [2, 3]>, "", [MemWrite]>:$d, Index:$row, Index:$column,
                       Optional<Index>:$group);
  let assemblyFormat = [{
    $count `of` $staging `to` $d `[` $row `,` $column `]` (`of` $group^)? attr-dict `:` type($staging) `to` type($d)
  }];
  let hasVerifier = 1;
}

def Hopper_Workspace : MemRefRankOf<[I8], [1]>;

def Hopper_MakeGroupMapsOp : Hopper_Op<"make_group_maps"> {
  let summary = "make a tensor map for each group's columns of an operand that is grouped along K";
  let description = [{
    Placed between the barrier that publishes `table` and another barrier. Thread g writes the map of
    group g to the CTA's part of `workspace`, which all launched CTAs share. It equals `map` except for

    - the address: `source[0, begin]`; if `source` is flat, its element rows * begin
    - the columns: end - begin. Elements after them are read as zeros, not as the next group's.
    - if `source` is flat, `rows` rows and their distance: end - begin

    The maps of operand `slot` follow those of the previous operand, 128 bytes each.

    Constraints:
    - (C1) `table` is [G + 1, 4] i32 in shared memory
    - (C2) `source` is a matrix with contiguous rows, or has rank 1 (flat)
    - (C3) `slot` is in [0, slots)

    Source: PTX ISA, "tensormap.replace", "fence.proxy.tensormap".
  }];
  let arguments = (ins NVGPU_TensorMapDescriptor:$map, MemRefRankOf<[AnyType], [1, 2]>:$source, Index:$rows,
                       Arg<Hopper_SmemBuffer, "", [MemRead]>:$table, Arg<Hopper_Workspace, "", [MemWrite]>:$workspace,
                       I64Attr:$slot, I64Attr:$slots);
  let assemblyFormat = [{
    $map `of` $source `rows` $rows `in` $table `to` $workspace `slot` $slot `of` $slots attr-dict
    `:` qualified(type($map)) `of` type($source) `,` type($table) `,` type($workspace)
  }];
  let hasVerifier = 1;
}

def Hopper_GroupMapOp : Hopper_Op<"group_map", [Hopper_NamedResults]> {
  let summary = "the tensor map of a group that make_group_maps wrote";
  let description = [{
    Executed by the thread that loads through it. Source: PTX ISA, "fence.proxy.tensormap" (acquire).

    Constraints:
    - (C1) `slot` is in [0, slots) and `groups` is positive, as in make_group_maps
  }];
  let arguments = (ins Index:$group, Arg<Hopper_Workspace, "", [MemRead]>:$workspace, I64Attr:$groups, I64Attr:$slot,
                       I64Attr:$slots);
  let results = (outs NVGPU_TensorMapDescriptor:$map);
  let assemblyFormat = [{
    $group `of` $groups `in` $workspace `slot` $slot `of` $slots attr-dict `:` type($workspace) `->` qualified(type($map))
  }];
  let hasVerifier = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERGROUPOPS_TD
