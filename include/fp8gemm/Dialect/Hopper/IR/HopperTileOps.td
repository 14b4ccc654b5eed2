// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles a CTA works on: one value, computed before the roles, that every role walks.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERTILEOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERTILEOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

def Hopper_TilesOp : Hopper_Op<"tiles", [Pure, Hopper_NamedResults]> {
  let summary = "the tiles of D, and how CTAs share them";
  let description = [{
    `rows` is the M of D, or of each group; where groups of rows follow each other in A, it is the number of rows of A.
    `groups` is where `schedule` (#hopper.tile_schedule) looks up the group of a tile: the table of `hopper.scan_groups`,
    or the index of each row.

    All roles walk the same tiles because they use the same value. `hopper-expand-tiles` turns it into arithmetic.

    Constraints:
    - (C1) `groups` is a [groups + 1, 4] i32 table in shared memory for `rows_by_table` and `k_by_table`, one i32 per row
           in global memory for `rows_by_index`, and absent for the other kinds
    - (C2) the operation is at the kernel's top level, before the roles

    Example: `%work = hopper.tiles %m of <plain, tile_m = 128, tile_n = 256, n = 7168, k_blocks = 16, raster = 8>`.
  }];
  let arguments = (ins Index:$rows, Hopper_TileScheduleAttr:$schedule, Optional<MemRefRankOf<[I32], [1, 2]>>:$groups);
  let results = (outs Hopper_Work:$work);
  let assemblyFormat = "$rows (`by` $groups^ `:` type($groups))? `of` $schedule attr-dict";
  let hasVerifier = 1;
}

def Hopper_ForTilesOp : Hopper_Op<"for_tiles", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a loop over the tiles that this CTA works on";
  let description = [{
    `body` runs once per tile, in the same order in each role of a CTA and in each CTA of a cluster. Its arguments are

    - `tile`: the operand of `hopper.locate`
    - `begin`: for `rows_by_table` the first row of the tile's group, for `k_by_table` the number of K blocks of scales
      before the group, 0 for the other kinds
    - `k_begin`, `k_count`: the first K block of the group that this CTA computes, and how many

    Tiles without work are skipped: those that belong to no group (`rows_by_index`), and those of a group without K blocks
    (`k_by_table`). For the latter `empty` runs instead, if it is given.

    Constraints:
    - (C1) `body` and `empty` have these arguments: a tile and three of type index
    - (C2) `empty` is given only for `k_by_table`
    - (C3) `work` is the result of a hopper.tiles
  }];
  let arguments = (ins Hopper_Work:$work);
  let regions = (region SizedRegion<1>:$body, MaxSizedRegion<1>:$empty);
  // $work `|` arguments `|` region (`empty` `|` arguments `|` region)? attr-dict. By hand, as hopper.warp_specialize is.
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// `k_count`, where it is the same for all tiles and CTAs.
    std::optional<int64_t> getStaticCount();
  }];
}

def Hopper_LocateOp : Hopper_Op<"locate", [Pure, Hopper_NamedResults]> {
  let summary = "the position of a tile";
  let description = [{
    `row` and `column` are the first row and column of the tile, in the matrix of its group, or in D where groups of rows
    follow each other. `group` is the tile's group, or 0 if there are no groups. `end` is where the rows of the group
    end: for `rows_by_table` those of the group, for the other kinds M. A tile may lie outside D. The arithmetic is placed
    where this operation is: consumers place it after the main loop. For `rows_by_index` it is known from the tile before, and
    the next tile is looked up here.

    Constraints:
    - (C1) `tile` is an argument of a hopper.for_tiles
  }];
  let arguments = (ins Hopper_Tile:$tile);
  let results = (outs Index:$row, Index:$column, Index:$group, Index:$end);
  let assemblyFormat = "$tile attr-dict";
  let hasVerifier = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERTILEOPS_TD
