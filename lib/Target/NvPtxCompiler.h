// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxas as a library: NVIDIA's static nvPTXCompiler, linked if CMake's FP8GEMM_NVPTXCOMPILER is set. Its licence
// is NVIDIA's, so what we give away is built without.

#ifndef FP8GEMM_LIB_TARGET_NVPTXCOMPILER_H
#define FP8GEMM_LIB_TARGET_NVPTXCOMPILER_H

#include "fp8gemm/Target/CudaTools.h"

namespace fp8gemm::target {

/// "13.0": it does not tell more.
llvm::Expected<std::string> nvPtxCompilerVersion();

/// assemble() without a child process.
llvm::Expected<Cubin> assembleInProcess(llvm::StringRef ptx, const PtxasOptions &options);

} // namespace fp8gemm::target

#endif // FP8GEMM_LIB_TARGET_NVPTXCOMPILER_H
