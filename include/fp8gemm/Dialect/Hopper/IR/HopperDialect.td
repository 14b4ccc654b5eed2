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

    **Words.** A *block* is 128 elements of K, or the elements that share a scale. A *group* is one of the products of a
    grouped product, and a *warpgroup* the 128 threads of four warps. A tile's *row* and *column* of tiles are where it is
    in D; a *chunk* of a group, in tables of groups, is a row of tiles or a block of K. Threads that share shared memory
    are a *CTA*.

    The dialect reuses upstream: `gpu.module`, memref in address space 3,
    `!nvgpu.tensormap.descriptor`, `scf.for` and `arith`.

    **No attributes on operations of other dialects.** The facts of a kernel are those of `hopper.kernel`, and of
    `hopper.entry` once it is an `llvm.func`. An attribute such as `hopper.note` on any operation is an error.
  }];
  let dependentDialects = ["::mlir::nvgpu::NVGPUDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  // They refuse each: it would be ignored silently.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = "void registerTypes();";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERDIALECT_TD
