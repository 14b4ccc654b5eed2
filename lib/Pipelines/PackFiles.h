// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems that are not JSON.

#ifndef FP8GEMM_PIPELINES_PACKFILES_H
#define FP8GEMM_PIPELINES_PACKFILES_H

#include "fp8gemm/Pipelines/PackBuilder.h"

namespace fp8gemm {

/// The same as JSON's, in YAML.
llvm::Expected<PackProblems> readYamlProblems(llvm::StringRef text, llvm::StringRef name, llvm::StringRef gpu);

/// The products of an MLIR module, each once; what a list says besides is `usual`'s name and gpu, and the other two.
llvm::Expected<PackProblems> readModuleProblems(llvm::StringRef text, const PackProblems &usual, int64_t maxM,
                                                bool batchInvariant);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PACKFILES_H
