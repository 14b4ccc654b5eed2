// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies between global and shared memory by TMA.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERTMAOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERTMAOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

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

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERTMAOPS_TD
