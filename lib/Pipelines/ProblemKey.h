// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The key that identifies a problem in files.

#ifndef FP8GEMM_PIPELINES_PROBLEMKEY_H
#define FP8GEMM_PIPELINES_PROBLEMKEY_H

#include "PackFile.h"
#include "fp8gemm/Pipelines/Problem.h"

namespace fp8gemm {

/// That of the problem in the manifests of its kernels.
format::ProblemKey keyOf(const GemmProblem &problem);

/// "N = 7168, K = 2048, ..."
std::string describe(const format::ProblemKey &key);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PROBLEMKEY_H
