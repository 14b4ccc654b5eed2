// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A list of problems -> a pack: plans, kernels, one file.

#ifndef FP8GEMM_PIPELINES_PACK_H
#define FP8GEMM_PIPELINES_PACK_H

#include "fp8gemm/Pipelines/Compile.h"

namespace fp8gemm {

/// Builds `options.pack`. Errors are printed on stderr; true if there were none.
bool buildPack(const CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PACK_H
