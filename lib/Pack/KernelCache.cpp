// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelCache.h"

#include "KernelFile.h"
#include "fp8gemm/Support/Files.h"
#include "fp8gemm/Target/Target.h"
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

Expected<KernelCache> KernelCache::open(StringRef folder, StringRef ptxas, Warn warn) {
  KernelCache cache;
  cache.warn = std::move(warn);
  if (folder.empty())
    return cache;
  if (sys::fs::exists(folder) && !sys::fs::is_directory(folder))
    return createStringError("expected a folder to keep kernels in, got '" + folder + "'");
  std::string program = buildId();
  if (program.empty())
    return createStringError("expected a compiler with a build id (-Wl,--build-id), got one without: kernels of "
                             "different compilers could not be told apart in a cache");
  if (Error error = makeFolder(folder)) {
    cache.warnOfFolder(toString(std::move(error)));
    return cache;
  }
  cache.folder = folder.str();
  cache.ptxas = ptxas.str();
  cache.tools = program + "\nLLVM " LLVM_VERSION_STRING "\nptxas " + cache.ptxas + '\n';
  return cache;
}

std::string KernelCache::pathOf(StringRef source) const {
  SmallString<128> path(folder);
  sys::path::append(path, hashOf(tools + source.str()) + ".cubin");
  return path.str().str();
}

/// Empty, or why the bytes are not the kernel that is wanted. A file's name proves nothing: somebody may have copied
/// it.
std::string KernelCache::difference(StringRef kernel, const WantedKernel &wanted) const {
  format::KernelFile file;
  if (std::string error = format::readKernelFile(kernel.data(), kernel.size(), file); !error.empty())
    return error;
  const format::Manifest &manifest = file.manifest();
  auto text = [](const flatbuffers::String *string) { return string ? string->str() : std::string(); };
  auto differ = [](const Twine &expected, const Twine &got) {
    return ("expected a kernel of " + expected + ", got one of " + got).str();
  };
  // Quantisations have no choice of schedules.
  std::string config = isQuantisation(wanted.problem) ? "" : config::describe(wanted.config);
  format::Problem got = format::readProblem(*manifest.problem()), expected = wanted.problem;
  expected.batchInvariant = 0; // of a plan
  if (got != expected)
    return differ(print(expected), print(got));
  if (text(manifest.config()) != config)
    return differ("the schedule " + config, text(manifest.config()));
  if (text(manifest.chip()) != target::kChip)
    return differ(target::kChip, text(manifest.chip()));
  if (text(manifest.llvm_version()) != LLVM_VERSION_STRING || text(manifest.ptxas_version()) != ptxas)
    return differ("LLVM " LLVM_VERSION_STRING " and ptxas " + ptxas,
                  "LLVM " + text(manifest.llvm_version()) + " and ptxas " + text(manifest.ptxas_version()));
  if (manifest.spill_bytes() && !wanted.allowSpills && !wanted.debugRings)
    return differ("no spills", Twine(manifest.spill_bytes()) + " bytes of spills");
  unsigned limit = manifest.debug_rings() ? manifest.debug_rings()->limit_ms() : 0;
  if (limit != wanted.debugRings)
    return differ("--debug-rings=" + Twine(wanted.debugRings), Twine(limit));
  return {};
}

void KernelCache::warnOfEntry(StringRef path, const std::string &why) const {
  warn(Trouble::Entry, ("'" + path + "' of the cache is not used, and its kernel is compiled again: " + why).str());
}

void KernelCache::warnOfFolder(const std::string &why) const {
  warn(Trouble::Folder, why + "; kernels that the cache does not hold are compiled, but not kept");
}

std::optional<std::string> KernelCache::find(StringRef source, const WantedKernel &wanted) const {
  if (folder.empty())
    return std::nullopt;
  std::string path = pathOf(source);
  if (!sys::fs::exists(path) && !sys::fs::is_symlink_file(path))
    return std::nullopt;
  Expected<std::unique_ptr<MemoryBuffer>> bytes = readFile(path);
  if (!bytes) {
    warnOfEntry(path, toString(bytes.takeError()));
    return std::nullopt;
  }
  if (std::string why = difference((*bytes)->getBuffer(), wanted); !why.empty()) {
    warnOfEntry(path, why);
    return std::nullopt;
  }
  return (*bytes)->getBuffer().str();
}

void KernelCache::keep(StringRef source, StringRef kernel) const {
  if (folder.empty())
    return;
  if (Error error = replaceFile(pathOf(source), kernel))
    warnOfFolder(toString(std::move(error)));
}

} // namespace fp8gemm
