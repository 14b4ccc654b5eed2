// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fp8gemm-inspect does: tells what is in a pack.

#ifndef FP8GEMM_PIPELINES_INSPECT_H
#define FP8GEMM_PIPELINES_INSPECT_H

#include <string>

namespace fp8gemm {

struct InspectOptions {
  std::string pack;    ///< path
  bool json = false;   ///< for programs
  std::string extract; ///< folder to write the kernel files to, instead of printing; empty: none
};

/// Prints on stdout, errors on stderr; true if there were none.
bool inspect(const InspectOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_INSPECT_H
