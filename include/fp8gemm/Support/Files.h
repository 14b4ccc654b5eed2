// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files as all tools and libraries read and write them. Errors name the path: "cannot read 'a.mlir': No such file or
// directory".

#ifndef FP8GEMM_SUPPORT_FILES_H
#define FP8GEMM_SUPPORT_FILES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <csignal>
#include <memory>

namespace fp8gemm {

/// The bytes of a regular file, from a multiple of 16 on, and a null byte behind them. "-" is stdin, and a pipe that a
/// shell has made (<(...)) is read, too. What could block or have no end is refused at once: named pipes, devices.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(llvm::StringRef path);

/// The same of a text, without the byte order mark that some editors write.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readText(llvm::StringRef path);
llvm::StringRef withoutByteOrderMark(llvm::StringRef text);

/// Writes a file whole or not at all: under a temporary name of its own in the same folder, which is then renamed. "-"
/// is stdout; a device or a pipe is written to as it is. A `durable` file is on the disk before it gets its name, so
/// whole also if the machine stops.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef bytes, bool durable = false);

/// The same, but whatever has the name is replaced: a pipe or a device, too.
llvm::Error replaceFile(llvm::StringRef path, llvm::StringRef bytes, bool durable = false);

/// Makes a folder and those that it lies in, where they are missing, with the permissions that the umask leaves.
llvm::Error makeFolder(llvm::StringRef path);

/// Whether writeFile can write there, or makeFolder and then writeFile in it, as far as that is known before: so that
/// no work is in vain.
llvm::Error checkOutputFile(llvm::StringRef path);
llvm::Error checkOutputFolder(llvm::StringRef path);

/// While it lives, a write beyond the process's limit of file sizes (ulimit -f) fails with EFBIG; else a signal would
/// end the process. Of the calling thread only, so that a library may use it.
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
