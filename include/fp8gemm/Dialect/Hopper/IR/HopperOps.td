// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperGroupOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperKernelOps.td"
include "fp8gemm/Dialect/Hopper/IR/HopperMapOp.td"
include "fp8gemm/Dialect/Hopper/IR/HopperTileOps.td"

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

def Hopper_RingCreateOp : Hopper_Op<"ring.create", [MemoryEffects<[MemAlloc]>, Hopper_NamedResults]> {
  let summary = "shared memory for a ring's buffers and mbarriers";
  let results = (outs Hopper_Ring:$ring);
  let assemblyFormat = "attr-dict `:` qualified(type($ring))";
}

def Hopper_RingInitOp : Hopper_Op<"ring.init"> {
  let summary = "initialise a ring's mbarriers";
  let description = [{
    Thread 0 of the CTA initialises 2 x stages mbarriers with the arrival counts of
    the ring's type. Other threads may use the ring after `hopper.fence mbarrier_init`
    and `gpu.barrier`.
  }];
  let arguments = (ins Hopper_Ring:$ring);
  let assemblyFormat = "$ring attr-dict `:` qualified(type($ring))";
}

def Hopper_FenceOp : Hopper_Op<"fence"> {
  let summary = "order accesses of different kinds";
  let description = [{
    - `mbarrier_init`: initialised mbarriers are visible to the async proxy and to the cluster.
      Source: PTX ISA, `fence.mbarrier_init.release.cluster`.
    - `async_shared`: this thread's stores to shared memory come before later TMA accesses. Each thread that stored
      executes the fence, then a barrier; then one thread starts the TMA store.
      Source: PTX ISA, `fence.proxy.async.shared::cta`.
    - `wgmma`: earlier accesses to registers come before the next wgmma. Source: PTX ISA, `wgmma.fence.sync.aligned`.
  }];
  let arguments = (ins Hopper_FenceKind:$kind);
  let assemblyFormat = "$kind attr-dict";
}

def Hopper_RingAcquireOp : Hopper_Op<"ring.acquire", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<InferTypeOpInterface>,
    Hopper_NamedResults]> {
  let summary = "wait until the next stage is empty, to fill it";
  let description = [{
    `by tma` (in the producer) then arms the stage's full barrier with the bytes
    of the ring's `tma` buffers, and returns those buffers. `by warps` (in the
    helper) returns the `warps` buffers.

    hopper-assign-stages adds `at (stage, phase)`. A filler starts at phase true:
    the empty barrier of a fresh ring lets the first round through.
  }];
  let arguments = (ins Hopper_Ring:$ring, Hopper_Filler:$filler, Optional<Index>:$stage, Optional<I1>:$phase);
  let results = (outs Hopper_Slot:$slot, Variadic<Hopper_SmemBuffer>:$buffers);
  let assemblyFormat = "$ring `by` $filler (`at` `(` $stage^ `,` $phase `)`)? attr-dict `:` qualified(type($ring))";
  let hasVerifier = 1;
}

def Hopper_RingCommitOp : Hopper_Op<"ring.commit"> {
  let summary = "hand a stage to the readers, filled or to be filled by loads in flight";
  let description = [{
    In the helper, each lane arrives at the stage's full barrier after its own
    stores. In the producer this op emits nothing: the TMA engine
    completes the barrier when the armed bytes have landed.
  }];
  let arguments = (ins Hopper_Slot:$slot);
  let assemblyFormat = "$slot attr-dict";
}

def Hopper_RingWaitOp : Hopper_Op<"ring.wait", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<InferTypeOpInterface>,
    Hopper_NamedResults]> {
  let summary = "wait until the next stage is full, to read it";
  let description = [{
    Returns every buffer of the stage: the `tma` buffers, then the `warps` buffers.
    A reader starts at phase false.
  }];
  let arguments = (ins Hopper_Ring:$ring, Optional<Index>:$stage, Optional<I1>:$phase);
  let results = (outs Hopper_Slot:$slot, Variadic<Hopper_SmemBuffer>:$buffers);
  let assemblyFormat = "$ring (`at` `(` $stage^ `,` $phase `)`)? attr-dict `:` qualified(type($ring))";
  let hasVerifier = 1;
}

def Hopper_RingReleaseOp : Hopper_Op<"ring.release"> {
  let summary = "give a stage back to the fillers once this warpgroup has read it";
  let description = [{
    Each thread arrives at the stage's empty barrier after its own reads. In a cluster,
    one lane of each warp arrives at the empty barrier of each CTA, after the reads of its
    warp. Every wgmma that reads the stage must have been waited for, and every scale loaded.
  }];
  let arguments = (ins Hopper_Slot:$slot);
  let assemblyFormat = "$slot attr-dict";
}

def Hopper_RingAdvanceOp : Hopper_Op<"ring.advance", [Pure,
    Hopper_NamedResults]> {
  let summary = "the position after (stage, phase)";
  let description = [{
    `next_stage = stage + 1 == stages ? 0 : stage + 1`; the phase flips when the
    stage wraps. Written by hopper-assign-stages.
  }];
  let arguments = (ins Hopper_Ring:$ring, Index:$stage, I1:$phase);
  let results = (outs Index:$next_stage, I1:$next_phase);
  let assemblyFormat = "$ring `(` $stage `,` $phase `)` attr-dict `:` qualified(type($ring))";
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

def Hopper_ClusterBarrierOp : Hopper_Op<"cluster_barrier"> {
  let summary = "wait until every thread of the cluster that has not ended is here";
  let description = [{
    Writes to shared memory before the barrier, by any CTA, are visible to all CTAs after it.
    Before the roles it publishes initialised mbarriers to the cluster. In the consumers it
    also waits for the producers and helpers of the cluster to end: it is placed outside
    loops, after the last access to a ring.

    A CTA must not end while others still access its shared memory: this barrier keeps it
    alive.

    Source: PTX ISA, "barrier.cluster" (arrive.release, wait.acquire).
  }];
  let assemblyFormat = "attr-dict";
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

def Hopper_SumFragmentsOp : Hopper_Op<"sum_fragments", [Hopper_NamedResults]> {
  let summary = "add up the fragments put by the CTAs of the cluster, in the order of their ranks";
  let description = [{
    `sum = ((e0 + e1) + e2) + ...`, where e_r is the fragment that rank r put at `exchange`, a
    view of the same offset in each CTA, read through distributed shared memory. The order is
    fixed, so the same operands give the same bits.

    Constraints:
    - (C1) `exchange` is [N / 8, 128, 4] f32 in shared memory, N the columns of `sum`
    - (C2) `ranks` is in [2, 8]
  }];
  let arguments = (ins Arg<Hopper_SmemBuffer, "", [MemRead]>:$exchange, I64Attr:$ranks);
  let results = (outs Hopper_Fragment:$sum);
  let assemblyFormat = "$exchange `ranks` `(` $ranks `)` attr-dict `:` type($exchange) `->` type($sum)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Filling a stage
//===----------------------------------------------------------------------===//

def Hopper_TmaLoadOp : Hopper_Op<"tma_load"> {
  let summary = "copy a box of global memory into a buffer by TMA";
  let description = [{
    Loads the box of `map` whose first element is [row, column], counted in
    elements of the tensor, and completes its bytes at the full barrier of `slot`.
    Elements outside the tensor arrive as zeros, and their bytes count. A buffer of rank 3
    consists of panels, [panel, row, column] with w columns: panel p is the box at
    [row, column + p * w]. For a tensor with groups, the box is taken from `group`.

    `multicast` copies the box to the same offset in every CTA of the cluster, and completes it
    at the full barrier of each. Rank r loads the r-th of equal shares of the buffer's rows.

    Constraints:
    - (C1) the map's box has the element type and the shape of the buffer, or of a panel,
           after a leading 1 if there is a `group`; with `multicast` the buffer is the share
    - (C2) a box of f8 elements has rows of 128 bytes, in the 128-byte swizzle (as wgmma
           reads it); a box of scales is not swizzled; a panel has the swizzle of its row length

    Source: PTX ISA, "cp.async.bulk.tensor".
  }];
  let arguments = (ins NVGPU_TensorMapDescriptor:$map, Index:$row, Index:$column,
                       Optional<Index>:$group, Arg<Hopper_SmemBuffer, "", [MemWrite]>:$buffer,
                       Hopper_Slot:$slot, UnitAttr:$multicast);
  let assemblyFormat = [{
    $map `[` $row `,` $column `]` (`of` $group^)? `to` $buffer `signal` $slot (`multicast` $multicast^)? attr-dict
    `:` qualified(type($map)) `to` type($buffer)
  }];
  let hasVerifier = 1;
}

def Hopper_TmaPrefetchOp : Hopper_Op<"tma_prefetch"> {
  let summary = "bring a box of global memory to L2";
  let description = [{
    Starts copying the box of `map` whose first element is [row, column] from HBM to L2, and is never waited for: a hint
    that changes no value. What TMA adds to later (`tma_store add`) is then in L2 when it is needed, and HBM reads it
    while the tensor cores work. Elements outside the tensor are passed over; for a tensor with groups, the box is taken
    from `group`.

    Constraints:
    - (C1) the map's box has rank 2, or 3 after a leading 1 if there is a `group`

    Source: PTX ISA, "cp.async.bulk.prefetch.tensor".
  }];
  // Written is L2, which no other operation reads: without an effect the operation would be dead.
  let arguments = (ins Arg<NVGPU_TensorMapDescriptor, "", [MemWrite]>:$map, Index:$row, Index:$column,
                       Optional<Index>:$group);
  let assemblyFormat = "$map `[` $row `,` $column `]` (`of` $group^)? attr-dict `:` qualified(type($map))";
  let hasVerifier = 1;
}

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

//===----------------------------------------------------------------------===//
// Computing
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Storing a tile
//===----------------------------------------------------------------------===//

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

def Hopper_NamedBarrierOp : Hopper_Op<"named_barrier"> {
  let summary = "wait until `threads` threads are at barrier `id`";
  let description = [{
    Barrier 0 belongs to `gpu.barrier`; 1 to 15 are free.

    Constraints:
    - (C1) `threads` is a positive multiple of 32
    - (C2) a constant `id` is in [1, 15]

    Source: PTX ISA, "barrier.sync".
  }];
  let arguments = (ins Index:$id, I32Attr:$threads);
  let assemblyFormat = "$id `threads` `(` $threads `)` attr-dict";
  let hasVerifier = 1;
}

def Hopper_TmaStoreOp : Hopper_Op<"tma_store"> {
  let summary = "copy staged panels to global memory by TMA, or add them to it";
  let description = [{
    Thread 0 of the warpgroup stores panel p to the box of `map` at
    [row, column + p * w], and commits all panels as one bulk group. Elements outside the
    tensor are not written; for a tensor with groups, the box is taken from `group`. With `add`,
    TMA adds the elements to memory: as long as a kernel adds to each element once, the result
    has the same bits every time.

    Constraints:
    - (C1) `staging` is [panels, r, w]; the map's box is r x w, after a leading 1 if there is a `group`, of the
           same element type, with the swizzle of its row length
    - (C2) with `add`, elements are f32: a sum of bf16 would be rounded twice

    Source: PTX ISA, "cp.async.bulk.tensor", "cp.reduce.async.bulk.tensor",
    "cp.async.bulk.commit_group".
  }];
  let arguments = (ins Arg<Hopper_SmemBuffer, "", [MemRead]>:$staging,
                       Arg<NVGPU_TensorMapDescriptor, "", [MemWrite]>:$map, // of the tensor that it describes
                       Index:$row, Index:$column, Optional<Index>:$group, UnitAttr:$add);
  let assemblyFormat = [{
    (`add` $add^)? $staging `to` $map `[` $row `,` $column `]` (`of` $group^)? attr-dict `:` type($staging) `to` qualified(type($map))
  }];
  let hasVerifier = 1;
}

def Hopper_TmaStoreWaitOp : Hopper_Op<"tma_store.wait"> {
  let summary = "thread 0 of the warpgroup waits for its bulk groups";
  let description = [{
    Waits until at most `pending` groups are unfinished. With `read`, a group is finished
    when shared memory has been read and may be overwritten; without, when its writes
    are complete. Only thread 0 waits: the next barrier passes this on to the others.
    Source: PTX ISA, `cp.async.bulk.wait_group`.
  }];
  let arguments = (ins DefaultValuedAttr<I32Attr, "0">:$pending, UnitAttr:$read);
  let assemblyFormat = "(`read` $read^)? (`pending` $pending^)? attr-dict";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPS_TD
