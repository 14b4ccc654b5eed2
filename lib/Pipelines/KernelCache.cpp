// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelCache.h"

#include "KernelFile.h"
#include "Output.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace fp8gemm {

static std::string hashOf(StringRef bytes) {
  uint8_t hash[16];
  format::hashBytes(bytes.data(), bytes.size(), hash);
  return toHex(hash, /*LowerCase=*/true);
}

Expected<KernelCache> KernelCache::open(StringRef folder, StringRef tools) {
  KernelCache cache;
  if (folder.empty())
    return cache;
  if (std::error_code code = sys::fs::create_directories(folder))
    return createStringError(code, "cannot make folder '" + folder + "': " + code.message());
  if (!sys::fs::is_directory(folder))
    return createStringError("expected a folder to keep kernels in, got '" + folder + "'");
  // A version number would not tell of a change to the compiler that is being worked on; its bytes do.
  static const char here = 0;
  std::string program = sys::fs::getMainExecutable(nullptr, const_cast<char *>(&here));
  ErrorOr<std::unique_ptr<MemoryBuffer>> bytes = MemoryBuffer::getFile(program);
  if (!bytes)
    return createStringError(bytes.getError(), "cannot read '" + program + "': " + bytes.getError().message());
  cache.folder = folder.str();
  cache.tools = hashOf((*bytes)->getBuffer()) + "\nLLVM " LLVM_VERSION_STRING "\n" + tools.str() + '\n';
  return cache;
}

std::string KernelCache::pathOf(StringRef source) const {
  SmallString<128> path(folder);
  sys::path::append(path, hashOf(tools + source.str()) + ".cubin");
  return path.str().str();
}

KernelCache::Found KernelCache::find(StringRef source, std::string &kernel) const {
  if (folder.empty())
    return Found::Nothing;
  ErrorOr<std::unique_ptr<MemoryBuffer>> bytes = MemoryBuffer::getFile(pathOf(source));
  if (!bytes)
    return Found::Nothing;
  kernel = (*bytes)->getBuffer().str();
  format::KernelFile file;
  return format::readKernelFile(kernel.data(), kernel.size(), file).empty() ? Found::Kernel : Found::Damaged;
}

Error KernelCache::keep(StringRef source, StringRef kernel) const {
  return folder.empty() ? Error::success() : writeFile(pathOf(source), kernel);
}

} // namespace fp8gemm
