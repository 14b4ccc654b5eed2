// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fences, and barriers other than those of rings.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERBARRIEROPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERBARRIEROPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

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

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERBARRIEROPS_TD
