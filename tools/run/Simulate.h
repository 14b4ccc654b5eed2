// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_TOOLS_RUN_SIMULATE_H
#define FP8GEMM_TOOLS_RUN_SIMULATE_H

#include "Options.h"

namespace fp8gemm::run {

/// --device=sim: simulates a kernel of the hopper level and prints what came of it. Whether all was well; throws
/// std::runtime_error where there is nothing to simulate, or the watchdog ended it.
bool simulate(const Options &options);

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_SIMULATE_H
