// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Output.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;

namespace fp8gemm {

static Error cannotWrite(StringRef path, std::error_code code) {
  return createStringError(code, "cannot write '" + path + "': " + code.message());
}

/// Writes all bytes to an open file; the error if there was one. raw_fd_ostream ends
/// the process if it is destroyed with an error that nobody asked for.
static std::error_code writeAll(raw_fd_ostream &os, StringRef bytes) {
  os << bytes;
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return code;
}

Error writeFile(StringRef path, StringRef bytes, bool durable) {
  if (path == "-") {
    std::error_code code = writeAll(outs(), bytes);
    return code ? cannotWrite("<stdout>", code) : Error::success();
  }
  // What exists and is no regular file (/dev/null, a pipe) can't be replaced.
  if (sys::fs::exists(path) && !sys::fs::is_regular_file(path)) {
    std::error_code code;
    raw_fd_ostream os(path, code);
    if (!code)
      code = writeAll(os, bytes);
    return code ? cannotWrite(path, code) : Error::success();
  }
  // Not LLVM's TempFile, which installs signal handlers: that is not a library's to do.
  int descriptor;
  SmallString<128> temporary;
  if (std::error_code code = sys::fs::createUniqueFile(path + ".%%%%%%.tmp", descriptor, temporary))
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
    code = sys::fs::rename(temporary, path);
  if (!code)
    return Error::success();
  sys::fs::remove(temporary);
  return cannotWrite(path, code);
}

Phases::Phases() : start(Clock::now()) {
  sys::TimePoint<> now;
  std::chrono::nanoseconds user, system;
  sys::Process::GetTimeUsage(now, user, system);
  loadSeconds = std::chrono::duration<double>(user + system).count();
  add("load the tool", loadSeconds);
}

void Phases::add(StringRef name, double seconds) {
  for (auto &[known, sum] : phases)
    if (known == name) {
      sum += seconds;
      return;
    }
  phases.emplace_back(name.str(), seconds);
}

void Phases::print(raw_ostream &os) const {
  for (const auto &[name, seconds] : phases)
    os << format("%8.3f s  ", seconds) << name << '\n';
  os << format("%8.3f s  total\n", total());
}

} // namespace fp8gemm
