// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel file: the one reader and writer, used by compiler and runtime.
//
//   cubin | zeros to a multiple of 16 | manifest (flatbuffer, Manifest.fbs) | footer
//
// The cubin comes first, so that disassemblers and profilers open the file as it
// is. The footer's layout is fixed for ever; what may change is the manifest,
// under its own version. The hash covers every byte before it.

#ifndef FP8GEMM_RUNTIME_FORMAT_KERNELFILE_H
#define FP8GEMM_RUNTIME_FORMAT_KERNELFILE_H

#include "Cubin.h"
#include "Manifest_generated.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fp8gemm::format {

/// Version of Manifest.fbs that this code writes and reads.
constexpr uint32_t kManifestVersion = 2;

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
  std::vector<uint64_t> manifestStorage;

  const Manifest &manifest() const { return *GetManifest(manifestStorage.data()); }
};

namespace detail {

inline std::string number(uint64_t value) { return std::to_string(value); }

/// Why bytes without a valid footer are no kernel file.
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
    return "kernel file is truncated: its cubin alone has " + number(extent) + " bytes, the file has " +
           number(bytes.size());
  if (bytes.size() == extent)
    return expected + "a plain cubin without a manifest; make it with fp8gemm-compile --emit=cubin";
  return "kernel file is truncated, or something was added to it: the " + number(bytes.size() - extent) +
         " bytes after its cubin do not end with a footer";
}

inline unsigned bytesOf(ElementType type) {
  switch (type) {
  case ElementType::F8E4M3FN:
  case ElementType::F8E5M2:
    return 1;
  case ElementType::BF16:
    return 2;
  case ElementType::F32:
    return 4;
  }
  return 0;
}

/// Bytes of a kernel parameter.
inline unsigned bytesOf(ParamKind kind) {
  switch (kind) {
  case ParamKind::TensorMap:
    return 128;
  case ParamKind::Pointer:
    return 8;
  case ParamKind::LeadingDimension:
  case ParamKind::ExtentM:
    return 4;
  }
  return 0;
}

/// Empty, or what makes a parameter unusable. Flatbuffers checks no enumerators.
inline std::string checkParam(const Param &param, unsigned index) {
  const std::string where = "manifest: parameter " + number(index) + ": ";
  if (bytesOf(param.kind()) == 0)
    return where + "expected a known kind, got " + number(uint8_t(param.kind()));
  bool none = param.operand() == Operand::None;
  if (param.operand() < Operand::A || param.operand() > Operand::None || none != (param.kind() == ParamKind::ExtentM))
    return where + "expected an operand that suits its kind, got " + number(uint8_t(param.operand()));
  if (param.kind() != ParamKind::TensorMap)
    return {};
  unsigned element = bytesOf(param.element());
  if (element == 0)
    return where + "expected a known element type, got " + number(uint8_t(param.element()));
  // What cuTensorMapEncodeTiled asks for.
  if (!param.box() || param.box()->size() != 2)
    return where + "expected a box of 2 extents";
  for (uint32_t extent : *param.box())
    if (extent < 1 || extent > 256)
      return where + "expected box extents in [1, 256], got " + number(extent);
  uint32_t row = param.box()->Get(1) * element, swizzle = param.swizzle_bytes();
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128)
    return where + "expected a swizzle of 0, 32, 64 or 128 bytes, got " + number(swizzle);
  if (row % 16 != 0 || (swizzle && row > swizzle))
    return where + "expected box rows of a multiple of 16 bytes, within the swizzle, got " + number(row) + " bytes";
  uint32_t promotion = param.l2_promotion_bytes();
  if (promotion != 0 && promotion != 64 && promotion != 128 && promotion != 256)
    return where + "expected an L2 promotion of 0, 64, 128 or 256 bytes, got " + number(promotion);
  return {};
}

/// Empty, or what makes the manifest unusable.
inline std::string checkManifest(const Manifest &manifest) {
  if (manifest.version() != kManifestVersion)
    return "expected a manifest of version " + number(kManifestVersion) + ", got " + number(manifest.version()) +
           "; compile the kernel with the compiler that belongs to this runtime";
  const Problem &problem = *manifest.problem();
  if (problem.op()->string_view() != "gemm")
    return "manifest: expected op 'gemm', got '" + problem.op()->str() + "'";
  if (problem.m() < -1 || problem.m() > INT32_MAX || problem.n() < 1 || problem.n() > INT32_MAX || problem.k() < 1 ||
      problem.k() > INT32_MAX)
    return "manifest: expected extents that fit 32 bits, got m = " + std::to_string(problem.m()) +
           ", n = " + std::to_string(problem.n()) + ", k = " + std::to_string(problem.k());
  if (bytesOf(problem.a()) != 1 || bytesOf(problem.b()) != 1 || bytesOf(problem.d()) < 2)
    return "manifest: expected A and B of f8E4M3FN or f8E5M2, and D of bf16 or f32";
  if (problem.c() < CUse::None || problem.c() > CUse::InPlace)
    return "manifest: expected a known use of C, got " + number(uint8_t(problem.c()));
  if (problem.sfa_block_rows() != 1 || problem.sfa_block_columns() != 128 ||
      (problem.sfb_block_rows() != 128 && problem.sfb_block_rows() != 1) || problem.sfb_block_columns() != 128)
    return "manifest: expected scale blocks of 1x128 for A, and of 128x128 or 1x128 for B";
  for (ScaleLayout layout : {problem.sfa_layout(), problem.sfb_layout()})
    if (layout != ScaleLayout::KMajor && layout != ScaleLayout::MnMajor)
      return "manifest: expected a known scale layout, got " + number(uint8_t(layout));
  if (manifest.threads() < 1 || manifest.threads() > 1024)
    return "manifest: expected 1 to 1024 threads, got " + number(manifest.threads());
  if (manifest.tile_m() < 1 || manifest.tile_m() > INT32_MAX || manifest.tile_n() < 1 || manifest.tile_n() > INT32_MAX)
    return "manifest: expected a tile of positive extents";
  for (uint32_t ctas : {manifest.cluster_m(), manifest.cluster_n(), manifest.split_k()})
    if (ctas < 1 || ctas > 8)
      return "manifest: expected clusters of 1 to 8 CTAs in each direction, got " + number(ctas);
  if (manifest.smem_bytes() > INT32_MAX)
    return "manifest: expected shared memory that fits 32 bits";
  for (unsigned i = 0; i < manifest.params()->size(); ++i) {
    if (std::string error = checkParam(*manifest.params()->Get(i), i); !error.empty())
      return error;
    if (manifest.params()->Get(i)->operand() == Operand::C && problem.c() == CUse::None)
      return "manifest: parameter " + number(i) + ": expected no parameter of C in a problem without it";
  }
  return {};
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
    return disagree + "expected at least " + number(manifest.threads()) + " threads a CTA, got " +
           number(*info->maxThreads);
  return {};
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

  // flatbuffers' verifier counts in 32 bits.
  std::string_view manifest = all.substr(footer.manifestOffset, footer.manifestBytes);
  if (manifest.size() < 8 || manifest.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return "expected a manifest, got " + detail::number(manifest.size()) + " bytes";
  file.manifestStorage.assign((manifest.size() + 7) / 8, 0);
  std::memcpy(file.manifestStorage.data(), manifest.data(), manifest.size());
  const auto *aligned = reinterpret_cast<const uint8_t *>(file.manifestStorage.data());
  flatbuffers::Verifier verifier(aligned, manifest.size());
  if (!ManifestBufferHasIdentifier(aligned) || !VerifyManifestBuffer(verifier))
    return "expected a manifest (a flatbuffer with identifier '" + std::string(ManifestIdentifier()) +
           "'), got something else";
  if (std::string error = detail::checkManifest(file.manifest()); !error.empty())
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
