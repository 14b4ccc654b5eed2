// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
include "mlir/IR/OpBase.td"

def Toy_Dialect : Dialect {
  let name = "toy";
  let cppNamespace = "::toy";
}

def Toy_LinearOp : Op<Toy_Dialect, "linear"> {
  let summary = "y = x * weight^T; a scale for 128 elements of a row of x, and for 128 x 128 elements of weight";
  let arguments = (ins MemRefRankOf<[F8E4M3FN], [2]>:$x, MemRefRankOf<[F32], [2]>:$xScales,
                       MemRefRankOf<[F8E4M3FN], [2]>:$weight, MemRefRankOf<[F32], [2]>:$weightScales,
                       MemRefRankOf<[BF16], [2]>:$y);
  let assemblyFormat = "$x `,` $xScales `,` $weight `,` $weightScales `into` $y attr-dict `:` type(operands)";
}
