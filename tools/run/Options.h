// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of fp8gemm-run. Not LLVM's: the tool starts without libLLVM.

#ifndef FP8GEMM_TOOLS_RUN_OPTIONS_H
#define FP8GEMM_TOOLS_RUN_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>

namespace fp8gemm::run {

struct Options {
  std::string kernel; ///< path; "-": stdin
  std::optional<int64_t> m;
  std::string device; ///< "gpu", "cpu", "sim"; empty: a GPU if there is one
  uint64_t seed = 1;
  int64_t pad = 0;     ///< bytes
  double watchdog = 60; ///< seconds; 0: none
  bool check = false, bench = false, json = false, help = false, version = false;
};

extern const char *const kUsage;

/// Throws std::runtime_error for what it does not understand.
Options parseOptions(int argc, char **argv);

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_OPTIONS_H
