// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pack: kernels of many problems and the plan of which serves which M, in one file that is
// used where it is mapped. The one reader and writer, used by compiler and runtime.
//
//   header | index (flatbuffer, Pack.fbs) | zeros | cubin | zeros | cubin ...
//
// Each cubin starts at the next multiple of kCubinAlignment after the preceding part, and the file
// ends with the last one: so there are no bytes but those that are checked. The header's layout
// is fixed forever; only the rest may change, with its version.

#ifndef FP8GEMM_RUNTIME_FORMAT_PACKFILE_H
#define FP8GEMM_RUNTIME_FORMAT_PACKFILE_H

#include "KernelFile.h"
#include "Pack_generated.h"

#include <algorithm>

namespace fp8gemm::format {

struct PackHeader {
  char magic[8];
  uint32_t version;
  uint32_t zero;
  uint8_t hash[16]; ///< XXH3-128, canonical byte order, of all from fileBytes to the index's end
  uint64_t fileBytes;
  uint64_t indexBytes;
};
static_assert(sizeof(PackHeader) == 48);
constexpr char kPackMagic[sizeof(PackHeader::magic) + 1] = "FP8PACK\n";
/// Version of Pack.fbs and of this layout; manifests have their own.
constexpr uint32_t kPackVersion = 1;
/// The bytes of a pack lie at a multiple of this.
constexpr uint64_t kPackAlignment = 16;
constexpr uint64_t kCubinAlignment = 64;

inline uint64_t alignCubin(uint64_t offset) {
  return (offset + kCubinAlignment - 1) / kCubinAlignment * kCubinAlignment;
}

/// A plan to write: see Pack.fbs.
struct PlanSpec {
  std::vector<Interval> intervals;
  uint32_t modelledM = 0;
  bool batchInvariant = false;
};

/// The bytes of a pack; readPack says what is wrong with them, if anything is. Empty where one of the kernel
/// files is none.
inline std::string writePack(const std::string &gpu, const std::vector<std::string> &kernelFiles,
                             const std::vector<PlanSpec> &planSpecs) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<PackedKernel>> kernels;
  std::vector<KernelFile> files(kernelFiles.size());
  uint64_t offset = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!readKernelFile(kernelFiles[i].data(), kernelFiles[i].size(), files[i]).empty())
      return {};
    uint8_t digest[16];
    hashBytes(files[i].cubin.data(), files[i].cubin.size(), digest);
    Hash hash(digest);
    std::string_view manifest = files[i].manifestBytes;
    builder.ForceVectorAlignment(manifest.size(), 1, 8);
    auto bytes = builder.CreateVector(reinterpret_cast<const uint8_t *>(manifest.data()), manifest.size());
    kernels.push_back(CreatePackedKernel(builder, offset, &hash, bytes));
    offset = alignCubin(offset + files[i].cubin.size());
  }
  std::vector<flatbuffers::Offset<Plan>> plans;
  for (const PlanSpec &plan : planSpecs)
    plans.push_back(
        CreatePlan(builder, builder.CreateVectorOfStructs(plan.intervals), plan.modelledM, plan.batchInvariant));
  FinishPackBuffer(builder, CreatePackDirect(builder, gpu.c_str(), &kernels, &plans));

  PackHeader header{{}, kPackVersion, 0, {}, 0, builder.GetSize()};
  std::memcpy(header.magic, kPackMagic, sizeof(header.magic));
  std::string pack(sizeof(header), '\0');
  pack.append(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
  for (const KernelFile &file : files) {
    pack.resize(alignCubin(pack.size()));
    pack.append(file.cubin);
  }
  header.fileBytes = pack.size();
  std::memcpy(pack.data(), &header, sizeof(header));
  constexpr size_t begin = offsetof(PackHeader, fileBytes);
  hashBytes(pack.data() + begin, sizeof(header) + header.indexBytes - begin, header.hash);
  std::memcpy(pack.data(), &header, sizeof(header));
  return pack;
}

/// A pack that was read. All of it points into the bytes that were given.
struct PackFile {
  struct Kernel {
    std::string_view cubin, manifestBytes;
    const Manifest &manifest() const { return *GetManifest(manifestBytes.data()); }
  };
  const Pack *index = nullptr;
  std::vector<Kernel> kernels;

  /// What the kernels of a plan compute.
  Problem problemOf(const Plan &plan) const {
    Problem problem = readProblem(*kernels[plan.intervals()->Get(0)->kernel()].manifest().problem());
    problem.batchInvariant = plan.batch_invariant();
    return problem;
  }
};

namespace detail {

/// Empty, or why there is no index to be read.
inline std::string checkPackHeader(std::string_view all, PackHeader &header) {
  const std::string_view magic(kPackMagic, std::min(sizeof(header.magic), all.size()));
  if (all.empty() || all.substr(0, magic.size()) != magic)
    return std::string("expected a pack (made by fp8gemm-compile --pack), got ") +
           (all.empty() ? "an empty file" : "something else");
  if (all.size() < sizeof(header))
    return "pack is truncated: it ends within its header, after " + number(all.size()) + " bytes";
  std::memcpy(&header, all.data(), sizeof(header));
  if (header.version != kPackVersion || header.zero != 0)
    return "expected a pack of version " + number(kPackVersion) + ", got " + number(header.version) +
           "; build it with the compiler that belongs to this runtime";
  if (header.fileBytes != all.size())
    return "expected a pack of " + number(header.fileBytes) + " bytes, got " + number(all.size()) +
           (all.size() < header.fileBytes ? ": it is truncated" : ": something was added to it");
  uint8_t hash[16];
  constexpr size_t begin = offsetof(PackHeader, fileBytes);
  if (header.indexBytes <= all.size() - sizeof(header))
    hashBytes(all.data() + begin, sizeof(header) + header.indexBytes - begin, hash);
  if (header.indexBytes > all.size() - sizeof(header) || std::memcmp(hash, header.hash, sizeof(hash)) != 0)
    return "pack is damaged: its index does not match its hash";
  return {};
}

/// Empty, or what is wrong with a kernel; `end` is that of the bytes before its cubin, then that of its cubin.
inline std::string readPackedKernel(std::string_view all, uint64_t firstCubin, const PackedKernel &packed,
                                    uint64_t &end, PackFile::Kernel &kernel) {
  kernel.manifestBytes = {reinterpret_cast<const char *>(packed.manifest()->data()), packed.manifest()->size()};
  if (reinterpret_cast<uintptr_t>(kernel.manifestBytes.data()) % 8 != 0)
    return "expected a manifest that is aligned to 8 bytes";
  if (std::string error = readManifest(kernel.manifestBytes); !error.empty())
    return error;
  uint64_t begin = alignCubin(end), bytes = kernel.manifest().cubin_bytes();
  if (packed.offset() != begin - firstCubin)
    return "expected a cubin " + number(begin - firstCubin) + " bytes after the first one, got " +
           number(packed.offset());
  if (begin > all.size() || bytes > all.size() - begin)
    return "expected a cubin within the file, got " + number(bytes) + " bytes from " + number(begin) + " on";
  std::string_view padding = all.substr(end, begin - end);
  if (padding.find_first_not_of('\0') != padding.npos)
    return "pack is damaged: expected zeros before the cubin";
  kernel.cubin = all.substr(begin, bytes);
  end = begin + bytes;
  uint8_t hash[16];
  hashBytes(kernel.cubin.data(), bytes, hash);
  if (std::memcmp(hash, packed.hash()->bytes()->data(), sizeof(hash)) != 0)
    return "pack is damaged: the cubin does not match its hash";
  return checkCubin(kernel.cubin, kernel.manifest());
}

/// Empty, or what is wrong with a plan, whose kernels are then marked as used.
inline std::string checkPlan(const PackFile &file, const Plan &plan, std::vector<bool> &used) {
  const auto &intervals = *plan.intervals();
  if (intervals.size() == 0 || intervals.Get(0)->first() != 1)
    return "expected intervals from M = 1 on, got " +
           (intervals.size() ? "M = " + number(intervals.Get(0)->first()) : std::string("none"));
  auto problemOf = [&](const Interval *interval) {
    return readProblem(*file.kernels[interval->kernel()].manifest().problem());
  };
  uint32_t before = 0;
  for (const Interval *interval : intervals) {
    if (interval->first() <= before || interval->first() > INT32_MAX)
      return "expected intervals that ascend from M = " + number(before) + ", got M = " + number(interval->first());
    before = interval->first();
    if (interval->kernel() >= file.kernels.size())
      return "expected a kernel below " + number(file.kernels.size()) + ", got " + number(interval->kernel());
    used[interval->kernel()] = true;
    if (problemOf(interval) != problemOf(intervals.Get(0)))
      return "expected kernels of one problem, got another one's, kernel " + number(interval->kernel());
  }
  const Problem problem = problemOf(intervals.Get(0));
  if (problem.grouping == Grouping::KCount ? intervals.size() != 1 : problem.m != -1)
    return "expected kernels for any M, or one of groups along K";
  return {};
}

inline std::string checkPlans(const PackFile &file) {
  const auto &plans = *file.index->plans();
  std::vector<bool> used(file.kernels.size(), false);
  std::vector<Problem> problems;
  for (unsigned i = 0; i < plans.size(); ++i) {
    if (std::string error = checkPlan(file, *plans.Get(i), used); !error.empty())
      return "plan " + number(i) + ": " + error;
    problems.push_back(file.problemOf(*plans.Get(i)));
  }
  if (problems.empty())
    return "expected at least one plan, got none";
  std::sort(problems.begin(), problems.end());
  if (std::adjacent_find(problems.begin(), problems.end()) != problems.end())
    return "expected one plan of each problem, and one that is batch-invariant, got two of the same one";
  if (auto unused = std::find(used.begin(), used.end(), false); unused != used.end())
    return "expected plans that use each kernel, got none that uses kernel " + number(unused - used.begin());
  return {};
}

} // namespace detail

/// Reads and checks a pack, whose bytes must lie at a multiple of kPackAlignment. Empty if it is good, else what is
/// wrong. Reads nothing outside [bytes, bytes + size), whatever they hold.
inline std::string readPack(const void *bytes, size_t size, PackFile &file) {
  std::string_view all(static_cast<const char *>(bytes), size);
  PackHeader header;
  if (std::string error = detail::checkPackHeader(all, header); !error.empty())
    return error;
  const auto *index = static_cast<const uint8_t *>(bytes) + sizeof(header);
  // flatbuffers' verifier counts in 32 bits.
  bool hasSize = header.indexBytes >= 8 && header.indexBytes < FLATBUFFERS_MAX_BUFFER_SIZE;
  flatbuffers::Verifier verifier(index, hasSize ? header.indexBytes : 0);
  if (!hasSize || !PackBufferHasIdentifier(index) || !VerifyPackBuffer(verifier))
    return "expected an index (a flatbuffer with identifier '" + std::string(PackIdentifier()) +
           "') in the pack, got something else";
  file.index = GetPack(index);
  file.kernels.assign(file.index->kernels()->size(), {});
  uint64_t end = sizeof(header) + header.indexBytes, firstCubin = alignCubin(end);
  for (unsigned i = 0; i < file.kernels.size(); ++i)
    if (std::string error =
            detail::readPackedKernel(all, firstCubin, *file.index->kernels()->Get(i), end, file.kernels[i]);
        !error.empty())
      return "kernel " + detail::number(i) + " of the pack: " + error;
  if (end != size)
    return "expected a pack that ends with its last cubin, got " + detail::number(size - end) + " bytes more";
  return detail::checkPlans(file);
}

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_PACKFILE_H
