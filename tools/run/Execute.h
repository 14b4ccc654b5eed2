// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_TOOLS_RUN_EXECUTE_H
#define FP8GEMM_TOOLS_RUN_EXECUTE_H

#include "Options.h"
#include "Report.h"

namespace fp8gemm::run {

/// Does what the options ask for, on a GPU or on the CPU. Throws std::runtime_error.
Report execute(const Options &options);

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_EXECUTE_H
