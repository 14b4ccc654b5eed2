// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is in a kernel file or a pack; and what fp8gemm-inspect does with one.

#ifndef FP8GEMM_PIPELINES_INSPECT_H
#define FP8GEMM_PIPELINES_INSPECT_H

#include "fp8gemm/Pipelines/Compile.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace fp8gemm {

/// The names, problems, plans, registers, shared memory and sizes of a kernel file or a pack, as a text or as JSON; or
/// what is wrong with it. `name` starts the text, and messages where it isn't empty.
llvm::Expected<std::string> describeFile(llvm::StringRef bytes, llvm::StringRef name, Answer form);

struct InspectOptions {
  std::string pack;  ///< path, "-" for stdin; a kernel file can be printed, too
  bool json = false; ///< for programs
  // What to write instead of printing; empty: none.
  std::string extract; ///< folder, for the kernel files
  std::string object;  ///< file, for an object of this machine with the pack as a constant
  std::string cHeader; ///< file, for a C header that declares it
  std::string symbol;  ///< its name; empty: that of the pack's file
};

/// Prints on stdout, errors on stderr; true if there were none.
bool runInspectTool(const InspectOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_INSPECT_H
