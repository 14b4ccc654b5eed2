// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared definitions of the files of operations.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPBASE_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPBASE_TD

include "fp8gemm/Dialect/Hopper/IR/HopperAttrs.td"
include "fp8gemm/Dialect/Hopper/IR/HopperTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// Results print with descriptive names.
defvar Hopper_NamedResults = DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>;

/// Only the attributes that the operation defines and those of other dialects.
def Hopper_KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::fp8gemm::hopper";
}

class Hopper_Op<string mnemonic, list<Trait> traits = []>
    : Op<Hopper_Dialect, mnemonic, !listconcat(traits, [Hopper_KnownAttributes])>;

def Hopper_SmemBuffer : ConfinedType<MemRefRankOf<[AnyType], [1, 2, 3]>, [
    CPred<"::llvm::cast<::mlir::MemRefType>($_self).hasStaticShape()">,
    CPred<"::llvm::isa_and_nonnull<::mlir::IntegerAttr>(::llvm::cast<::mlir::MemRefType>($_self).getMemorySpace())">,
    CPred<"::llvm::cast<::mlir::IntegerAttr>(::llvm::cast<::mlir::MemRefType>($_self).getMemorySpace()).getInt() == 3">],
    "buffer of static shape and rank 1 to 3 in shared memory (memory space 3)">;

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPEROPBASE_TD
