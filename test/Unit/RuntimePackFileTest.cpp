// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pack's reader and writer: what they agree on, and that the reader says what is wrong with
// anything else.

#include "RuntimeTestPack.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <random>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// Reads from an aligned copy of exactly that size, so that a sanitizer sees any overrun.
std::string read(std::string_view bytes) {
  std::unique_ptr<char, void (*)(void *)> copy(static_cast<char *>(std::malloc(bytes.size())), std::free);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  format::PackFile file;
  return format::readPack(copy.get(), bytes.size(), file);
}

#define EXPECT_ERROR(bytes, part)                                                                                      \
  do {                                                                                                                 \
    std::string error = read(bytes);                                                                                   \
    EXPECT_NE(error.find(part), error.npos) << "got: '" << error << "'";                                               \
  } while (false)

format::PackHeader headerOf(const std::string &pack) {
  format::PackHeader header;
  std::memcpy(&header, pack.data(), sizeof(header));
  return header;
}

/// Makes the index's hash right again.
void rehash(std::string &pack) {
  format::PackHeader header = headerOf(pack);
  constexpr size_t begin = offsetof(format::PackHeader, fileBytes);
  format::hashBytes(pack.data() + begin, sizeof(header) + header.indexBytes - begin, header.hash);
  std::memcpy(pack.data(), &header, sizeof(header));
}

TEST(PackFile, RoundTrip) {
  std::string pack = makePack(twoProblems());
  format::PackFile file;
  ASSERT_EQ(format::readPack(pack.data(), pack.size(), file), "");
  EXPECT_EQ(file.index->gpu()->str(), "h200-sxm");
  ASSERT_EQ(file.kernels.size(), 4u);
  EXPECT_EQ(file.kernels[2].manifest().smem_bytes(), 12000u);
  ASSERT_EQ(file.index->plans()->size(), 2u);
  const format::Plan &plan = *file.index->plans()->Get(0);
  EXPECT_EQ(plan.modelled_m(), 4096u);
  EXPECT_FALSE(plan.batch_invariant());
  EXPECT_EQ(plan.intervals()->Get(3)->first(), 1025u);
  EXPECT_EQ(plan.intervals()->Get(3)->kernel(), 2u);
  EXPECT_EQ(file.problemOf(*file.index->plans()->Get(1)).n, 512);
}

TEST(PackFile, KernelFilesComeOutAsTheyWentIn) {
  PackSpec spec = twoProblems();
  std::string pack = makePack(spec);
  format::PackFile file;
  ASSERT_EQ(format::readPack(pack.data(), pack.size(), file), "");
  for (size_t i = 0; i < file.kernels.size(); ++i) {
    EXPECT_EQ(format::writeKernelFile(file.kernels[i].cubin, file.kernels[i].manifestBytes),
              makeMatchingKernelFile(spec.kernels[i]));
    EXPECT_EQ((file.kernels[i].cubin.data() - pack.data()) % format::kCubinAlignment, 0u);
  }
}

TEST(PackFile, TheSameInputGivesTheSameBytes) { EXPECT_EQ(makePack(twoProblems()), makePack(twoProblems())); }

TEST(PackFile, OfADamagedKernelFileThereIsNone) {
  std::string kernel = makeMatchingKernelFile({});
  kernel[100] ^= 1;
  EXPECT_EQ(format::writePack("h200-sxm", {kernel}, {{{{1, 0}}, 1, false}}), "");
}

TEST(PackFile, EveryEditedByteIsDetected) {
  const std::string bytes = makePack(twoProblems());
  ASSERT_EQ(read(bytes), "");
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit : {0x01, 0x80, 0xff}) {
      std::string edited = bytes;
      edited[i] ^= bit;
      EXPECT_NE(read(edited), "") << "byte " << i;
    }
}

TEST(PackFile, DamageIsNamed) {
  const std::string bytes = makePack(twoProblems());
  const size_t index = sizeof(format::PackHeader), end = index + headerOf(bytes).indexBytes;
  ASSERT_NE(end % format::kCubinAlignment, 0u); // there is padding to damage
  auto edited = [&](size_t at) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    return damaged;
  };
  EXPECT_ERROR(edited(0), "expected a pack (made by fp8gemm-compile --pack), got something else");
  EXPECT_ERROR(edited(offsetof(format::PackHeader, version)), "expected a pack of version 1, got 0; build it with");
  EXPECT_ERROR(edited(offsetof(format::PackHeader, hash)), "pack is damaged: its index does not match its hash");
  EXPECT_ERROR(edited(offsetof(format::PackHeader, fileBytes)), "expected a pack of");
  EXPECT_ERROR(edited(offsetof(format::PackHeader, indexBytes)), "pack is damaged: its index does not match its hash");
  EXPECT_ERROR(edited(offsetof(format::PackHeader, indexBytes) + 7), "pack is damaged: its index");
  EXPECT_ERROR(edited(index + 20), "pack is damaged: its index does not match its hash");
  EXPECT_ERROR(edited(end), "kernel 0 of the pack: pack is damaged: expected zeros before the cubin");
  EXPECT_ERROR(edited(format::alignCubin(end)), "kernel 0 of the pack: pack is damaged: the cubin does not match");
  EXPECT_ERROR(edited(bytes.size() - 1), "kernel 3 of the pack: pack is damaged: the cubin does not match its hash");
}

TEST(PackFile, EveryTruncationIsDetected) {
  const std::string bytes = makePack(twoProblems());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ERROR(std::string_view(bytes).substr(0, size), size == 0                           ? "an empty file"
                                                          : size < sizeof(format::PackHeader) ? "it ends within its"
                                                                                              : ": it is truncated");
  EXPECT_ERROR(bytes + '\0', ": something was added to it");
}

TEST(PackFile, AFileSizeThatFitsIsNotTrusted) {
  // Truncated or longer, with a header that agrees.
  const std::string bytes = makePack(twoProblems());
  for (size_t size : {bytes.size() - 1, bytes.size() - 2000, bytes.size() + 1}) {
    std::string edited = bytes;
    edited.resize(size);
    format::PackHeader header = headerOf(edited);
    header.fileBytes = size;
    std::memcpy(edited.data(), &header, sizeof(header));
    rehash(edited);
    EXPECT_ERROR(edited, size < bytes.size() ? "expected a cubin within the file" : "ends with its last cubin, got 1");
  }
}

TEST(PackFile, RandomIndexesNeverCrash) {
  std::mt19937 random(1);
  const std::string bytes = makePack(twoProblems());
  for (int round = 0; round < 5000; ++round) {
    std::string edited = bytes;
    for (int i = 0; i < 3; ++i)
      edited[sizeof(format::PackHeader) + random() % headerOf(bytes).indexBytes] = char(random());
    rehash(edited);
    read(edited);
  }
}

TEST(PackFile, AnIndexThatIsNoFlatbuffer) {
  std::string edited = makePack(twoProblems());
  edited[sizeof(format::PackHeader) + 4] = 'X'; // the file identifier
  rehash(edited);
  EXPECT_ERROR(edited, "expected an index (a flatbuffer with identifier 'F8GP') in the pack");
  format::PackHeader header = headerOf(edited);
  header.indexBytes = 4;
  std::memcpy(edited.data(), &header, sizeof(header));
  rehash(edited);
  EXPECT_ERROR(edited, "expected an index");
}

TEST(PackFile, OffsetsAreChecked) {
  std::string edited = makePack(twoProblems());
  format::PackFile file;
  ASSERT_EQ(format::readPack(edited.data(), edited.size(), file), "");
  const auto &packed = *file.index->kernels()->Get(1);
  auto *field = const_cast<uint8_t *>(
      reinterpret_cast<const flatbuffers::Table &>(packed).GetAddressOf(format::PackedKernel::VT_OFFSET));
  *field += 8;
  rehash(edited);
  EXPECT_ERROR(edited, "kernel 1 of the pack: expected a cubin");
}

TEST(PackFile, ManifestsAreChecked) {
  // writePack takes no wrong one, so one is put in its place.
  PackSpec spec = twoProblems();
  std::string edited = makePack(spec);
  size_t entry = edited.find("gemm_11000");
  ASSERT_NE(entry, edited.npos);
  edited[entry] = 'X';
  rehash(edited);
  EXPECT_ERROR(edited, "kernel 1 of the pack: manifest disagrees with its cubin: expected a kernel 'Xemm_11000'");
}

TEST(PackFile, PlansAreClosed) {
  auto expect = [](auto change, const char *part) {
    PackSpec spec = twoProblems();
    change(spec);
    EXPECT_ERROR(makePack(spec), part);
  };
  expect([](auto &s) { s.plans[1].intervals = {}; }, "plan 1: expected intervals from M = 1 on, got none");
  expect([](auto &s) { s.plans[0].intervals[0] = {2, 0}; }, "plan 0: expected intervals from M = 1 on, got M = 2");
  expect([](auto &s) { s.plans[0].intervals[0] = {0, 0}; }, "plan 0: expected intervals from M = 1 on, got M = 0");
  expect([](auto &s) { s.plans[0].intervals[2] = {65, 0}; }, "intervals that ascend from M = 65, got M = 65");
  expect([](auto &s) { s.plans[0].intervals[2] = {64, 0}; }, "intervals that ascend from M = 65, got M = 64");
  expect([](auto &s) { s.plans[0].intervals[3] = {0x80000000, 2}; }, "got M = 2147483648");
  expect([](auto &s) { s.plans[0].intervals[1] = {65, 4}; }, "plan 0: expected a kernel below 4, got 4");
  expect(
      [](auto &s) {
        s.plans[0].intervals[1] = {65, 3};
      },
      "expected kernels of one problem, got another one's, kernel 3");
  expect(
      [](auto &s) {
        s.kernels[3].n = 4096;
        s.plans[1].batchInvariant = false;
      },
      "expected one plan of each problem, and one that is batch-invariant, got two of the same one");
  expect([](auto &s) { s.plans.pop_back(); }, "expected plans that use each kernel, got none that uses kernel 3");
  expect([](auto &s) { s = PackSpec(); }, "expected at least one plan, got none");
  expect([](auto &s) { s.kernels[3].m = 128; }, "plan 1: expected kernels for any M, or one of groups along K");
}

TEST(PackFile, EachFieldTellsProblemsApart) {
  using format::CUse;
  using format::ElementType;
  using format::ScaleLayout;
  auto expect = [](auto change) {
    PackSpec spec = twoProblems();
    change(spec.kernels[1]);
    EXPECT_ERROR(makePack(spec), "plan 0: expected kernels of one problem");
  };
  expect([](auto &s) { s.n = 8; });
  expect([](auto &s) { s.k = 16; });
  expect([](auto &s) { s.a = ElementType::F8E5M2; });
  expect([](auto &s) { s.b = ElementType::F8E5M2; });
  expect([](auto &s) { s.d = ElementType::F32; });
  expect([](auto &s) { s.c = CUse::Apart; });
  expect([](auto &s) { s.sfbRows = 1; });
  expect([](auto &s) { s.sfa = ScaleLayout::KMajor; });
  expect([](auto &s) { s.sfb = ScaleLayout::MnMajor; });
}

} // namespace
