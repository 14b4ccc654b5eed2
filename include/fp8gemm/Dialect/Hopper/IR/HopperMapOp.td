// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERMAPOP_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERMAPOP_TD

include "fp8gemm/Dialect/Hopper/IR/HopperOpBase.td"

def Hopper_MapOp : Hopper_Op<"map", [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects, Hopper_NamedResults]> {
  let summary = "a function of scalars, of each element of fragments or vectors";
  let description = [{
    ```
    result[i, j] = body(inputs0[i, j], inputs1[i, j], ...)
    ```
    The body is a region of constants and elementwise operations of arith and math on scalars, as that of linalg.map is.
    Scales of rows by 1 are inputs, too: their element of row i serves all columns. If the result is scales of rows, so is
    every input, and the function is one of each row's scale.

    In kernels without roles, inputs and result are vectors of a thread.

    A fragment of twice the result's columns is two inputs, its halves: `body(x[i, j], x[i, columns + j], ...)`. A thread
    has both elements.

    With `max_of_rows`, the result is the scales of rows `result[i] = max over j of body(...)`, as arith.maximumf: NaN if
    one is NaN. Its threads exchange what they found: all of a warp run the operation together.

    A thread computes its elements one after the other, so the body needs registers for one of them at a time.

    Constraints:
    - (C1) inputs and result are fragments of one shape, or scales of 64 rows by 1, or all vectors of one size; there is an input. An input may have
           twice the columns of a fragment that is the result
    - (C2) the body takes an f32 for each input, of one that is twice as wide for each half, and yields an f32
    - (C3) operations of the body are constants and elementwise ones of arith and math on numbers of at most 64 bits, in
           math f32 or integers
    - (C4) with `max_of_rows`, an input is a fragment and the result is scales

    Example: a ReLU, and the largest magnitude of each row.
    ```mlir
    %relu = hopper.map (%sum) {
    ^bb0(%x: f32):
      %zero = arith.constant 0.0 : f32
      %positive = arith.maximumf %x, %zero : f32
      hopper.yield %positive : f32
    } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x128xf32>
    %amax = hopper.map (%relu) max_of_rows {
    ^bb0(%x: f32):
      %magnitude = math.absf %x : f32
      hopper.yield %magnitude : f32
    } : !hopper.fragment<64x128xf32> -> !hopper.scales<64 rows by 1>
    ```
  }];
  let arguments = (ins Variadic<AnyTypeOf<[Hopper_Fragment, Hopper_Scales, VectorOfRankAndType<[1], [F32]>]>>:$inputs, UnitAttr:$max_of_rows);
  let results = (outs AnyTypeOf<[Hopper_Fragment, Hopper_Scales, VectorOfRankAndType<[1], [F32]>]>:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $inputs `)` (`max_of_rows` $max_of_rows^)? $body attr-dict `:` type($inputs) `->` type($result)
  }];
  // `body` returns what an element of the result is, of an element of each input, or is a block that yields it. Scales of
  // fragments are the largest of rows.
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::ValueRange":$inputs,
                   "::llvm::function_ref<::mlir::Value(::mlir::ValueRange)>":$body)>,
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::ValueRange":$inputs, "::mlir::Block &":$body)>];
  let extraClassDeclaration = [{
    /// Arguments of the body for an input: 2 for one of twice the result's columns, otherwise 1.
    int64_t getArgumentsOf(::mlir::Type input);
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERMAPOP_TD
