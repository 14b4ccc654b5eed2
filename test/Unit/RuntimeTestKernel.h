// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel files for tests, made without ptxas: an ELF file that says of itself what
// a cubin says, and no code.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMETESTKERNEL_H
#define FP8GEMM_TEST_UNIT_RUNTIMETESTKERNEL_H

#include "KernelFile.h"

#include <string>
#include <vector>

namespace fp8gemm::test {

struct CubinSpec {
  std::string entry = "gemm_test";
  unsigned sm = 90;
  bool isKernel = true; ///< else the symbol is an ordinary function
  std::vector<uint32_t> paramBytes = {128, 128, 128, 8, 8, 128, 4};
  uint32_t maxThreads = 384;
};

inline void appendBytes(std::string &to, const void *from, size_t size) {
  to.append(static_cast<const char *>(from), size);
}

inline std::string makeCubin(const CubinSpec &spec = {}) {
  std::string info;
  auto word = [&](uint32_t value) { appendBytes(info, &value, 4); };
  for (unsigned i = spec.paramBytes.size(); i-- > 0;) { // ptxas writes the last one first
    word(0x000c1704);
    word(0);
    word(i);
    word(spec.paramBytes[i] << 18 | 0x1f000);
  }
  word(0x00ff5003); // an attribute with its value in place
  word(0x000c0504);
  word(spec.maxThreads);
  word(1);
  word(1);

  std::string names = std::string("\0.shstrtab\0.strtab\0.symtab\0", 27);
  size_t infoName = names.size();
  names += ".nv.info." + spec.entry + '\0';
  std::string strings = '\0' + spec.entry + '\0';
  Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbols[1].st_other = spec.isKernel ? 0x10 : 0;
  symbols[1].st_shndx = 4;

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_ABIVERSION] = 8;
  header.e_machine = EM_CUDA;
  header.e_flags = spec.sm << 8 | 0x6000004;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 5;
  header.e_shstrndx = 1;

  std::string body;
  std::vector<Elf64_Shdr> sections(5);
  auto add = [&](unsigned index, uint32_t name, uint32_t type, uint32_t link, const void *bytes, size_t size) {
    sections[index].sh_name = name;
    sections[index].sh_type = type;
    sections[index].sh_link = link;
    sections[index].sh_offset = sizeof(header) + body.size();
    sections[index].sh_size = size;
    appendBytes(body, bytes, size);
  };
  add(1, 1, SHT_STRTAB, 0, names.data(), names.size());
  add(2, 11, SHT_STRTAB, 0, strings.data(), strings.size());
  add(3, 19, SHT_SYMTAB, 2, symbols, sizeof(symbols));
  add(4, infoName, SHT_LOPROC, 0, info.data(), info.size());
  header.e_shoff = sizeof(header) + body.size();
  std::string cubin;
  appendBytes(cubin, &header, sizeof(header));
  cubin += body;
  appendBytes(cubin, sections.data(), sections.size() * sizeof(Elf64_Shdr));
  return cubin;
}

struct ParamSpec {
  format::ParamKind kind;
  format::Operand operand;
  format::ElementType element = format::ElementType::F8E4M3FN;
  std::vector<uint32_t> box = {};
  uint32_t swizzle = 0, promotion = 0;
};

struct WaitSpec {
  format::WarpRole role;
  format::StageState until;
  uint32_t ring;
  std::string location;
};

/// A debug build, where it has a limit; with two rings as kernels that load C have.
struct DebugSpec {
  uint32_t limitMs = 0;
  std::vector<uint32_t> stages = {4, 1};
  uint32_t readers = 2, ringCluster = 1;
  std::vector<WaitSpec> waits = {{format::WarpRole::Producer, format::StageState::Empty, 0, "gemm.mlir:12:9"},
                                 {format::WarpRole::Helper, format::StageState::Empty, 0, ""},
                                 {format::WarpRole::Consumer, format::StageState::Full, 0, "gemm.mlir:30:9"},
                                 {format::WarpRole::Consumer, format::StageState::Full, 1, "gemm.mlir:50:9"}};
};

struct ManifestSpec {
  uint32_t version = format::kManifestVersion;
  std::string entry = "gemm_test", chip = "sm_90a", op = "gemm";
  int64_t m = -1, n = 4096, k = 7168;
  format::ElementType a = format::ElementType::F8E4M3FN, b = format::ElementType::F8E4M3FN;
  format::ElementType d = format::ElementType::BF16;
  format::CUse c = format::CUse::None;
  uint32_t sfbRows = 128;
  format::ScaleLayout sfa = format::ScaleLayout::MnMajor, sfb = format::ScaleLayout::KMajor;
  uint32_t threads = 384, smemBytes = 200000, tileM = 128, tileN = 128;
  uint32_t clusterM = 1, clusterN = 1, splitK = 1;
  uint32_t groups = 1, groupAlign = 1, workspace = 0;
  format::Grouping grouping = format::Grouping::None;
  bool flat = false, waits = false, powerOfTwo = false;
  format::XType x = format::XType::None;
  std::vector<std::pair<const format::Field *, int64_t>> fields = {}; ///< set in addition to these
  DebugSpec debug;
  int64_t cubinBytesOff = 0; ///< added to the true size
  std::vector<ParamSpec> params = {
      {format::ParamKind::TensorMap, format::Operand::A, format::ElementType::F8E4M3FN, {128, 128}, 128, 256},
      {format::ParamKind::TensorMap, format::Operand::B, format::ElementType::F8E4M3FN, {128, 128}, 128, 128},
      {format::ParamKind::TensorMap, format::Operand::ScaleA, format::ElementType::F32, {1, 128}, 0, 0},
      {format::ParamKind::Pointer, format::Operand::ScaleB},
      {format::ParamKind::LeadingDimension, format::Operand::ScaleB},
      {format::ParamKind::TensorMap, format::Operand::D, format::ElementType::BF16, {64, 64}, 128, 0},
      {format::ParamKind::ExtentM, format::Operand::None},
  };
};

/// 4 groups of N = 512 and K = 256 (any K of KCount). Parameters: maps of A, B and sfa (MN-major); sfb, its leading
/// dimension and, where it has groups, its group stride; the map of D; the description of groups, if there is one; M.
inline ManifestSpec grouped(format::Grouping grouping) {
  using format::ElementType;
  using format::Grouping;
  using format::Operand;
  using format::ParamKind;
  ManifestSpec spec;
  bool alongK = grouping == Grouping::KCount, each = grouping == Grouping::RowCount || grouping == Grouping::Batched;
  spec.op = alongK ? "k_grouped_gemm" : "grouped_gemm";
  spec.grouping = grouping;
  spec.groups = 4;
  spec.n = 512;
  spec.k = alongK ? -1 : 256;
  spec.m = alongK ? 1000 : -1;
  spec.sfbRows = alongK ? 1 : 128;
  spec.d = alongK ? ElementType::F32 : ElementType::BF16;
  auto box = [](bool ofGroups, uint32_t rows, uint32_t columns) {
    return ofGroups ? std::vector<uint32_t>{1, rows, columns} : std::vector<uint32_t>{rows, columns};
  };
  spec.params = {{ParamKind::TensorMap, Operand::A, ElementType::F8E4M3FN, box(each, 128, 128), 128, 0},
                 {ParamKind::TensorMap, Operand::B, ElementType::F8E4M3FN, box(!alongK, 128, 128), 128, 0},
                 {ParamKind::TensorMap, Operand::ScaleA, ElementType::F32, box(each, 1, 128), 0, 0},
                 {ParamKind::Pointer, Operand::ScaleB},
                 {ParamKind::LeadingDimension, Operand::ScaleB},
                 {ParamKind::TensorMap, Operand::D, spec.d, box(each || alongK, 64, alongK ? 32 : 64), 128, 0},
                 {ParamKind::ExtentM, Operand::None}};
  if (grouping != Grouping::Batched)
    spec.params.insert(spec.params.begin() + 6, {ParamKind::Pointer, Operand::Groups});
  if (!alongK)
    spec.params.insert(spec.params.begin() + 5, {ParamKind::GroupStride, Operand::ScaleB});
  return spec;
}

inline flatbuffers::Offset<format::DebugRings> makeDebugRings(flatbuffers::FlatBufferBuilder &builder,
                                                              const DebugSpec &spec) {
  if (spec.limitMs == 0)
    return 0;
  std::vector<flatbuffers::Offset<format::Ring>> rings;
  for (uint32_t stages : spec.stages) {
    auto tma = builder.CreateVectorOfStrings({"128x128xf8E4M3FN", "128xf32"});
    auto warps = rings.empty() ? builder.CreateVectorOfStrings({"1xf32"})
                               : builder.CreateVectorOfStrings(std::vector<std::string>());
    rings.push_back(format::CreateRing(builder, stages, tma, warps, spec.readers, spec.ringCluster));
  }
  std::vector<flatbuffers::Offset<format::RingWait>> waits;
  for (const WaitSpec &wait : spec.waits)
    waits.push_back(format::CreateRingWaitDirect(builder, wait.role, wait.until, wait.ring, wait.location.c_str()));
  return format::CreateDebugRingsDirect(builder, spec.limitMs, &rings, &waits);
}

/// Of a matrix, as problems have it.
inline format::Type typeOf(format::ElementType element) {
  switch (element) {
  case format::ElementType::F8E4M3FN:
    return format::Type::E4M3;
  case format::ElementType::F8E5M2:
    return format::Type::E5M2;
  case format::ElementType::BF16:
    return format::Type::BF16;
  case format::ElementType::F32:
    return format::Type::F32;
  }
  return format::Type(77);
}

inline format::Problem problemOf(const ManifestSpec &spec) {
  format::Problem problem;
  problem.m = spec.m, problem.n = spec.n, problem.k = spec.k;
  problem.a = typeOf(spec.a), problem.b = typeOf(spec.b), problem.d = typeOf(spec.d);
  problem.c = spec.c, problem.sfbRows = spec.sfbRows, problem.sfa = spec.sfa, problem.sfb = spec.sfb;
  problem.grouping = spec.grouping, problem.groups = spec.groups, problem.align = spec.groupAlign;
  problem.flat = spec.flat, problem.x = spec.x, problem.powerOfTwo = spec.powerOfTwo;
  for (auto [field, value] : spec.fields)
    set(problem, *field, value);
  return problem;
}

inline std::string makeManifest(const ManifestSpec &spec, size_t cubinBytes) {
  using namespace format;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<Param>> params;
  for (const ParamSpec &param : spec.params) {
    flatbuffers::Offset<flatbuffers::Vector<uint32_t>> box;
    if (!param.box.empty())
      box = builder.CreateVector(param.box);
    params.push_back(
        CreateParam(builder, param.kind, uint8_t(param.operand), param.element, box, param.swizzle, param.promotion));
  }
  auto problem = writeProblem(builder, problemOf(spec), spec.op.c_str());
  FinishManifestBuffer(builder,
                       CreateManifestDirect(builder, spec.version, spec.entry.c_str(), spec.chip.c_str(),
                                            cubinBytes + spec.cubinBytesOff, problem, &params, spec.threads,
                                            spec.smemBytes, spec.tileM, spec.tileN, spec.clusterM, spec.clusterN,
                                            spec.splitK, 168, 0, spec.workspace, "config text", "13.0.88", "22.1.8",
                                            spec.waits, makeDebugRings(builder, spec.debug)));
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
}

inline std::string makeKernelFile(const ManifestSpec &manifest = {}, const CubinSpec &cubinSpec = {}) {
  std::string cubin = makeCubin(cubinSpec);
  return format::writeKernelFile(cubin, makeManifest(manifest, cubin.size()));
}

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMETESTKERNEL_H
