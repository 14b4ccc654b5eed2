// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rings: the stages that fillers hand to readers.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERRINGOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERRINGOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

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
  let builders = [OpBuilder<(ins "::mlir::Value":$ring, "::fp8gemm::hopper::Filler":$filler), [{
    build($_builder, $_state, ring, filler, /*stage=*/::mlir::Value(), /*phase=*/::mlir::Value());
  }]>];
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
  let builders = [OpBuilder<(ins "::mlir::Value":$ring), [{
    build($_builder, $_state, ring, /*stage=*/::mlir::Value(), /*phase=*/::mlir::Value());
  }]>];
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

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERRINGOPS_TD
