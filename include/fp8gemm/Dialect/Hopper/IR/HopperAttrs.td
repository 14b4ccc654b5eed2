// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERATTRS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERATTRS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperEnums.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Hopper_Attr<string name, string attrMnemonic> : AttrDef<Hopper_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Hopper_GroupingAttr : EnumAttr<Hopper_Dialect, Hopper_Grouping, "grouping">;

def Hopper_AxisAttr : EnumAttr<Hopper_Dialect, Hopper_Axis, "axis">;

def Hopper_OperandAttr : EnumAttr<Hopper_Dialect, Hopper_Operand, "operand">;

def Hopper_ConfigInterface : AttrInterface<"ConfigInterface"> {
  let cppNamespace = "::fp8gemm::hopper";
  let description = [{
    The schedule that a kernel was built from: #fp8gemm.config, which implements the interface where both dialects are
    known, in lib/Conversion. Passes don't read it: everything that they need is in the kernel.
  }];
  let methods = [InterfaceMethod<"The schedule in words, for reports.", "std::string", "describe">];
}

def Hopper_ParamAttr : Hopper_Attr<"Param", "param"> {
  let summary = "the meaning of a machine-level kernel parameter, for the launcher";
  let description = [{
    An argument of a `hopper.kernel` becomes one or more parameters of an `llvm.func`, which `hopper.entry` lists:

    - `<tensor_map of a : type>`: a CUtensorMap over the operand's storage; its type has box, element type and swizzle
    - `<matrix of sfb>`, `<matrix of x>`: a pointer to the operand, to the description of groups, or to the workspace
    - `<leading_dimension of sfb>`: i64, in elements
    - `<group_stride of sfb>`: i64, in elements, of an operand with groups
    - `<extent of m>`, `<extent of k>`: i32

    Constraints:
    - (C1) a tensor map, and no other kind, has a type; its box has a static shape
  }];
  let parameters = (ins EnumParameter<Hopper_ParamKind>:$kind, EnumParameter<Hopper_Operand>:$operand,
                        OptionalParameter<"::mlir::nvgpu::TensorMapDescriptorType">:$map);
  let assemblyFormat = "`<` $kind `of` $operand (`:` $map^)? `>`";
  let genVerifyDecl = 1;
}

def Hopper_GroupsAttr : Hopper_Attr<"Groups", "groups"> {
  let summary = "the groups of a grouped product, for the launcher";
  let description = [{
    `count` groups, described by the operand `groups` (see #fp8gemm.grouping), or `batched`: equal groups,
    without a description. The rows of a group start at multiples of `align`. B has `weights` matrices, if groups share them: group g
    has number g mod `weights`; 0: one for each group.

    Example: `#hopper.groups<count = 8, by = row_end, align = 128>`.
  }];
  let parameters = (ins "int64_t":$count, EnumParameter<Hopper_Grouping>:$by, DefaultValuedParameter<"int64_t", "1">:$align,
                        DefaultValuedParameter<"int64_t", "0">:$weights);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Hopper_ProblemAttr : Hopper_Attr<"Problem", "problem"> {
  let summary = "the problem that a kernel solves, for the launcher";
  let description = [{
    The `problem` of a kernel. `m` is `?` if the kernel serves
    every M. `a`, `b` and `d` are element types; C, if it is added (`apart`, or
    `in_place` if D itself is C), has the type of D. Scales are stored `k_major` or
    `mn_major`; `sfb` has one scale for 128 rows of B and 128 elements of K (recipe
    1d2d), or one for each row (`by 1`: 1d1d), as `sfa` has for each row of A. `groups` is
    present if at least B has groups. `gated` is 1 if D has half of n columns, each of the products with B's rows
    n and N/2 + n. `vectors` are the element types of the operands that only some problems have, by name: `bias`, a row
    [N] that is added to every row of D. `epilogue` is 1 if D is another function of the sums than adding C and a bias: that
    of `hopper.map`, of the sums and the operands `epilogue_0`, `epilogue_1`, ..., which are the vectors, if there are any, in
    the order of the operands of problems. `activation` is given if a problem can name that function: "none", "relu",
    "silu", "gelu" or "gelu_tanh". `sfd` is present if D is quantised: "k_major" or "mn_major", how the scales of its 1x128
    blocks are stored; `power_of_two` is 1 if they are powers of two.

    Example: `#hopper.problem<gemm, m = ?, n = 7168, k = 2048, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>`.
  }];
  let parameters = (ins "::mlir::StringAttr":$op, "int64_t":$m, "int64_t":$n, "int64_t":$k,
                        "::mlir::Type":$a, "::mlir::Type":$b, EnumParameter<Hopper_CUse>:$c, "::mlir::Type":$d,
                        "::mlir::StringAttr":$sfa, "::mlir::StringAttr":$sfb, "int64_t":$sfb_rows,
                        OptionalParameter<"GroupsAttr">:$groups,
                        OptionalParameter<"::mlir::DictionaryAttr">:$vectors,
                        DefaultValuedParameter<"int64_t", "0">:$gated, DefaultValuedParameter<"int64_t", "0">:$epilogue,
                        OptionalParameter<"::mlir::StringAttr">:$activation,

                        OptionalParameter<"::mlir::StringAttr">:$sfd, DefaultValuedParameter<"int64_t", "0">:$power_of_two);
  let assemblyFormat = [{
    `<` custom<Keyword>($op) `,` `m` `=` custom<Extent>($m) `,` `n` `=` $n `,` `k` `=` $k `,`
    `a` `=` $a `,` `b` `=` $b `,` `c` `=` $c `,` (`gated` `=` $gated^ `,`)? (`epilogue` `=` $epilogue^ `,`)?
    (`activation` `=` $activation^ `,`)? (`sfd` `=` $sfd^ `,`)? (`power_of_two` `=` $power_of_two^ `,`)?
    custom<VectorsAndD>($vectors, $d) `,`
    `sfa` `=` custom<Keyword>($sfa) `,` `sfb` `=` custom<Keyword>($sfb) `by` $sfb_rows
    (`,` `groups` `=` $groups^)? `>`
  }];
  let extraClassDeclaration = [{
    /// The element type of a vector; null if there is no such operand.
    ::mlir::Type getVector(::llvm::StringRef name) {
      return getVectors() && getVectors().contains(name) ? getVectors().getAs<::mlir::TypeAttr>(name).getValue() : ::mlir::Type();
    }
    ::mlir::Type getBias() { return getVector("bias"); }
  }];
}

def Hopper_QuantizationAttr : Hopper_Attr<"Quantization", "quantization"> {
  let summary = "the quantisation that a kernel does, for the launcher";
  let description = [{
    The `quantization` of a kernel that is no product, in the place of its `problem`. Q: [m, k] of type `q` and its scales, stored
    `k_major` or `mn_major`, are the operands `a` and `sfa` of a product, or with scales for 128 rows (`by 128`) its `b` and `sfb`; `x` is the type of the elements that they
    are made of. `power_of_two` is 1 if scales are rounded up to powers of two. `prologue` is 1 if X is not quantised as it is,
    but a function of it, and `gated` if that is of two elements: X is [m, 2k] then. `activation` is given if a problem can name
    that function, as in `#hopper.problem`.

    Example: `#hopper.quantization<m = ?, k = 7168, x = bf16, q = f8E4M3FN, scales = mn_major, power_of_two = 0>`.
  }];
  let parameters = (ins "int64_t":$m, "int64_t":$k, "::mlir::Type":$x, "::mlir::Type":$q, "::mlir::StringAttr":$scales,
                        DefaultValuedParameter<"int64_t", "1">:$scale_rows,
                        "int64_t":$power_of_two, DefaultValuedParameter<"int64_t", "0">:$gated,
                        DefaultValuedParameter<"int64_t", "0">:$prologue,
                        OptionalParameter<"::mlir::StringAttr">:$activation);
  let assemblyFormat = [{
    `<` `m` `=` custom<Extent>($m) `,` `k` `=` $k `,` `x` `=` $x `,` `q` `=` $q `,` `scales` `=` custom<Keyword>($scales)
    (`by` $scale_rows^)? `,` `power_of_two` `=` $power_of_two (`,` `gated` `=` $gated^)? (`,` `prologue` `=` $prologue^)?
    (`,` `activation` `=` $activation^)? `>`
  }];
}

def Hopper_LaunchAttr : Hopper_Attr<"Launch", "launch"> {
  let summary = "how a kernel is launched";
  let description = [{
    The `launch` of a kernel. The grid is 1-D, of clusters of
    cluster_m * cluster_n * split_k CTAs. A cluster computes cluster_m x cluster_n
    neighbouring tiles of D, so there is work for

      ceil(ceil(M / tile_m) / cluster_m) * ceil(ceil(N / tile_n) / cluster_n)

    clusters; if there is none, nothing is launched. With split_k = 1 the kernel is
    persistent: no more clusters are launched than the device runs at once. Of a quantisation, D is Q and N is K. With
    split_k > 1, that many CTAs share the K blocks of one tile, and each cluster computes
    one tile. Each CTA has `workspace_bytes` of the operand `workspace`.

    Example: `#hopper.launch<threads = 384, tile_m = 128, tile_n = 128>`.
  }];
  let parameters = (ins "int64_t":$threads, "int64_t":$tile_m, "int64_t":$tile_n,
                        DefaultValuedParameter<"int64_t", "1">:$cluster_m,
                        DefaultValuedParameter<"int64_t", "1">:$cluster_n,
                        DefaultValuedParameter<"int64_t", "1">:$split_k,
                        DefaultValuedParameter<"int64_t", "0">:$workspace_bytes);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    /// CTAs of a cluster.
    int64_t getCluster() { return getClusterM() * getClusterN() * getSplitK(); }
  }];
}

def Hopper_TileScheduleAttr : Hopper_Attr<"TileSchedule", "tile_schedule"> {
  let summary = "the kind of a tile schedule, and its numbers";
  let description = [{
    The attribute of `hopper.tiles`. Tiles of `tile_m` x `tile_n` cover D, or the D of each group; a cluster computes
    `cluster_m` x `cluster_n` neighbouring tiles. CTAs (clusters) take tiles in turn: in a grid of g, the first one takes
    tiles 0, g, 2g, ... Within a matrix, tiles are numbered down `raster` rows of tiles, then in the next column of tiles, and
    after the last column in the next `raster` rows, so that CTAs that run at the same time share operands in L2.

    | kind | a tile's group | its K blocks |
    |---|---|---|
    | `plain` | there are none | all |
    | `split_k` | there are none | a part for each of the `split_k` CTAs of a cluster, which share one tile |
    | `batched` | a division: `groups` groups of equal size, one after the other | all |
    | `rows_by_table` | looked up in the table; groups of rows follow each other, or each has a matrix of its own | all |
    | `rows_by_index` | the index of the tile's first row; if that is no group, the tile is skipped | all |
    | `k_by_table` | a division | looked up in the table: each group has a K of its own |

    `sharing` groups of `groups` have the same B: those whose numbers are equal modulo groups / sharing. Their tiles follow each
    other, so that B is read from L2 after the first of them; otherwise tiles follow the numbers of groups.

    If `ends_at` is not 0, the last tile of rows starts earlier and ends at M, rounded up to a multiple of `ends_at`.

    Constraints:
    - (C1) numbers are positive, tiles have at most 256 rows and columns, `ends_at` is not negative
    - (C2) `split_k` is larger than 1 for that kind only, and then `cluster_m` and `cluster_n` are 1
    - (C3) `groups` is larger than 1 only for `batched`, `rows_by_index` and the kinds with a table
    - (C4) `k_blocks` is given for every kind but `k_by_table`
    - (C5) `raster` * `raster` * columns of tiles is at most 2^31, so that divisions by multiplication are exact
    - (C6) `sharing` divides `groups`, and is larger than 1 only for `batched` and `rows_by_table`

    Example: `#hopper.tile_schedule<batched, tile_m = 128, tile_n = 128, n = 4096, k_blocks = 56, raster = 8, groups = 4>`.
  }];
  let parameters = (ins EnumParameter<Hopper_TileKind>:$kind, "int64_t":$tile_m, "int64_t":$tile_n, "int64_t":$n,
                        DefaultValuedParameter<"int64_t", "0">:$k_blocks, "int64_t":$raster,
                        DefaultValuedParameter<"int64_t", "1">:$groups, DefaultValuedParameter<"int64_t", "1">:$cluster_m,
                        DefaultValuedParameter<"int64_t", "1">:$cluster_n,
                        DefaultValuedParameter<"int64_t", "1">:$split_k, DefaultValuedParameter<"int64_t", "0">:$ends_at,
                        DefaultValuedParameter<"int64_t", "1">:$sharing);
  let assemblyFormat = "`<` $kind `,` struct($tile_m, $tile_n, $n, $k_blocks, $raster, $groups, $cluster_m, $cluster_n, $split_k, $ends_at, $sharing) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// A table of hopper.scan_groups says where groups are.
    bool hasTable() { return getKind() == TileKind::rows_by_table || getKind() == TileKind::k_by_table; }
  }];
}

def Hopper_RingWaitAttr : Hopper_Attr<"RingWait", "ring_wait"> {
  let summary = "a place where a kernel waits for a stage";
  let description = [{
    One `ring.acquire` (until a stage is empty) or `ring.wait` (until it is full) in a role; `ring` counts the
    kernel's rings in the order of their creation. `at` is the operation's location, for messages.

    Example: `#hopper.ring_wait<consumer until full of ring 0 at "gemm.mlir:12:9">`.
  }];
  let parameters = (ins EnumParameter<Hopper_WarpRole>:$role, EnumParameter<Hopper_StageState>:$until,
                        "int64_t":$ring, "::mlir::StringAttr":$at);
  let assemblyFormat = "`<` $role `until` $until `of` `ring` $ring `at` $at `>`";
}

def Hopper_DebugRingsAttr : Hopper_Attr<"DebugRings", "debug_rings"> {
  let summary = "the waits of a debug build, for the reader of its reports";
  let description = [{
    In the `hopper.entry` of a kernel that was lowered with `debug-rings`: each wait on a ring lasts at most `limit_ms`, and then reports its index in `waits`. `rings` are the types of the rings.

    Example: `#hopper.debug_rings<limit_ms = 1000, rings = [!ring], waits = [#hopper.ring_wait<...>]>`.
  }];
  let parameters = (ins "int64_t":$limit_ms, OptionalArrayRefParameter<"::mlir::Type">:$rings,
                        OptionalArrayRefParameter<"RingWaitAttr">:$waits);
  let assemblyFormat = [{
    `<` `limit_ms` `=` $limit_ms (`,` `rings` `=` `[` $rings^ `]`)? (`,` `waits` `=` `[` $waits^ `]`)? `>`
  }];
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERATTRS_TD
