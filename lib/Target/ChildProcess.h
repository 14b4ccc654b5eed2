// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs run as child processes, with files that exist only in memory. Nothing of the process is touched but
// what a child needs: no signal handlers, no temporary files, so that any program may use it as a library.

#ifndef FP8GEMM_LIB_TARGET_CHILDPROCESS_H
#define FP8GEMM_LIB_TARGET_CHILDPROCESS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <utility>
#include <vector>

namespace fp8gemm::target {

/// A file without a name, gone with this object or the process.
class MemoryFile {
public:
  MemoryFile(MemoryFile &&other) : descriptor(std::exchange(other.descriptor, -1)) {}
  MemoryFile(const MemoryFile &) = delete;
  ~MemoryFile();

  static llvm::Expected<MemoryFile> create(llvm::StringRef bytes = "");
  llvm::Expected<std::string> read() const;

private:
  friend struct Child;
  explicit MemoryFile(int descriptor) : descriptor(descriptor) {}
  int descriptor;
};

/// A command to run, and its outcome.
struct Child {
  std::string program; ///< path
  std::vector<std::string> arguments;
  /// The child knows them by pathOf(0), ...
  std::vector<const MemoryFile *> files;

  unsigned secondsAtMost = 0; ///< killed where it takes longer, or prints without end; 0: as long as it takes

  static std::string pathOf(unsigned file);

  int exitCode = 0;
  std::string output{}; ///< stdout and stderr

  /// Waits for its end; an error if it could not be run, or was killed.
  llvm::Error run();

private:
  llvm::Expected<int> waitFor(int pid, const MemoryFile &log) const;
};

} // namespace fp8gemm::target

#endif // FP8GEMM_LIB_TARGET_CHILDPROCESS_H
