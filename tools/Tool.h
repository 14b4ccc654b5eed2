// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the tools that use LLVM's command line.

#ifndef FP8GEMM_TOOLS_TOOL_H
#define FP8GEMM_TOOLS_TOOL_H

#include "llvm/Support/CommandLine.h"

namespace fp8gemm {

/// To be called first: --version is ours, --help lists the options of `ours`, whose name is the tool's, and those that
/// are registered from now on, but none that LLVM's libraries brought with them; and there are no
/// colours where NO_COLOR is set and not empty (https://no-color.org).
void startTool(llvm::cl::OptionCategory &ours);

} // namespace fp8gemm

#endif // FP8GEMM_TOOLS_TOOL_H
