// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandTilesPass : Pass<"hopper-expand-tiles"> {
  let summary = "turn loops over tiles into arithmetic";
  let description = [{
    `hopper.tiles` becomes the arithmetic that all tiles share, before the roles; each `hopper.for_tiles` becomes a loop
    over the numbers of this CTA's tiles (no loop for `split_k`, where a CTA has one tile), with a condition where
    tiles may have no work; and each `hopper.locate` becomes the arithmetic of its kind of schedule, in its place.

    **Afterwards none of these operations is left.**
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def UnrollPass : Pass<"hopper-unroll"> {
  let summary = "unroll the consumers' main loop as the kernel specifies";
  let description = [{
    The innermost loops of the consumers that issue products are unrolled by the `unroll` of their
    `hopper.warp_specialize`, which is 1 afterwards. Remaining iterations follow the loop. ptxas
    then polls the next stage's barrier and computes its addresses during the promotion of the previous stage.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def ReuseRegistersPass : Pass<"hopper-reuse-registers"> {
  let summary = "let each product take the registers of an earlier one of its block";
  let description = [{
    Each `hopper.mma` takes the registers (`reusing`) of the first fragment that an earlier `hopper.mma.wait`
    of its block produced and that no other product has taken. Otherwise ptxas gives the products of an unrolled loop
    separate registers, starts them before the promotion of the previous ones, and spills. Products that already
    have a `reusing` keep it.
  }];
}

def AssignStagesPass : Pass<"hopper-assign-stages"> {
  let summary = "give every ring access its stage and phase";
  let description = [{
    Threads each role's position in each ring, (stage, phase), through its loops
    as SSA values: acquire and wait get `at (stage, phase)`, and a
    `ring.advance` follows. A filler starts at (0, true), a reader at (0, false).
    The position is carried by every loop around the access, so it persists across
    the tiles of a persistent CTA.

    **Afterwards every ring access has a position.** Accesses that already have one are
    not changed.
  }];
  let dependentDialects = ["::fp8gemm::hopper::HopperDialect", "::mlir::arith::ArithDialect"];
}

def CheckRingsPass : Pass<"hopper-check-rings"> {
  let summary = "reject schedules that break the ring protocol";
  let description = [{
    Finds schedules that would hang a GPU or corrupt memory, and changes nothing.
    docs/RingProtocol.md lists each rule and its message.
  }];
}

def CheckResourcesPass : Pass<"hopper-check-resources"> {
  let summary = "reject kernels that don't fit an SM";
  let description = [{
    Compares the shared memory (buffers, rings, mbarriers, as laid out by
    SmemLayout), the registers of the roles, the accumulators, the threads and the cluster with
    the limits of an sm_90a SM, and the maps of groups with the workspace given to the launcher. The message
    has both numbers.
  }];
  let options = [
    Option<"smemLimit", "smem-limit", "int64_t", /*default=*/"232448",
           "shared memory that a CTA may use (bytes)">,
  ];
}

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD
