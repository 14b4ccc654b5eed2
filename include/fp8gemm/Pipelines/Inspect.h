// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fp8gemm-inspect does: tells what is in a pack, and turns it into other files.

#ifndef FP8GEMM_PIPELINES_INSPECT_H
#define FP8GEMM_PIPELINES_INSPECT_H

#include <string>

namespace fp8gemm {

struct InspectOptions {
  std::string pack;  ///< path
  bool json = false; ///< for programs
  // What to write instead of printing; empty: none.
  std::string extract; ///< folder, for the kernel files
  std::string object;  ///< file, for an object of this machine with the pack as a constant
  std::string cHeader; ///< file, for a C header that declares it
  std::string symbol;  ///< its name; empty: that of the pack's file
};

/// Prints on stdout, errors on stderr; true if there were none.
bool inspect(const InspectOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_INSPECT_H
