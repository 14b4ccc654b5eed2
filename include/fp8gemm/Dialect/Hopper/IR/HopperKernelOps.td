// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations of a kernel as a whole: its roles, and its place in the stream.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

def Hopper_WarpSpecializeOp : Hopper_Op<"warp_specialize", [RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "the warp roles of a CTA, as regions that run concurrently";
  let description = [{
    Warpgroup 0 is the producer group and keeps `producer_registers` registers per
    thread; warpgroups 1 .. `consumers` compute with `consumer_registers`
    (setmaxnreg: a multiple of 8, 24 to 256).

    - `producer`: one thread of warp 0. It may only acquire, load by TMA and commit.
    - `helper` (may be empty): warp 1, all 32 lanes together.
    - `consumer`: every consumer warpgroup, all 128 threads together; its block
      argument is the warpgroup's number, from 0.

    Every loop and condition in a region is uniform over the threads that run it.

    `unroll` is the number of iterations that `hopper-unroll` combines into one in the consumers' innermost
    loops with products; afterwards it is 1.

    Constraints:
    - (C1) register counts are multiples of 8 in [24, 256]
    - (C2) 128 x (producer + consumers x consumer registers) <= 65536, the registers of an SM
    - (C3) the consumer region has one index argument, the others none
    - (C4) regions capture only function arguments, constants and values that are
           uniform over all threads: `gpu.block_id`, `gpu.grid_dim` and the like, rings, shared
           memory, and arithmetic, views and loads whose operands are uniform
    - (C5) `unroll` is in [1, 64]: more would fit neither the registers nor the instruction cache

    Source: PTX ISA, "setmaxnreg".
  }];
  let arguments = (ins I32Attr:$producer_registers, I32Attr:$consumers, I32Attr:$consumer_registers,
                       DefaultValuedAttr<I32Attr, "1">:$unroll);
  let regions = (region SizedRegion<1>:$producer, MaxSizedRegion<1>:$helper, SizedRegion<1>:$consumer);
  // `producer` `registers` `(` n `)` region (`helper` region)? `consumers` `(` n `)` `registers` `(` n `)`
  // (`unroll` `(` n `)`)? `|` group `|` region attr-dict. Hand-written: the parser generated from a declarative format frees a region that may still
  // be referenced if a later region is wrong.
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Hopper_YieldOp : Hopper_Op<"yield", [Pure, Terminator, ParentOneOf<["WarpSpecializeOp", "ForTilesOp"]>]> {
  let summary = "end of a role, or of what is done for a tile";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Other kernels of the stream
//===----------------------------------------------------------------------===//

def Hopper_GriddepcontrolWaitOp : Hopper_Op<"griddepcontrol.wait"> {
  let summary = "wait until the kernels before this one have ended";
  let description = [{
    Under programmatic dependent launch, a kernel may start while the previous kernel of
    the stream still runs; operations before this wait then overlap with its end. After
    the wait, everything that it wrote is visible, and nothing still reads the memory that
    this kernel writes. In an ordinary launch, a kernel does not wait here.

    Source: PTX ISA, `griddepcontrol.wait`.
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_GriddepcontrolLaunchDependentsOp : Hopper_Op<"griddepcontrol.launch_dependents"> {
  let summary = "allow the next kernel to start";
  let description = [{
    Once every CTA has executed this or ended, CTAs of a dependent kernel start as soon as
    an SM has room for them: in practice, as CTAs of this kernel end. This kernel's writes
    are visible to them only after their own `hopper.griddepcontrol.wait`.

    Source: PTX ISA, `griddepcontrol.launch_dependents`.
  }];
  let assemblyFormat = "attr-dict";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD
