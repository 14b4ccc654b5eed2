// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel file: the one reader and writer, used by compiler and runtime.
//
//   cubin | zeros to a multiple of 16 | manifest (flatbuffer, Manifest.fbs) | footer
//
// The cubin comes first, so that disassemblers and profilers open the file as it
// is. The footer's layout is fixed forever; only the manifest may change,
// under its own version. The hash covers every byte before it.

#ifndef FP8GEMM_RUNTIME_FORMAT_KERNELFILE_H
#define FP8GEMM_RUNTIME_FORMAT_KERNELFILE_H

#include "Cubin.h"
#include "ManifestChecks.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fp8gemm::format {

struct Footer {
  uint64_t manifestOffset;
  uint64_t manifestBytes;
  char magic[8];
  uint8_t hash[16]; ///< XXH3-128, canonical byte order
};
static_assert(sizeof(Footer) == 40);
constexpr char kFooterMagic[sizeof(Footer::magic) + 1] = "FP8GEMM\n";
constexpr uint64_t kManifestAlignment = 16;

inline void hashBytes(const void *bytes, size_t size, uint8_t (&hash)[16]) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
  std::memcpy(hash, canonical.digest, sizeof(hash));
}

/// The bytes of a kernel file. `manifest` is a finished flatbuffer whose
/// `cubin_bytes` and `version` are right; readKernelFile says if it isn't.
inline std::string writeKernelFile(std::string_view cubin, std::string_view manifest) {
  std::string file(cubin);
  file.resize((cubin.size() + kManifestAlignment - 1) / kManifestAlignment * kManifestAlignment);
  Footer footer{file.size(), manifest.size(), {}, {}};
  std::memcpy(footer.magic, kFooterMagic, sizeof(footer.magic));
  file.append(manifest);
  file.append(reinterpret_cast<const char *>(&footer), offsetof(Footer, hash));
  hashBytes(file.data(), file.size(), footer.hash);
  file.append(reinterpret_cast<const char *>(footer.hash), sizeof(footer.hash));
  return file;
}

/// A kernel file that was read. `cubin` points into the bytes that were given;
/// the manifest is a copy, so that it is aligned wherever those bytes lie.
struct KernelFile {
  std::string_view cubin;
  std::string_view manifestBytes; ///< as they are in the file
  std::vector<uint64_t> manifestStorage;

  const Manifest &manifest() const { return *GetManifest(manifestStorage.data()); }
};

namespace detail {

/// The reason why bytes without a valid footer are not a kernel file.
inline std::string diagnoseForeign(std::string_view bytes) {
  const std::string expected = "expected a kernel file (a cubin followed by its manifest), got ";
  if (bytes.empty())
    return expected + "an empty file";
  size_t prefix = std::min<size_t>(bytes.size(), SELFMAG);
  if (std::memcmp(bytes.data(), ELFMAG, prefix) != 0)
    return expected + "a file without an ELF header";
  if (bytes.size() < sizeof(Elf64_Ehdr))
    return "kernel file is truncated: it ends within its ELF header, after " + number(bytes.size()) + " bytes";
  Cubin cubin(bytes);
  if (!cubin.isElf() || cubin.machine() != EM_CUDA)
    return expected + "an ELF file that is not a cubin";
  uint64_t extent = cubin.extent();
  if (bytes.size() < extent)
    return "kernel file is truncated: its cubin has " + number(extent) + " bytes, the file has " +
           number(bytes.size());
  if (bytes.size() == extent)
    return expected + "a plain cubin without a manifest; make it with fp8gemm-compile --emit=cubin";
  return "kernel file is truncated, or something was added to it: the " + number(bytes.size() - extent) +
         " bytes after its cubin do not end with a footer";
}

/// Letters, digits, _ and $, as PTX has it. Tools make names of files of a kernel's name.
inline bool isKernelName(const std::string &name) {
  const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$";
  return !name.empty() && name.find_first_not_of(allowed) == std::string::npos;
}

/// Empty, or how the cubin contradicts its manifest.
inline std::string checkCubin(std::string_view bytes, const Manifest &manifest) {
  const std::string disagree = "manifest disagrees with its cubin: ";
  Cubin cubin(bytes);
  if (!cubin.isElf() || cubin.machine() != EM_CUDA || cubin.extent() > bytes.size())
    return disagree + "its first " + number(bytes.size()) + " bytes are not a cubin";
  std::string chip = "sm_" + number(cubin.sm()), wanted = manifest.chip()->str();
  if (wanted != chip && wanted != chip + "a")
    return disagree + "expected code for " + wanted + ", got " + chip;
  std::string entry = manifest.entry()->str();
  if (!isKernelName(entry))
    return "expected the name of a kernel to have letters, digits, _ and $, got '" + entry + "'";
  if (!cubin.hasKernel(entry))
    return disagree + "expected a kernel '" + entry + "', got none of that name";
  auto info = cubin.kernelInfo(entry);
  if (!info)
    return disagree + "expected a description (.nv.info) of '" + entry + "', got none";
  const auto &params = *manifest.params();
  if (params.size() != info->paramBytes.size())
    return disagree + "expected " + number(params.size()) + " parameters, got " + number(info->paramBytes.size());
  for (unsigned i = 0; i < params.size(); ++i)
    if (bytesOf(params.Get(i)->kind()) != info->paramBytes[i])
      return disagree + "expected parameter " + number(i) + " of " + number(bytesOf(params.Get(i)->kind())) +
             " bytes, got " + number(info->paramBytes[i]);
  if (info->maxThreads && manifest.threads() > *info->maxThreads)
    return disagree + "expected at least " + number(manifest.threads()) + " threads per CTA, got " +
           number(*info->maxThreads);
  return {};
}

/// Empty, or what makes bytes, aligned to 8, no manifest that can be used.
inline std::string readManifest(std::string_view bytes) {
  const auto *aligned = reinterpret_cast<const uint8_t *>(bytes.data());
  // flatbuffers' verifier counts in 32 bits.
  if (bytes.size() < 8 || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return "expected a manifest, got " + number(bytes.size()) + " bytes";
  flatbuffers::Verifier verifier(aligned, bytes.size());
  if (!ManifestBufferHasIdentifier(aligned) || !VerifyManifestBuffer(verifier))
    return "expected a manifest (a flatbuffer with identifier '" + std::string(ManifestIdentifier()) +
           "'), got something else";
  return checkManifest(*GetManifest(aligned));
}

} // namespace detail

/// Reads and checks a kernel file. Empty if it is good, else what is wrong. Reads
/// nothing outside [bytes, bytes + size), whatever they hold.
inline std::string readKernelFile(const void *bytes, size_t size, KernelFile &file) {
  std::string_view all(static_cast<const char *>(bytes), size);
  Footer footer;
  if (size < sizeof(footer))
    return detail::diagnoseForeign(all);
  std::memcpy(&footer, all.data() + size - sizeof(footer), sizeof(footer));
  uint64_t end = size - sizeof(footer);
  bool placed = footer.manifestOffset <= end && footer.manifestBytes == end - footer.manifestOffset;
  bool marked = std::memcmp(footer.magic, kFooterMagic, sizeof(footer.magic)) == 0;
  if (!placed && !marked)
    return detail::diagnoseForeign(all);

  uint8_t hash[16];
  hashBytes(all.data(), size - sizeof(footer.hash), hash);
  if (!placed || !marked || std::memcmp(hash, footer.hash, sizeof(hash)) != 0)
    return "kernel file is damaged: its bytes do not match its hash";

  file.manifestBytes = all.substr(footer.manifestOffset, footer.manifestBytes);
  file.manifestStorage.assign(footer.manifestBytes / 8 + 1, 0);
  std::memcpy(file.manifestStorage.data(), file.manifestBytes.data(), footer.manifestBytes);
  const auto *aligned = reinterpret_cast<const char *>(file.manifestStorage.data());
  if (std::string error = detail::readManifest({aligned, file.manifestBytes.size()}); !error.empty())
    return error;

  uint64_t cubinBytes = file.manifest().cubin_bytes();
  if (cubinBytes > footer.manifestOffset || footer.manifestOffset - cubinBytes >= kManifestAlignment)
    return "manifest disagrees with its cubin: expected a cubin of " + detail::number(cubinBytes) +
           " bytes, got at most " + detail::number(footer.manifestOffset);
  file.cubin = all.substr(0, cubinBytes);
  return detail::checkCubin(file.cubin, file.manifest());
}

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_KERNELFILE_H
