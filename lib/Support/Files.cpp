// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Support/Files.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

using namespace llvm;
namespace fs = llvm::sys::fs;

namespace fp8gemm {

FileSizeSignal::FileSizeSignal() {
  sigset_t signal, pending;
  sigemptyset(&signal);
  sigaddset(&signal, SIGXFSZ);
  wasPending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
  pthread_sigmask(SIG_BLOCK, &signal, &before);
}

FileSizeSignal::~FileSizeSignal() {
  sigset_t signal;
  sigemptyset(&signal);
  sigaddset(&signal, SIGXFSZ);
  constexpr timespec kNow{};
  while (!wasPending && sigtimedwait(&signal, nullptr, &kNow) == SIGXFSZ) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Error cannotRead(StringRef path, const Twine &why) {
  return createStringError("cannot read '" + path + "': " + why);
}

/// A pipe without a name: it belongs to who started us, and is not one that waits for somebody to open it.
static bool isAnonymousPipe(int descriptor, const struct stat &status) {
  constexpr long kPipeFileSystem = 0x50495045; // PIPEFS_MAGIC of linux/magic.h
  struct statfs system;
  return S_ISFIFO(status.st_mode) && fstatfs(descriptor, &system) == 0 && long(system.f_type) == kPipeFileSystem;
}

static const char *kindOf(const struct stat &status) {
  return S_ISDIR(status.st_mode) ? "a folder" : S_ISFIFO(status.st_mode) ? "a named pipe" : "a device";
}

Expected<std::unique_ptr<MemoryBuffer>> readFile(StringRef path) {
  if (path == "-") {
    ErrorOr<std::unique_ptr<MemoryBuffer>> input = MemoryBuffer::getSTDIN();
    if (!input)
      return cannotRead("<stdin>", input.getError().message());
    return std::move(*input);
  }
  // A named pipe would be waited for until somebody writes to it.
  int descriptor = open(path.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0)
    return cannotRead(path, errnoAsErrorCode().message());
  scope_exit closing([&] { close(descriptor); });
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return cannotRead(path, errnoAsErrorCode().message());
  if (!S_ISREG(status.st_mode) && !isAnonymousPipe(descriptor, status))
    return cannotRead(path, Twine("expected a regular file, got ") + kindOf(status) +
                                (S_ISDIR(status.st_mode) ? "" : "; - is stdin"));
  fcntl(descriptor, F_SETFL, 0);
  // Not mapped: a file that becomes shorter meanwhile would end the process.
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getOpenFile(descriptor, path, /*FileSize=*/uint64_t(-1), /*RequiresNullTerminator=*/true,
                                /*IsVolatile=*/true, Align(16));
  if (!file)
    return cannotRead(path, file.getError().message());
  return std::move(*file);
}

StringRef withoutByteOrderMark(StringRef text) {
  text.consume_front("\xef\xbb\xbf");
  return text;
}

Expected<std::unique_ptr<MemoryBuffer>> readText(StringRef path) {
  Expected<std::unique_ptr<MemoryBuffer>> file = readFile(path);
  if (!file)
    return file;
  StringRef all = (*file)->getBuffer(), text = withoutByteOrderMark(all);
  if (text.size() == all.size())
    return file;
  return MemoryBuffer::getMemBufferCopy(text, (*file)->getBufferIdentifier());
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Error cannotWrite(StringRef path, const Twine &why) {
  return createStringError("cannot write '" + path + "': " + why);
}

static Error cannotWrite(StringRef path, std::error_code code) {
  bool isLimit = code == std::errc::file_too_large;
  return cannotWrite(path, code.message() + (isLimit ? ", more than the process may write (ulimit -f)" : ""));
}

static bool isStdout(StringRef path) { return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1"; }

/// Writes all bytes to an open file; the error if there was one. raw_fd_ostream ends
/// the process if it is destroyed with an error that was never read.
static std::error_code writeAll(raw_fd_ostream &os, StringRef bytes) {
  os << bytes;
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return code;
}

/// To what is there already and can't be replaced.
static Error writeInto(StringRef path, StringRef bytes) {
  // A named pipe that nobody reads would be waited for.
  int descriptor = open(path.str().c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0)
    return cannotWrite(path, errnoAsErrorCode());
  fcntl(descriptor, F_SETFL, 0);
  raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  std::error_code code = writeAll(os, bytes);
  return code ? cannotWrite(path, code) : Error::success();
}

static std::string folderOf(StringRef path) {
  StringRef parent = sys::path::parent_path(path);
  return parent.empty() ? "." : parent.str();
}

/// A new, empty file in a folder that other processes of other machines may write to as well.
static std::error_code createTemporary(StringRef folder, int &descriptor, SmallVectorImpl<char> &path) {
  SmallString<128> model(folder);
  sys::path::append(model, ".fp8gemm-%%%%%%%%%%%%%%%%.tmp");
  return fs::createUniqueFile(model, descriptor, path);
}

static Error replace(StringRef path, StringRef target, StringRef bytes, bool durable) {
  FileSizeSignal guard;
  // Not LLVM's TempFile, which installs signal handlers: that is not a library's to do.
  int descriptor;
  SmallString<128> temporary;
  if (std::error_code code = createTemporary(folderOf(target), descriptor, temporary))
    return cannotWrite(path, code);
  std::error_code code;
  {
    raw_fd_ostream os(descriptor, /*shouldClose=*/false);
    code = writeAll(os, bytes);
  }
  if (!code && durable && fsync(descriptor) != 0)
    code = errnoAsErrorCode();
  if (close(descriptor) != 0 && !code)
    code = errnoAsErrorCode();
  if (!code)
    code = fs::rename(temporary, target);
  if (!code)
    return Error::success();
  fs::remove(temporary);
  return cannotWrite(path, code);
}

/// The file that links lead to; the name itself if there is none yet.
static std::string followLinks(StringRef path) {
  SmallString<128> target;
  return fs::real_path(path, target) ? path.str() : target.str().str();
}

Error replaceFile(StringRef path, StringRef bytes, bool durable) { return replace(path, path, bytes, durable); }

Error writeFile(StringRef path, StringRef bytes, bool durable) {
  FileSizeSignal guard;
  if (isStdout(path)) {
    std::error_code code = writeAll(outs(), bytes);
    return code ? cannotWrite("<stdout>", code) : Error::success();
  }
  struct stat status;
  bool exists = stat(path.str().c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    return cannotWrite(path, "expected a file, got a folder");
  if (exists && !S_ISREG(status.st_mode))
    return writeInto(path, bytes);
  return replace(path, followLinks(path), bytes, durable);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Error makeFolder(StringRef path) {
  if (std::error_code code = fs::create_directories(path, /*IgnoreExisting=*/true, fs::all_all))
    return createStringError("cannot make folder '" + path + "': " + code.message());
  if (!fs::is_directory(path))
    return createStringError("expected a folder '" + path + "', got a file");
  return Error::success();
}

/// Whether files can be made there: asked by making one, as permissions don't say it all.
static std::error_code tryFolder(StringRef folder) {
  int descriptor;
  SmallString<128> temporary;
  if (std::error_code code = createTemporary(folder, descriptor, temporary))
    return code;
  close(descriptor);
  return fs::remove(temporary);
}

Error checkOutputFile(StringRef path) {
  if (isStdout(path))
    return Error::success();
  struct stat status;
  bool exists = stat(path.str().c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    return cannotWrite(path, "expected a file, got a folder");
  if (!exists && errno != ENOENT)
    return cannotWrite(path, errnoAsErrorCode());
  if (exists && !S_ISREG(status.st_mode))
    return access(path.str().c_str(), W_OK) == 0 ? Error::success() : cannotWrite(path, errnoAsErrorCode());
  std::string folder = folderOf(followLinks(path));
  if (!fs::is_directory(folder))
    return cannotWrite(path,
                       Twine("expected a folder '") + folder + "', got " + (fs::exists(folder) ? "a file" : "none"));
  std::error_code code = tryFolder(folder);
  return code ? cannotWrite(path, code) : Error::success();
}

Error checkOutputFolder(StringRef path) {
  // The first folder that is there has to take the others.
  StringRef there = path.rtrim('/').empty() ? path.take_front(1) : path.rtrim('/');
  while (!there.empty() && !fs::exists(there))
    there = sys::path::parent_path(there);
  if (there.empty())
    there = ".";
  if (!fs::is_directory(there))
    return cannotWrite(path, "expected a folder '" + there + "', got a file");
  std::error_code code = tryFolder(there);
  return code ? cannotWrite(path, code) : Error::success();
}

} // namespace fp8gemm
