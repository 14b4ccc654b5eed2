// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMATTRS_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMATTRS_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class FP8Gemm_Attr<string name, string attrMnemonic>
    : AttrDef<FP8Gemm_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def FP8Gemm_ScaleLayout : I32Enum<"ScaleLayout", "order in which scales are stored", [
    I32EnumCase<"k_major", 0>, I32EnumCase<"mn_major", 1>]> {
  let cppNamespace = "::fp8gemm";
}

def FP8Gemm_ScaleAttr : FP8Gemm_Attr<"Scale", "scale"> {
  let summary = "block shape and storage order of a scale operand";
  let description = [{
    One f32 scale serves a block of `rows` x `columns` elements of the scaled
    matrix X: [R, K], where R is M for A and N for B. The scale of X[r, k] is

    - `k_major`:  storage[r / rows, k / columns], storage: [ceil(R/rows), ceil(K/columns)]
    - `mn_major`: storage[k / columns, r / rows], storage: [ceil(K/columns), >= ceil(R/rows)]

    The storage of `mn_major` may be longer than R requires: libraries pad it so
    that its leading dimension is a multiple of 4 (16 bytes, as TMA requires).

    Example: `#fp8gemm.scale<1x128, mn_major>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
                        EnumParameter<FP8Gemm_ScaleLayout>:$layout);
  let assemblyFormat = "`<` custom<BlockShape>($rows, $columns) `,` $layout `>`";
}

def FP8Gemm_GroupingKind : I32Enum<"GroupingKind", "contents of a description of groups", [
    I32EnumCase<"row_index", 0>, I32EnumCase<"row_end", 1>, I32EnumCase<"row_count", 2>,
    I32EnumCase<"k_count", 3>]> {
  let cppNamespace = "::fp8gemm";
}

def FP8Gemm_GroupingAttr : FP8Gemm_Attr<"Grouping", "grouping"> {
  let summary = "the form of a description of groups";
  let description = [{
    The description is an operand of i32, read when the operation runs. It holds

    - `row_index`: for each row the index of its group, or -1 for a row that is not computed. In each
      block of `align` rows that starts at a multiple of `align`, the first rows belong to one group and
      the others are -1; either part may be empty. `align` is a power of two from 8 to 256.
    - `row_end`: for each group the end of its rows. The rows of a group start at the end of the previous group,
      rounded up to `align` (a power of two up to 256); those of the first group start at 0. With `align` = 1,
      groups are packed. Ends do not descend.
    - `row_count`: for each group the number of its allocated rows that are used, counted from the first.
    - `k_count`: for each group the length of its reduction, a multiple of 16, possibly 0.

    The last two have no `align`; if omitted, `align` is 1.

    Example: `#fp8gemm.grouping<row_index, align = 128>`.
  }];
  let parameters = (ins EnumParameter<FP8Gemm_GroupingKind>:$kind,
                        DefaultValuedParameter<"int64_t", "1">:$align);
  let assemblyFormat = "`<` $kind (`,` `align` `=` $align^)? `>`";
  let genVerifyDecl = 1;
}

def FP8Gemm_ConfigAttr : FP8Gemm_Attr<"Config", "config"> {
  let summary = "the schedule chosen for one product";
  let description = [{
    `fp8gemm-select-config` adds it, and `convert-fp8gemm-to-hopper` builds the kernel
    from it. A tile of D has `tile_m` x `tile_n` elements and is reduced in K blocks
    of 128. `consumers` warpgroups share its rows; each owns
    tile_m / consumers of them, in accumulators of 64 rows. `stages` K blocks are
    in flight. `raster_group` rows of tiles are traversed together, so that CTAs
    running at the same time share operands in L2.

    A cluster of `cluster_m` (or `cluster_n`) CTAs computes tiles below (beside) each
    other and loads the tile that they share, B's (A's), once. `split_k` CTAs of a cluster
    each reduce a part of the K blocks of one tile, and add up their sums in a fixed
    order. At most one of the three is larger than 1.

    A consumer has up to `partials` products in flight: with 2, the tensor cores compute one
    while the previous one is promoted.

    With `swap_ab` = 1, the kernel computes the tile's transpose: rows of B are on wgmma's M
    side, in accumulators of 64, and rows of A on its N side, which can be as small as 8. This is for
    small M: `tile_n` is then a multiple of 64, and `tile_m` any multiple of 8.

    Example:
    `#fp8gemm.config<tile_m = 128, tile_n = 176, stages = 4, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 16>`.
  }];
  let parameters = (ins "int64_t":$tile_m, "int64_t":$tile_n, "int64_t":$stages,
                        "int64_t":$consumers, "int64_t":$producer_registers,
                        "int64_t":$consumer_registers, "int64_t":$raster_group,
                        DefaultValuedParameter<"int64_t", "1">:$cluster_m,
                        DefaultValuedParameter<"int64_t", "1">:$cluster_n,
                        DefaultValuedParameter<"int64_t", "1">:$split_k,
                        DefaultValuedParameter<"int64_t", "1">:$partials,
                        DefaultValuedParameter<"int64_t", "0">:$swap_ab);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMATTRS_TD
