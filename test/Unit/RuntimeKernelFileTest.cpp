// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel file's reader: what it accepts, and that it says what is wrong with
// anything else.

#include "RuntimeTestKernel.h"

#include <gtest/gtest.h>
#include <memory>
#include <random>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// Reads from a copy of exactly that size, so that a sanitizer sees any overrun.
std::string read(std::string_view bytes) {
  std::unique_ptr<char[]> copy(new char[bytes.size()]);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  format::KernelFile file;
  return format::readKernelFile(copy.get(), bytes.size(), file);
}

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

#define EXPECT_ERROR(bytes, part)                                                                                      \
  do {                                                                                                                 \
    std::string error = read(bytes);                                                                                   \
    EXPECT_TRUE(contains(error, part)) << "got: '" << error << "'";                                                    \
  } while (false)

TEST(KernelFile, RoundTrip) {
  std::string cubin = makeCubin(), bytes = makeKernelFile();
  format::KernelFile file;
  ASSERT_EQ(format::readKernelFile(bytes.data(), bytes.size(), file), "");
  EXPECT_EQ(file.cubin, cubin);
  EXPECT_EQ(file.manifest().entry()->str(), "gemm_test");
  EXPECT_EQ(file.manifest().params()->size(), 7u);
  EXPECT_EQ(format::readProblem(*file.manifest().problem()).m, -1);
  EXPECT_EQ(file.manifest().smem_bytes(), 200000u);
}

TEST(KernelFile, ReadsAtAnyAlignment) {
  std::string bytes = makeKernelFile();
  for (size_t shift = 1; shift < 16; ++shift) {
    std::string shifted = std::string(shift, 'x') + bytes;
    format::KernelFile file;
    EXPECT_EQ(format::readKernelFile(shifted.data() + shift, bytes.size(), file), "");
    EXPECT_EQ(file.manifest().tile_n(), 128u);
  }
}

TEST(KernelFile, EveryEditedByteIsDetected) {
  const std::string bytes = makeKernelFile();
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit : {0x01, 0x80, 0xff}) {
      std::string edited = bytes;
      edited[i] ^= bit;
      EXPECT_ERROR(edited, "kernel file is damaged: its bytes do not match its hash");
    }
}

TEST(KernelFile, EveryTruncationIsDetected) {
  const std::string bytes = makeKernelFile(), cubin = makeCubin();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ERROR(std::string_view(bytes).substr(0, size),
                 size == 0                   ? "an empty file"
                 : size < sizeof(Elf64_Ehdr) ? "kernel file is truncated: it ends within its ELF header"
                 : size < cubin.size()       ? "kernel file is truncated: its cubin has"
                 : size == cubin.size()      ? "a plain cubin without a manifest"
                                             : "kernel file is truncated, or something was added to it");
}

TEST(KernelFile, AppendedBytesAreDetected) {
  EXPECT_ERROR(makeKernelFile() + "x", "something was added to it");
  EXPECT_ERROR(makeKernelFile() + makeKernelFile(), "kernel file is damaged");
}

TEST(KernelFile, RandomBytesNeverPass) {
  std::mt19937 random(1);
  const std::string bytes = makeKernelFile();
  for (int round = 0; round < 3000; ++round) {
    std::string edited = bytes;
    // Damage several bytes, and make the hash right again in half of the rounds, so
    // that the later checks are reached. Only that nothing crashes is asked.
    for (int i = 0; i < 4; ++i)
      edited[random() % (edited.size() - sizeof(format::Footer))] = char(random());
    if (round % 2) {
      uint8_t hash[16];
      format::hashBytes(edited.data(), edited.size() - sizeof(hash), hash);
      std::memcpy(edited.data() + edited.size() - sizeof(hash), hash, sizeof(hash));
      read(edited);
    } else if (edited != bytes) {
      EXPECT_ERROR(edited, "damaged");
    }
  }
}

TEST(KernelFile, ForeignFilesAreNamed) {
  EXPECT_ERROR(makeCubin(), "got a plain cubin without a manifest; make it with fp8gemm-compile");
  EXPECT_ERROR("hello, world", "got a file without an ELF header");
  EXPECT_ERROR(std::string(1000, '\0'), "got a file without an ELF header");
  std::string host = makeCubin();
  host[offsetof(Elf64_Ehdr, e_machine)] = EM_X86_64;
  EXPECT_ERROR(host, "got an ELF file that is not a cubin");
}

TEST(KernelFile, ManifestOfAnotherVersion) {
  ManifestSpec spec;
  spec.version = 7;
  EXPECT_ERROR(makeKernelFile(spec), "expected a manifest of version 8, got 7");
}

TEST(KernelFile, ManifestThatIsNoFlatbuffer) {
  std::string cubin = makeCubin();
  EXPECT_ERROR(format::writeKernelFile(cubin, ""), "expected a manifest, got 0 bytes");
  EXPECT_ERROR(format::writeKernelFile(cubin, std::string(64, 'z')), "expected a manifest (a flatbuffer");
  std::string manifest = makeManifest({}, cubin.size());
  manifest[4] = 'X'; // the file identifier
  EXPECT_ERROR(format::writeKernelFile(cubin, manifest), "expected a manifest (a flatbuffer");
}

TEST(KernelFile, ManifestValuesAreChecked) {
  auto expect = [](auto change, const char *part) {
    ManifestSpec spec;
    change(spec);
    EXPECT_ERROR(makeKernelFile(spec), part);
  };
  expect([](auto &s) { s.op = "conv"; }, "expected op 'gemm' with grouping none, got 'conv'");
  expect([](auto &s) { s.n = 0; }, "expected extents that fit 32 bits");
  expect([](auto &s) { s.m = -2; }, "expected extents that fit 32 bits");
  expect([](auto &s) { s.threads = 2048; }, "expected 1 to 1024 threads, got 2048");
  expect([](auto &s) { s.tileN = 0; }, "expected a tile of positive extents");
  expect([](auto &s) { s.sfa = format::ScaleLayout(9); }, "expected 'sfa' to be one of mn_major, k_major, got 9");
  expect([](auto &s) { s.params[0].box = {128}; }, "parameter 0: expected a box of 2 extents");
  expect([](auto &s) { s.params[0].box = {257, 128}; }, "expected box extents in [1, 256], got 257");
  expect([](auto &s) { s.params[0].swizzle = 48; }, "expected a swizzle of 0, 32, 64 or 128 bytes, got 48");
  expect([](auto &s) { s.params[5].box = {64, 128}; }, "within the swizzle, got 256 bytes");
  expect([](auto &s) { s.params[1].promotion = 32; }, "expected an L2 promotion");
  expect([](auto &s) { s.params[3].kind = format::ParamKind(17); }, "parameter 3: expected a known kind, got 17");
  expect([](auto &s) { s.params[3].operand = format::Operand::None; }, "expected an operand that suits its kind");
  expect([](auto &s) { s.params[2].element = format::ElementType(5); }, "expected a known element type, got 5");
  expect([](auto &s) { s.a = format::ElementType::BF16; }, "expected 'a_type' to be one of e4m3, e5m2, got 2");
  expect([](auto &s) { s.d = format::ElementType::F8E5M2; }, "expected 'd_type' to be one of bf16, f32, e4m3, got 1");
  expect([](auto &s) { s.c = format::CUse(3); }, "expected 'c' to be one of none, apart, in_place, got 3");
  expect([](auto &s) { s.sfbRows = 64; }, "expected 'recipe' to be one of 1d2d, 1d1d, got 64");
  expect([](auto &s) { s.params[5].operand = format::Operand::C; },
         "parameter 5: expected an operand that suits its kind and the problem, got 5");
}

/// Groups of each kind that the runtime could launch.
ManifestSpec grouped(format::Grouping grouping) {
  ManifestSpec spec;
  spec.grouping = grouping;
  spec.op = grouping == format::Grouping::KCount ? "k_grouped_gemm" : "grouped_gemm";
  spec.groups = 8;
  bool described = grouping != format::Grouping::Batched;
  spec.params[3].operand = described ? format::Operand::Groups : format::Operand::ScaleB;
  if (grouping == format::Grouping::KCount) {
    spec.m = 256;
    spec.k = -1;
    spec.params[5].box = {1, 64, 64};
  } else {
    spec.params[1].box = {1, 128, 128};
  }
  if (grouping == format::Grouping::RowCount || grouping == format::Grouping::Batched) {
    spec.params[0].box = {1, 128, 128};
    spec.params[2].box = {1, 1, 128};
    spec.params[5].box = {1, 64, 64};
  }
  return spec;
}

TEST(KernelFile, GroupsOfEachKind) {
  for (format::Grouping grouping : {format::Grouping::RowIndex, format::Grouping::RowEnd, format::Grouping::RowCount,
                                    format::Grouping::Batched, format::Grouping::KCount})
    EXPECT_EQ(read(makeKernelFile(grouped(grouping))), "") << int(grouping);
}

TEST(KernelFile, GroupsAreChecked) {
  auto expect = [](format::Grouping grouping, auto change, const char *part) {
    SCOPED_TRACE(part);
    ManifestSpec spec = grouping == format::Grouping::None ? ManifestSpec() : grouped(grouping);
    change(spec);
    EXPECT_ERROR(makeKernelFile(spec), part);
  };
  using format::Grouping;
  expect(
      Grouping::None, [](auto &s) { s.grouping = Grouping(6); },
      "expected 'grouping' to be one of none, row_index, row_end, row_count, batched, k_count, got 6");
  expect(
      Grouping::None, [](auto &s) { s.op = "grouped_gemm"; }, "expected op 'gemm' with grouping none, got 'grouped");
  expect(
      Grouping::RowEnd, [](auto &s) { s.op = "gemm"; }, "expected op 'grouped_gemm' with grouping row_end, got 'gemm'");
  expect(
      Grouping::KCount, [](auto &s) { s.op = "grouped_gemm"; }, "expected op 'k_grouped_gemm' with grouping k_count");
  expect(
      Grouping::RowEnd, [](auto &s) { s.groups = 0; }, "expected 1 to 2^31 - 1 groups, got 0");
  expect(
      Grouping::None, [](auto &s) { s.groups = 2; }, "expected one group of op 'gemm', got 2");
  expect(
      Grouping::RowIndex, [](auto &s) { s.groupAlign = 0; }, "multiples of a power of two, got 0");
  expect(
      Grouping::RowIndex, [](auto &s) { s.groupAlign = 96; }, "multiples of a power of two, got 96");
  expect(
      Grouping::RowCount, [](auto &s) { s.groupAlign = 8; }, "expected an alignment of 1 with grouping row_count");
  expect(
      Grouping::RowEnd, [](auto &s) { s.flat = true; }, "expected flat operands only with grouping k_count");
  auto weights = [](int64_t value) {
    return [value](auto &s) { s.fields.push_back({format::findField("weights"), value}); };
  };
  for (int64_t wrong : {8, 3, 16})
    expect(Grouping::RowCount, weights(wrong),
           "expected weights, which groups share, to be fewer than the 8 groups and to divide them, got");
  expect(Grouping::RowIndex, weights(2), "expected no weights with grouping row_index, got 2");
  expect(Grouping::KCount, weights(2), "expected no weights with grouping k_count, got 2");
  expect(Grouping::None, weights(1), "expected no weights with grouping none, got 1");
  expect(
      Grouping::RowEnd, [](auto &s) { s.k = -1; }, "expected extents that fit 32 bits");
  expect(
      Grouping::KCount, [](auto &s) { s.m = -1; }, "expected extents that fit 32 bits");
  expect(
      Grouping::KCount,
      [](auto &s) {
        s.k = 0;
        s.m = 0;
      },
      "expected extents that fit 32 bits");
}

TEST(KernelFile, ParametersSuitTheGroups) {
  using format::Grouping;
  using format::ParamKind;
  auto expect = [](Grouping grouping, auto change, const char *part) {
    ManifestSpec spec = grouping == Grouping::None ? ManifestSpec() : grouped(grouping);
    change(spec);
    EXPECT_ERROR(makeKernelFile(spec), part);
  };
  const char *unsuited = "expected an operand that suits its kind and the problem, got ";
  expect(
      Grouping::None, [](auto &s) { s.params[3].operand = format::Operand::Groups; }, unsuited);
  expect(
      Grouping::Batched, [](auto &s) { s.params[3].operand = format::Operand::Groups; }, unsuited);
  expect(
      Grouping::RowEnd, [](auto &s) { s.params[4].operand = format::Operand::Groups; }, unsuited);
  expect(
      Grouping::RowEnd,
      [](auto &s) {
        s.params[3] = {ParamKind::GroupStride, format::Operand::A};
      },
      unsuited);
  expect(
      Grouping::Batched,
      [](auto &s) {
        s.params[3] = {ParamKind::GroupStride, format::Operand(-1)};
      },
      unsuited);
  expect(
      Grouping::RowEnd,
      [](auto &s) {
        s.params[1].box = {128, 128};
      },
      "parameter 1: expected a box of 3 extents, got 2");
  expect(
      Grouping::RowEnd,
      [](auto &s) {
        s.params[0].box = {1, 128, 128};
      },
      "0: expected a box of 2 extents, got 3");
  expect(
      Grouping::RowEnd,
      [](auto &s) {
        s.params[1].box = {2, 64, 128};
      },
      "expected a box of one group, got 2");
  expect(
      Grouping::RowEnd, [](auto &s) { s.params[3].operand = format::Operand::Workspace; },
      "parameter 3: expected no parameter of a workspace in a kernel without it");
  expect(
      Grouping::RowEnd, [](auto &s) { s.workspace = 100; }, "expected a workspace of a multiple of 128 bytes per CTA");
  expect(
      Grouping::RowEnd,
      [](auto &s) {
        s.workspace = 128;
        s.splitK = 2;
      },
      "expected no workspace in a kernel that");
}

/// Tools make names of files of it.
TEST(KernelFile, NameThatIsNoneOfPtx) {
  for (const char *name : {"../gemm", "two words", "gemm.v1",
                           "gr\xc3\xb6\xc3\x9f"
                           "e"}) {
    ManifestSpec manifest;
    CubinSpec cubin;
    manifest.entry = cubin.entry = name;
    EXPECT_ERROR(makeKernelFile(manifest, cubin),
                 "expected the name of a kernel to have letters, digits, _ and $, got");
  }
}

TEST(KernelFile, ManifestThatDisagreesWithTheCubin) {
  auto expect = [](ManifestSpec manifest, CubinSpec cubin, const char *part) {
    std::string bytes = makeKernelFile(manifest, cubin);
    EXPECT_ERROR(bytes, "manifest disagrees with its cubin: ");
    EXPECT_ERROR(bytes, part);
  };
  ManifestSpec manifest;
  manifest.entry = "other";
  expect(manifest, {}, "expected a kernel 'other', got none of that name");
  CubinSpec cubin;
  cubin.isKernel = false;
  expect({}, cubin, "expected a kernel 'gemm_test', got none of that name");
  cubin = {};
  cubin.sm = 80;
  expect({}, cubin, "expected code for sm_90a, got sm_80");
  cubin = {};
  cubin.paramBytes.pop_back();
  expect({}, cubin, "expected 7 parameters, got 6");
  cubin = {};
  cubin.paramBytes[4] = 4;
  expect({}, cubin, "expected parameter 4 of 8 bytes, got 4");
  cubin = {};
  cubin.maxThreads = 256;
  expect({}, cubin, "expected at least 384 threads per CTA, got 256");
  manifest = {};
  manifest.cubinBytesOff = 100;
  expect(manifest, {}, "expected a cubin of");
  manifest.cubinBytesOff = -64;
  expect(manifest, {}, "expected a cubin of");
}

} // namespace
