// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelCache.h"

#include "KernelFile.h"
#include "Output.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cstring>
#include <link.h>

using namespace llvm;

namespace fp8gemm {

static std::string hashOf(StringRef bytes) {
  uint8_t hash[16];
  format::hashBytes(bytes.data(), bytes.size(), hash);
  return toHex(hash, /*LowerCase=*/true);
}

/// The build id in a segment of ELF notes, in hexadecimal digits; empty if it has none.
static std::string buildIdOf(StringRef notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof(note));
    size_t begin = sizeof(note) + alignTo(note.n_namesz, 4);
    if (note.n_type == NT_GNU_BUILD_ID && notes.substr(sizeof(note), note.n_namesz) == StringRef("GNU", 4))
      return toHex(notes.substr(begin, note.n_descsz), /*LowerCase=*/true);
    notes = notes.drop_front(std::min(notes.size(), begin + alignTo(note.n_descsz, 4)));
  }
  return {};
}

/// The linker's hash of the program or library that holds the compiler. A version number would not tell of a change
/// to a compiler that is being worked on, and its file may be another one by now.
static std::string buildId() {
  static const char here = 0;
  struct Search {
    uintptr_t address;
    std::string id;
  } search{reinterpret_cast<uintptr_t>(&here), {}};
  dl_iterate_phdr(
      [](dl_phdr_info *object, size_t, void *data) {
        auto &search = *static_cast<Search *>(data);
        ArrayRef<ElfW(Phdr)> headers(object->dlpi_phdr, object->dlpi_phnum);
        if (none_of(headers, [&](const ElfW(Phdr) & header) {
              return header.p_type == PT_LOAD && search.address - object->dlpi_addr - header.p_vaddr < header.p_memsz;
            }))
          return 0;
        for (const ElfW(Phdr) & header : headers)
          if (header.p_type == PT_NOTE && search.id.empty())
            search.id = buildIdOf({reinterpret_cast<const char *>(object->dlpi_addr + header.p_vaddr), header.p_memsz});
        return 1;
      },
      &search);
  return search.id;
}

Expected<KernelCache> KernelCache::open(StringRef folder, StringRef tools) {
  KernelCache cache;
  if (folder.empty())
    return cache;
  if (std::error_code code = sys::fs::create_directories(folder))
    return createStringError(code, "cannot make folder '" + folder + "': " + code.message());
  if (!sys::fs::is_directory(folder))
    return createStringError("expected a folder to keep kernels in, got '" + folder + "'");
  std::string program = buildId();
  if (program.empty())
    return createStringError("expected a compiler with a build id (-Wl,--build-id), got one without: kernels of "
                             "different compilers could not be told apart in a cache");
  cache.folder = folder.str();
  cache.tools = program + "\nLLVM " LLVM_VERSION_STRING "\n" + tools.str() + '\n';
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
