// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD
#define FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD

include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmAttrs.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def FP8Gemm_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef],
                               "ranked tensor or strided memref">;

def FP8Gemm_GemmOp : Op<FP8Gemm_Dialect, "gemm", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "block-scaled FP8 matrix product";
  let description = [{
    ```
    D[m, n] = C[m, n] + sum over kb of  sfa(m, kb) * sfb(n, kb) * sum over k in block kb of A[m, k] * B[n, k]
    ```
    K is cut into blocks kb of 128 elements; the last one may be shorter. Where
    the sum is rounded and the bound on its error: docs/Numerics.md.

    Operands (M static or dynamic; N and K static):
    - `a`: [M, K] f8E4M3FN or f8E5M2, K-major
    - `sfa`: f32 scales of A, storage as `a_scale` says
    - `b`: [N, K] f8E4M3FN or f8E5M2, K-major
    - `sfb`: f32 scales of B, storage as `b_scale` says
    - `c`: [M, N] of D's type, added where it is given; without it nothing is
    - `d`: [M, N] bf16 or f32, overwritten

    `b_scale` names the recipe: 128x128 blocks are 1d2d (forward, data gradient),
    1x128 blocks are 1d1d (weight gradient).

    On tensors the result is the new value of `d`; on memrefs there is no result.
    A memref operand may have a leading dimension larger than its rows are long.
    `d` must not overlap any other operand, with one exception: `c` and `d` that are the
    same value are a product *in place*, D += A * B^T.

    `config` is the schedule (see `fp8gemm-select-config`), `kernel` the GPU
    kernel built for this operation (see `convert-fp8gemm-to-hopper`).

    Constraints (what is dynamic in a type must hold when the operation runs):
    - (C1) operands are all tensors or all memrefs, each of rank 2
    - (C2) `a` and `b` each have element type f8E4M3FN or f8E5M2
    - (C3) `sfa` and `sfb` have element type f32
    - (C4) `d` has element type bf16 or f32
    - (C5) N and K are static, in every operand that has them
    - (C6) `a` and `b` agree on K; `d` is [rows of `a`, rows of `b`]
    - (C7) N is a positive multiple of 8
    - (C8) K is a positive multiple of 16
    - (C9) `a_scale` has 1x128 blocks, `b_scale` has 128x128 or 1x128 blocks
    - (C10) `sfa` has the storage shape that `a_scale` asks for
    - (C11) `sfb` has the storage shape that `b_scale` asks for
    - (C12) memref rows are contiguous: the innermost stride is 1
    - (C13) memref rows start at multiples of 16 bytes and don't overlap
            (`a`, `b`, `c`, `d`, and scales of 1x128 blocks that are mn_major)
    - (C14) tensors of mn_major scales of 1x128 blocks have rows of a multiple of 4 scales
    - (C15) on tensors there is one result, of the type of `d`; on memrefs none
    - (C16) `c` has the shape and the element type of `d`

    (C13) and (C14) are what TMA demands of a tensor in global memory: PTX ISA,
    "Tensors", and cuTensorMapEncodeTiled. (C7) follows from (C13) for packed
    rows of D; (C8) for packed rows of A and B. M = 0 is a valid product of no rows.

    Power-of-two (e8m0) scales, other block shapes and other types of D are errors that
    say so: they are not built yet.

    Examples: a forward product, and a weight gradient that is added to what D holds.
    ```mlir
    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>, memref<?x7168xbf16>

    fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d
      : memref<2112x4096xf8E4M3FN>, memref<32x2112xf32>, memref<7168x4096xf8E5M2>, memref<32x7168xf32>,
        memref<2112x7168xf32>, memref<2112x7168xf32>
    ```
  }];

  let arguments = (ins FP8Gemm_Shaped:$a, FP8Gemm_Shaped:$sfa,
                       FP8Gemm_Shaped:$b, FP8Gemm_Shaped:$sfb,
                       Optional<FP8Gemm_Shaped>:$c, FP8Gemm_Shaped:$d,
                       FP8Gemm_ScaleAttr:$a_scale, FP8Gemm_ScaleAttr:$b_scale,
                       OptionalAttr<FP8Gemm_ConfigAttr>:$config,
                       OptionalAttr<SymbolRefAttr>:$kernel);
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $a `scaled_by` $sfa $a_scale `,` $b `scaled_by` $sfb $b_scale (`plus` $c^)? `into` $d attr-dict
    `:` custom<OperandTypes>(type($a), type($sfa), type($b), type($sfb), type($c), type($d)) (`->` type($result)^)?
  }];
  let hasVerifier = 1;

  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDMutable(); }

    /// M, or ShapedType::kDynamic.
    int64_t getM() { return ::llvm::cast<::mlir::ShapedType>(getA().getType()).getDimSize(0); }
    int64_t getN() { return ::llvm::cast<::mlir::ShapedType>(getB().getType()).getDimSize(0); }
    int64_t getK() { return ::llvm::cast<::mlir::ShapedType>(getB().getType()).getDimSize(1); }

    /// True if D is read as C and overwritten.
    bool isInPlace() { return getC() == getD(); }
    /// True if each row of B has its own scales (recipe 1d1d).
    bool isBScaledByRows() { return getBScale().getRows() == 1; }
    ::mlir::Type getAElement() { return ::llvm::cast<::mlir::ShapedType>(getA().getType()).getElementType(); }
    ::mlir::Type getBElement() { return ::llvm::cast<::mlir::ShapedType>(getB().getType()).getElementType(); }
    ::mlir::Type getDElement() { return ::llvm::cast<::mlir::ShapedType>(getD().getType()).getElementType(); }
  }];
}

#endif // FP8GEMM_DIALECT_FP8GEMM_IR_FP8GEMMOPS_TD
