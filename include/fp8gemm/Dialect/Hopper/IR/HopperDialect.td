// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERDIALECT_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERDIALECT_TD

include "mlir/IR/OpBase.td"

def Hopper_Dialect : Dialect {
  let name = "hopper";
  let cppNamespace = "::fp8gemm::hopper";
  let summary = "warp-specialised Hopper kernels: how to compute";
  let description = [{
    The dialect describes *how* a kernel runs on one CTA of an sm_90a GPU: the roles of
    its warps, the data that travels through the ring of shared-memory stages, and every
    fence, barrier and wait between them. Lowering translates op by op; it never
    reorders, and adds no synchronisation of its own.

    **The ring.** A ring has S stages. Each stage holds one set of buffers and two
    mbarriers: *full* (the data has arrived) and *empty* (the readers are done).
    Four operations move a stage around:

    | op | who | waits for | then |
    |---|---|---|---|
    | `ring.acquire` | filler | empty | TMA fillers arm *full* with the bytes they will load |
    | `ring.commit` | filler | | each lane that filled arrives at *full*; TMA arrives by itself |
    | `ring.wait` | reader | full | |
    | `ring.release` | reader | | each reading thread arrives at *empty* |

    Bytes and arrival counts are derived from the ring's type.

    **Phases of the dialect.** As built, acquire and wait take the ring's next
    stage implicitly. After `hopper-assign-stages` each names (stage, phase) as
    SSA values that are carried through the loops. `hopper-check-rings` checks the
    protocol, `hopper-check-resources` the budgets, and `convert-hopper-to-nvvm`
    lowers.

    The dialect reuses upstream: `gpu.func` for the kernel (its workgroup
    attributions are shared memory outside the rings), memref in address space 3,
    `!nvgpu.tensormap.descriptor`, `scf.for` and `arith`.

    **Attributes on operations of other dialects.** A kernel has `hopper.launch` and `hopper.problem`, and may have
    `hopper.config`, `hopper.workspace_bytes`, and once it is an `llvm.func` `hopper.smem_bytes`,
    `hopper.waits_for_previous` and `hopper.debug_rings`; its parameters have `hopper.param`, and as those of an `llvm.func`
    `hopper.map`. Any other name is an error.
  }];
  let dependentDialects = ["::mlir::nvgpu::NVGPUDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  // Only the `hopper.` attributes that a pass reads: a misspelt one would be ignored silently.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERDIALECT_TD
