// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contents of a kernel file or a pack; and the work of fp8gemm-inspect.

#ifndef FP8GEMM_PACK_INSPECT_H
#define FP8GEMM_PACK_INSPECT_H

#include "fp8gemm/Pack/Answer.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace fp8gemm {

/// The names, problems, plans, registers, shared memory and sizes of a kernel file or a pack, as text or JSON; or
/// an error. `name` starts the text and, unless it is empty, messages.
llvm::Expected<std::string> describeFile(llvm::StringRef bytes, llvm::StringRef name, Answer form);

struct InspectOptions {
  std::string pack;  ///< path, "-" for stdin; may also be a kernel file to print
  bool json = false; ///< for programs
  // Files to write instead of printing; empty: none.
  std::string extract; ///< folder, for the kernel files
  std::string object;  ///< file, for an object for this machine with the pack as a constant
  std::string cHeader; ///< file, for a C header that declares it
  std::string symbol;  ///< name of the constant; empty: that of the pack's file
};

/// Prints on stdout, errors on stderr; true if there were none.
bool runInspectTool(const InspectOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PACK_INSPECT_H
