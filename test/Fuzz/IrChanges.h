// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes to IR rather than to its text: what comes out parses, and mostly verifies.

#ifndef FP8GEMM_TEST_FUZZ_IRCHANGES_H
#define FP8GEMM_TEST_FUZZ_IRCHANGES_H

#include "Mutator.h"
#include "mlir/IR/BuiltinOps.h"

namespace fp8gemm::fuzz {

/// One change to `module`: of an attribute, a type or an extent wherever it stands, an operand, or of where an operation
/// stands. Returns whether there was something to change. The caller verifies.
bool changeIr(mlir::ModuleOp module, const Mutator &mutator, Random &random);

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_IRCHANGES_H
