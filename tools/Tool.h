// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the tools that use LLVM's command line.

#ifndef FP8GEMM_TOOLS_TOOL_H
#define FP8GEMM_TOOLS_TOOL_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"

namespace fp8gemm {

/// To be called first: --version is ours, --help lists the options of `ours`, whose name is the tool's, and those that
/// are registered from now on, but none that LLVM's libraries brought with them; and there are no
/// colours where NO_COLOR is set and not empty (https://no-color.org).
void startTool(llvm::cl::OptionCategory &ours);

/// Reads the command line; for unknown options and more than one file, which LLVM's messages describe by its own terms,
/// it ends the process with ours.
void readCommandLine(int argc, char **argv, llvm::StringRef overview);

/// Prints an error of the tool; true, as LLVM's parsers return if there is one.
bool toolError(const llvm::Twine &message);

/// The parser of an option whose values are words: another word is an error that names them.
template <typename T> class WordParser : public llvm::cl::parser<T> {
public:
  using llvm::cl::parser<T>::parser;

  bool parse(llvm::cl::Option &option, llvm::StringRef, llvm::StringRef given, T &value) {
    std::string words;
    for (const auto &word : this->Values) {
      if (word.Name == given) {
        value = word.V.getValue();
        return false;
      }
      if (!word.Name.empty())
        words += (words.empty() ? "" : ", ") + word.Name.str();
    }
    return toolError("expected --" + option.ArgStr + " to be one of " + words + ", got '" + given + "'");
  }
};

} // namespace fp8gemm

#endif // FP8GEMM_TOOLS_TOOL_H
