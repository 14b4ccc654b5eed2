// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of fp8gemm-compile.

#ifndef FP8GEMM_TOOLS_COMPILE_OPTIONS_H
#define FP8GEMM_TOOLS_COMPILE_OPTIONS_H

#include "fp8gemm/Driver/Compile.h"

namespace fp8gemm {

/// Null, and a line on stderr, where the options don't go together.
CompileOptions *readCompileOptions(int argc, char **argv);

} // namespace fp8gemm

#endif // FP8GEMM_TOOLS_COMPILE_OPTIONS_H
