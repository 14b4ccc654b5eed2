// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The properties of a cubin: bounds-checked reads of the ELF file that ptxas
// writes. Nothing here trusts an offset or a size that comes from the file.

#ifndef FP8GEMM_RUNTIME_FORMAT_CUBIN_H
#define FP8GEMM_RUNTIME_FORMAT_CUBIN_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp8gemm::format {

class Cubin {
public:
  explicit Cubin(std::string_view bytes) : bytes(bytes) {
    valid = read(0, header) && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
            header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB;
  }

  /// Whether the bytes start with the header of a 64-bit little-endian ELF file.
  bool isElf() const { return valid; }

  /// ELF machine; EM_CUDA for a cubin.
  unsigned machine() const { return header.e_machine; }

  /// 90 for sm_90 and sm_90a alike: the ELF flags do not tell them apart.
  unsigned sm() const {
    // From ABI version 8 (CUDA 13) on, the architecture stands one byte higher.
    return header.e_ident[EI_ABIVERSION] >= 8 ? (header.e_flags >> 8) & 0xff : header.e_flags & 0xff;
  }

  /// Bytes that the headers describe; a shorter file is truncated.
  uint64_t extent() const {
    uint64_t end = std::max(end64(header.e_phoff, uint64_t(header.e_phnum) * header.e_phentsize),
                            end64(header.e_shoff, uint64_t(header.e_shnum) * header.e_shentsize));
    Elf64_Shdr section;
    for (unsigned i = 0; i < header.e_shnum && readSection(i, section); ++i)
      if (section.sh_type != SHT_NOBITS)
        end = std::max(end, end64(section.sh_offset, section.sh_size));
    return end;
  }

  /// Whether `name` is a kernel of this cubin.
  bool hasKernel(std::string_view name) const {
    constexpr unsigned char kEntry = 0x10; // STO_CUDA_ENTRY in st_other
    Elf64_Shdr symbols, strings;
    if (!findSection(".symtab", symbols) || !readSection(symbols.sh_link, strings))
      return false;
    for (uint64_t at = 0; symbols.sh_size >= sizeof(Elf64_Sym) && at <= symbols.sh_size - sizeof(Elf64_Sym);
         at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      if (!read(end64(symbols.sh_offset, at), symbol))
        return false;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && (symbol.st_other & kEntry) && symbol.st_shndx != SHN_UNDEF &&
          text(strings, symbol.st_name) == name)
        return true;
    }
    return false;
  }

  /// The contents of a kernel's .nv.info.
  struct KernelInfo {
    std::vector<uint32_t> paramBytes;   ///< in order
    std::optional<uint64_t> maxThreads; ///< of a CTA
  };

  /// None where the section is absent or not understood.
  std::optional<KernelInfo> kernelInfo(std::string_view name) const {
    // Records of {format, attribute} and, after it, 2 bytes of value or of the
    // size of what follows; as cuobjdump -elf prints them.
    constexpr uint8_t kSized = 4, kMaxThreads = 0x05, kParam = 0x17;
    Elf64_Shdr section;
    if (!findSection(std::string(".nv.info.") + std::string(name), section) ||
        end64(section.sh_offset, section.sh_size) > bytes.size())
      return std::nullopt;
    std::string_view info = bytes.substr(section.sh_offset, section.sh_size);
    KernelInfo result;
    while (info.size() >= 4) {
      uint8_t format = info[0], attribute = info[1];
      uint16_t size = format == kSized ? at<uint16_t>(info, 2) : 0;
      info.remove_prefix(4);
      if (info.size() < size)
        return std::nullopt;
      if (format == kSized && attribute == kMaxThreads && size == 12) {
        result.maxThreads = uint64_t(at<uint32_t>(info, 0)) * at<uint32_t>(info, 4) * at<uint32_t>(info, 8);
      } else if (format == kSized && attribute == kParam && size == 12) {
        // {u32 index, u16 ordinal, u16 offset, u32 with the size in its upper 14 bits}
        unsigned ordinal = at<uint16_t>(info, 4);
        if (result.paramBytes.size() <= ordinal)
          result.paramBytes.resize(ordinal + 1);
        result.paramBytes[ordinal] = at<uint32_t>(info, 8) >> 18;
      }
      info.remove_prefix(size);
    }
    return result;
  }

private:
  /// a + b, or the largest number where that overflows.
  static uint64_t end64(uint64_t a, uint64_t b) { return b > UINT64_MAX - a ? UINT64_MAX : a + b; }

  template <typename T> static T at(std::string_view from, size_t offset) {
    T value;
    std::memcpy(&value, from.data() + offset, sizeof(T));
    return value;
  }

  template <typename T> bool read(uint64_t offset, T &value) const {
    if (bytes.size() < sizeof(T) || offset > bytes.size() - sizeof(T))
      return false;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return true;
  }

  bool readSection(unsigned index, Elf64_Shdr &section) const {
    return index < header.e_shnum && header.e_shentsize == sizeof(Elf64_Shdr) &&
           read(end64(header.e_shoff, uint64_t(index) * sizeof(Elf64_Shdr)), section);
  }

  bool findSection(std::string_view name, Elf64_Shdr &section) const {
    Elf64_Shdr names;
    if (!readSection(header.e_shstrndx, names))
      return false;
    for (unsigned i = 0; i < header.e_shnum; ++i)
      if (readSection(i, section) && text(names, section.sh_name) == name)
        return true;
    return false;
  }

  /// The zero-terminated string at `offset` of a string table; empty if outside.
  std::string_view text(const Elf64_Shdr &table, uint64_t offset) const {
    if (offset >= table.sh_size || end64(table.sh_offset, table.sh_size) > bytes.size())
      return {};
    std::string_view rest = bytes.substr(table.sh_offset + offset, table.sh_size - offset);
    return rest.substr(0, std::min(rest.find('\0'), rest.size()));
  }

  std::string_view bytes;
  Elf64_Ehdr header{};
  bool valid = false;
};

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_CUBIN_H
