// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERTYPES_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERTYPES_TD

include "fp8gemm/Dialect/Hopper/IR/HopperEnums.td"
include "mlir/Dialect/NVGPU/IR/NVGPUTypes.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/BuiltinTypes.td"
include "mlir/IR/EnumAttr.td"

class Hopper_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Hopper_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Hopper_Ring : Hopper_Type<"Ring", "ring"> {
  let summary = "stages of shared-memory buffers with a full and an empty mbarrier each";
  let description = [{
    `tma` lists the buffers of a stage that TMA fills, `warps` those that helper
    warps fill with ordinary stores, each with its name. `readers` warpgroups read every stage.

    With `cluster` > 1, the producers of that many CTAs fill each other's stages
    (`tma_load ... multicast`), so a stage is empty when the readers of all of them
    have released it.

    Derived from the type:
    - bytes expected at *full* = the sum of the `tma` buffers' bytes
    - arrivals at *full* = 1 (TMA producer, if there are `tma` buffers) + 32 (lanes of the helper warp, if there are `warps` buffers)
    - arrivals at *empty* = 128 x `readers` (one per thread); in a cluster 4 x `readers` x `cluster`
      (one per warp from every CTA)

    Example:
    `!hopper.ring<stages = 5, tma(a: memref<128x128xf8E4M3FN, 3>, sfa: memref<128xf32, 3>), warps(sfb: memref<1xf32, 3>), readers = 2>`
  }];
  let parameters = (ins "int64_t":$stages,
                        OptionalArrayRefParameter<"::mlir::MemRefType">:$tma,
                        OptionalArrayRefParameter<"::mlir::MemRefType">:$warps,
                        ArrayRefParameter<"::mlir::StringAttr", "of `tma`, then of `warps`">:$names,
                        "int64_t":$readers,
                        DefaultValuedParameter<"int64_t", "1">:$cluster);
  // `<` `stages` `=` n (`,` `tma` `(` (name `:` memref),+ `)`)? (`,` `warps` `(` (name `:` memref),+ `)`)?
  // `,` `readers` `=` n (`,` `cluster` `=` n)? `>`
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes that TMA loads into one stage.
    int64_t getExpectedBytes();
    /// Arrivals that complete a phase of a stage's full barrier.
    int64_t getFullArrivals();
    /// Arrivals that complete a phase of a stage's empty barrier.
    int64_t getEmptyArrivals() { return getCluster() == 1 ? 128 * getReaders() : 4 * getReaders() * getCluster(); }
    /// All buffers of a stage: those of TMA, then those of the warps.
    ::llvm::SmallVector<::mlir::MemRefType> getBuffers();

    // Layout in shared memory (bytes from the ring's base, which is aligned to
    // 1024): buffer by buffer, each stage after the other; then the full
    // barriers, then the empty ones, 8 bytes each.

    /// From one stage of a buffer to the next. Tiles are aligned to 1024 bytes
    /// (the period of the 128-byte swizzle), small buffers to 128 (as TMA requires).
    int64_t getBufferStride(unsigned buffer);
    /// Stage 0 of a buffer.
    int64_t getBufferOffset(unsigned buffer);
    /// Full barrier of stage 0.
    int64_t getFullOffset() { return getBufferOffset(getTma().size() + getWarps().size()); }
    /// Empty barrier of stage 0.
    int64_t getEmptyOffset() { return getFullOffset() + 8 * getStages(); }
    /// Bytes of the whole ring.
    int64_t getSmemBytes() { return getEmptyOffset() + 8 * getStages(); }
  }];
}

def Hopper_Slot : Hopper_Type<"Slot", "slot"> {
  let summary = "the right to fill or to read one stage of a ring";
  let description = [{
    Made by `ring.acquire` or `ring.wait`, used by the loads that signal it, and
    consumed exactly once by `ring.commit` or `ring.release`.
  }];
}

def Hopper_Fragment : Hopper_Type<"Fragment", "fragment", [ShapedTypeInterface, ValueSemantics]> {
  let summary = "an accumulator of 64 rows, spread over the registers of a warpgroup";
  let description = [{
    64 x N f32 in the register layout of wgmma.m64nNk32 (PTX ISA, "Register
    Fragments for wgmma.mma_async.m64nNk32"): thread t of the warpgroup, with
    warp w = t / 32 and lane l = t % 32, holds in register 4j + 2h + c the element
    of row 16w + l/4 + 8h and column 8j + 2(l%4) + c. N / 2 registers per thread.

    A fragment is a value of 64 x N numbers: elementwise operations of arith and math apply to
    it as to a vector, and each thread computes the elements that it holds:
    `%sum = arith.addf %acc, %c : !hopper.fragment<64x128xf32>`.

    Example: `!hopper.fragment<64x128xf32>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape);
  let builders = [TypeBuilder<(ins "int64_t":$rows, "int64_t":$columns), [{
    return $_get($_ctxt, ::llvm::ArrayRef<int64_t>{rows, columns});
  }]>];
  let assemblyFormat = "`<` custom<FragmentShape>($shape) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRows() const { return getShape()[0]; }
    int64_t getColumns() const { return getShape()[1]; }

    // ShapedType
    bool hasRank() const { return true; }
    ::mlir::Type getElementType() const { return ::mlir::Float32Type::get(getContext()); }
    /// A fragment has f32 elements: with others, and of other shapes, it is a vector, which no hopper operation takes.
    ::mlir::ShapedType cloneWith(::std::optional<::llvm::ArrayRef<int64_t>> shape, ::mlir::Type elementType) const;

    /// f32 registers that each thread of the warpgroup holds.
    int64_t getRegisters() { return getRows() * getColumns() / 128; }
  }];
}

def Hopper_Scales : Hopper_Type<"Scales", "scales", [ShapedTypeInterface, ValueSemantics]> {
  let summary = "scales of an accumulator's rows or columns, in registers";
  let description = [{
    One f32 serves `block` neighbouring rows or columns of a fragment. The layout
    in registers follows the fragment's:

    - rows, block 1: two registers per thread, rows 16w + l/4 and 16w + l/4 + 8
    - rows, block 64: one register, the same in every thread
    - columns, block 1: extent / 4 registers; register 2j + c is of column 8j + 2(l%4) + c
    - columns, block >= 8: extent / block registers, the same in every thread

    Examples: `!hopper.scales<64 rows by 1>`, `!hopper.scales<176 columns by 16>`,
    `!hopper.scales<128 columns by 1>`.

    A value of `extent` numbers, of which those of a block are the same: `arith.constant dense<0.0> : !hopper.scales<64 rows by 1>`.
  }];
  let parameters = (ins "int64_t":$extent, EnumParameter<Hopper_Axis>:$axis, "int64_t":$block);
  let assemblyFormat = "`<` $extent $axis `by` $block `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    // ShapedType
    bool hasRank() const { return true; }
    ::llvm::ArrayRef<int64_t> getShape() const;
    ::mlir::Type getElementType() const { return ::mlir::Float32Type::get(getContext()); }
    /// Scales have f32 elements: with others, and of other shapes, they are a vector, which no hopper operation takes.
    ::mlir::ShapedType cloneWith(::std::optional<::llvm::ArrayRef<int64_t>> shape, ::mlir::Type elementType) const;

    /// f32 registers that each thread holds.
    int64_t getRegisters();
    /// The register that scales a fragment's register.
    int64_t getRegisterOf(int64_t fragmentRegister);
  }];
}

def Hopper_Work : Hopper_Type<"Work", "work"> {
  let summary = "the tiles that CTAs work on, as hopper.tiles describes them";
}

def Hopper_Tile : Hopper_Type<"Tile", "tile"> {
  let summary = "a tile of hopper.for_tiles, which hopper.locate finds";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERTYPES_TD
