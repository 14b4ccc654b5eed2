// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// File access for all tools and libraries. Errors name the path: "cannot read 'a.mlir': No such file or
// directory".

#ifndef FP8GEMM_SUPPORT_FILES_H
#define FP8GEMM_SUPPORT_FILES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <csignal>
#include <memory>

namespace fp8gemm {

/// The bytes of a regular file, aligned to 16 and followed by a null byte. "-" is stdin, and a pipe that a
/// shell has made (<(...)) is accepted too. Files that could block or have no end, named pipes and devices, are
/// refused.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(llvm::StringRef path);

/// The same for a text, without the byte order mark that some editors write.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readText(llvm::StringRef path);
llvm::StringRef withoutByteOrderMark(llvm::StringRef text);

/// Writes a file completely or not at all: under a unique temporary name in the same folder, which is then renamed. "-"
/// is stdout; a device or a pipe is written to directly. A `durable` file is on disk before it gets its name, so it
/// is complete even if the machine stops.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef bytes, bool durable = false);

/// The same, but replaces anything with that name, including a pipe or a device.
llvm::Error replaceFile(llvm::StringRef path, llvm::StringRef bytes, bool durable = false);

/// Makes a folder and its missing parents, with the permissions that the umask allows.
llvm::Error makeFolder(llvm::StringRef path);

/// Whether writeFile can write there, or makeFolder and then writeFile in it, as far as this can be known in advance,
/// so that no work is wasted.
llvm::Error checkOutputFile(llvm::StringRef path);
llvm::Error checkOutputFolder(llvm::StringRef path);

/// While it lives, a write beyond the process's limit of file sizes (ulimit -f) fails with EFBIG instead of ending the
/// process by a signal. It affects only the calling thread, so a library may use it.
class FileSizeSignal {
public:
  FileSizeSignal();
  FileSizeSignal(const FileSizeSignal &) = delete;
  ~FileSizeSignal();

private:
  sigset_t before;
  bool wasPending;
};

} // namespace fp8gemm

#endif // FP8GEMM_SUPPORT_FILES_H
