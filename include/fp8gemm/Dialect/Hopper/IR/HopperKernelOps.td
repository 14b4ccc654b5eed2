// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations of a kernel as a whole: its roles, and its place in the stream.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"
include "mlir/IR/SymbolInterfaces.td"

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def Hopper_KernelOp : Hopper_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a kernel: its arguments, its shared memory, the facts for its launcher, and what its threads do";
  let description = [{
    The arguments after `args` are passed by the launcher. `of` says which operand of the product each one is:

    - a tensor map `of a`: a CUtensorMap over the operand's storage; box, element type and swizzle are in its type
    - a memref `of sfb`, `of x`: a pointer to the operand and its strides; `of groups`: the description of groups; `of workspace`:
      device memory, of which each CTA has the `workspace_bytes` of `launch`
    - an index `of m`, `of k`: M; K, of all groups

    The arguments after `shared` are buffers in shared memory, besides those of the rings. `problem` is the product that
    the kernel computes, or `quantization` what it does instead, `config` the schedule that it was built from, for reports, and `launch` how to launch it.

    The body is run by all threads of a CTA. A kernel in a test may leave out `of`, `problem`, `config` and `launch`; only
    `hopper-check-resources` and the manifest require them.

    Constraints:
    - (C1) the parent is a `gpu.module`
    - (C2) tensor maps and memrefs are operands, M and K are of type index; memrefs are in global memory
    - (C3) a buffer after `shared` is a memref in shared memory (memory space 3)

    Example:
    ```mlir
    hopper.kernel @name args(%a: !map of a, %d: memref<?x128xbf16> of d, %m: index of m)
        shared(%staging: memref<2x64x64xbf16, 3>)
        launch<threads = 384, tile_m = 128, tile_n = 128> {
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypedArrayAttrBase<Hopper_OperandAttr, "the operand that each argument is">:$operand_kinds,
                       OptionalAttr<Hopper_ProblemAttr>:$problem, OptionalAttr<Hopper_QuantizationAttr>:$quantization,
                       OptionalAttr<Hopper_ConfigInterface>:$config, OptionalAttr<Hopper_LaunchAttr>:$launch);
  let regions = (region SizedRegion<1>:$body);
  let skipDefaultBuilders = 1;
  let builders = [
    // With an empty block, which has no arguments and no terminator.
    OpBuilder<(ins "::llvm::StringRef":$name)>];
  // @name `args` `(` (%argument `:` type (`of` operand)?),* `)` (`shared` `(` (%buffer `:` type),* `)`)?
  // (`problem` <...>)? (`quantization` <...>)? (`config` `(` attribute `)`)? (`launch` <...>)? (`attributes` {...})? region
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::StringRef getName() { return getSymName(); }
    /// The arguments that the launcher passes.
    ::mlir::Block::BlockArgListType getParameters() { return getBody().getArguments().take_front(getOperandKinds().size()); }
    /// The buffers in shared memory, besides those of rings.
    ::mlir::Block::BlockArgListType getSharedBuffers() { return getBody().getArguments().drop_front(getOperandKinds().size()); }
    /// The operand that a parameter is.
    ::fp8gemm::hopper::Operand getOperandOf(::mlir::BlockArgument parameter) {
      return ::llvm::cast<OperandAttr>(getOperandKinds()[parameter.getArgNumber()]).getValue();
    }
    /// Appends a parameter, or a buffer whose name is `name` when it is printed.
    void addParameter(::fp8gemm::hopper::Operand of, ::mlir::Type type);
    void addSharedBuffer(::llvm::StringRef name, ::mlir::MemRefType type);
  }];
}

def Hopper_EntryOp : Hopper_Op<"entry", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the facts of a lowered kernel, for its launcher";
  let description = [{
    `convert-hopper-to-nvvm` puts it beside the `llvm.func` that a `hopper.kernel` becomes, with the kernel's facts and
    those that are known then: `smem_bytes`, the bytes of dynamic shared memory; `waits_for_previous`, if the kernel has a
    `hopper.griddepcontrol wait`; and `debug_rings` of a debug build. The manifest is made from it. It is no instruction:
    LLVM IR has nothing for it.

    Constraints:
    - (C1) `kernel` is a function in the same module, and `params` has an entry for each of its parameters
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel,
                       TypedArrayAttrBase<Hopper_ParamAttr, "the meaning of each parameter">:$params,
                       OptionalAttr<Hopper_ProblemAttr>:$problem, OptionalAttr<Hopper_QuantizationAttr>:$quantization,
                       OptionalAttr<Hopper_ConfigInterface>:$config, Hopper_LaunchAttr:$launch, I64Attr:$smem_bytes, UnitAttr:$waits_for_previous,
                       OptionalAttr<Hopper_DebugRingsAttr>:$debug_rings);
  let assemblyFormat = [{
    $kernel `params` $params (`problem` $problem^)? (`quantization` $quantization^)? (`config` `(` $config^ `)`)? `launch` $launch
    `smem_bytes` `(` $smem_bytes `)` (`waits_for_previous` $waits_for_previous^)? (`debug_rings` $debug_rings^)? attr-dict
  }];
  let extraClassDeclaration = [{
    /// The entry of `kernel` in its module; null if there is none, or more than one.
    static EntryOp of(::mlir::Operation *kernel);
    ParamAttr getParam(unsigned index) { return ::llvm::cast<ParamAttr>(getParams()[index]); }
  }];
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

def Hopper_WarpSpecializeOp : Hopper_Op<"warp_specialize", [RecursiveMemoryEffects,
    SingleBlockImplicitTerminator<"YieldOp">,
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
    - (C4) regions capture only arguments of the kernel, constants and values that are
           uniform over all threads: `gpu.block_id`, `gpu.grid_dim` and the like, rings, shared
           memory, and arithmetic, views and loads whose operands are uniform
    - (C5) `unroll` is in [1, 64]: more would fit neither the registers nor the instruction cache

    Source: PTX ISA, "setmaxnreg".
  }];
  let arguments = (ins I32Attr:$producer_registers, I32Attr:$consumers, I32Attr:$consumer_registers,
                       DefaultValuedAttr<I32Attr, "1">:$unroll);
  let regions = (region SizedRegion<1>:$producer, MaxSizedRegion<1>:$helper, SizedRegion<1>:$consumer);
  // `producer` `registers` `(` n `)` region (`helper` region)? `consumers` `(` n `)` `registers` `(` n `)`
  // (`unroll` `(` n `)`)? `|` warpgroup `|` region attr-dict. Hand-written: the parser generated from a declarative format frees a region that may still
  // be referenced if a later region is wrong.
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Hopper_YieldOp : Hopper_Op<"yield", [Pure, Terminator,
    ParentOneOf<["KernelOp", "WarpSpecializeOp", "ForTilesOp", "MapOp"]>]> {
  let summary = "end of a kernel, of a role, or of what is done for a tile, where it is not written in assembly; value of hopper.map";
  let arguments = (ins Optional<F32>:$value);
  let assemblyFormat = "($value^ `:` type($value))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, /*value=*/::mlir::Value()); }]>];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Other kernels of the stream
//===----------------------------------------------------------------------===//

def Hopper_GriddepcontrolOp : Hopper_Op<"griddepcontrol"> {
  let summary = "wait until the kernels before this one have ended, or allow the next kernel to start";
  let description = [{
    `wait`: under programmatic dependent launch, a kernel may start while the previous kernel of
    the stream still runs; operations before this wait then overlap with its end. After
    the wait, everything that it wrote is visible, and nothing still reads the memory that
    this kernel writes. In an ordinary launch, a kernel does not wait here.

    `launch_dependents`: once every CTA has executed this or ended, CTAs of a dependent kernel start as soon as
    an SM has room for them: in practice, as CTAs of this kernel end. This kernel's writes
    are visible to them only after their own `wait`.

    Source: PTX ISA, `griddepcontrol`.
  }];
  let arguments = (ins Hopper_Dependence:$kind);
  let assemblyFormat = "$kind attr-dict";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERKERNELOPS_TD
