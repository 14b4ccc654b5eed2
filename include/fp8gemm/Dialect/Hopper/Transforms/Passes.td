// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def UnrollPass : Pass<"hopper-unroll"> {
  let summary = "unroll the consumers' main loop as its kernel asks";
  let description = [{
    The innermost loops of the consumers that issue products are unrolled by the `unroll` of their
    `hopper.warp_specialize`, which then is 1. Iterations that are left over come after the loop. ptxas
    then polls the next stage's barrier and computes its addresses under the promotion of the stage before.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def ReuseRegistersPass : Pass<"hopper-reuse-registers"> {
  let summary = "let each product take the registers of an earlier one of its block";
  let description = [{
    Each `hopper.mma` takes the registers (`reusing`) of the first fragment that a `hopper.mma.wait` before it, in
    its block, made and that no other product has taken. Without it ptxas gives the products of an unrolled loop registers
    of their own, starts them before the promotion of those before, and spills. Products that say whose
    registers they take keep them.
  }];
}

def AssignStagesPass : Pass<"hopper-assign-stages"> {
  let summary = "give every ring access its stage and phase";
  let description = [{
    Threads each role's position in each ring, (stage, phase), through its loops
    as SSA values: acquire and wait then say `at (stage, phase)`, and a
    `ring.advance` follows. A filler starts at (0, true), a reader at (0, false).
    The position is carried by every loop around the access, so it persists across
    the tiles of a persistent CTA.

    **Afterwards no ring access is without a position.** Accesses that have one are
    left alone.
  }];
  let dependentDialects = ["::fp8gemm::hopper::HopperDialect", "::mlir::arith::ArithDialect"];
}

def CheckRingsPass : Pass<"hopper-check-rings"> {
  let summary = "reject schedules that break the ring protocol";
  let description = [{
    Checks what would hang a GPU or corrupt memory, and changes nothing. Each rule
    and its message: docs/RingProtocol.md.
  }];
}

def CheckResourcesPass : Pass<"hopper-check-resources"> {
  let summary = "reject kernels that don't fit an SM";
  let description = [{
    Compares the shared memory (attributions, rings, mbarriers, as laid out by
    SmemLayout), the registers of the roles, the accumulators, the threads and the cluster with
    the limits of an sm_90a SM, and the maps of groups with the workspace that a launcher is told of. Both
    numbers are in the message.
  }];
  let options = [
    Option<"smemLimit", "smem-limit", "int64_t", /*default=*/"232448",
           "shared memory that a CTA may use (bytes)">,
  ];
}

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_PASSES_TD
