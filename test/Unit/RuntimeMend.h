// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For fuzzers: without a matching hash every changed file would be refused at once.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMEMEND_H
#define FP8GEMM_TEST_UNIT_RUNTIMEMEND_H

#include "PackFile.h"

#include <cstring>

namespace fp8gemm::test {

inline void mendKernelFile(uint8_t *bytes, size_t size) {
  using namespace format;
  if (size < sizeof(Footer))
    return;
  uint8_t hash[16];
  hashBytes(bytes, size - sizeof(hash), hash);
  std::memcpy(bytes + size - sizeof(hash), hash, sizeof(hash));
}

/// The sizes too: the file's, and the hash of each cubin whose manifest gives its size.
inline void mendPack(uint8_t *bytes, size_t size) {
  using namespace format;
  PackHeader header;
  if (size < sizeof(header))
    return;
  std::memcpy(&header, bytes, sizeof(header));
  header.fileBytes = size;
  uint8_t *index = bytes + sizeof(header);
  if (header.indexBytes > size - sizeof(header))
    return;
  flatbuffers::Verifier verifier(index, header.indexBytes);
  if (header.indexBytes >= 8 && VerifyPackBuffer(verifier))
    for (const PackedKernel *kernel : *GetPack(index)->kernels()) {
      flatbuffers::Verifier inner(kernel->manifest()->data(), kernel->manifest()->size());
      if (kernel->manifest()->size() < 8 || !VerifyManifestBuffer(inner))
        continue;
      uint64_t cubin = GetManifest(kernel->manifest()->data())->cubin_bytes();
      if (kernel->offset() > size || cubin > size - kernel->offset())
        continue;
      uint8_t hash[16];
      hashBytes(bytes + kernel->offset(), cubin, hash);
      std::memcpy(const_cast<uint8_t *>(kernel->hash()->bytes()->data()), hash, sizeof(hash));
    }
  std::memcpy(bytes, &header, sizeof(header));
  size_t hashed = offsetof(PackHeader, fileBytes);
  hashBytes(bytes + hashed, sizeof(header) - hashed + header.indexBytes, header.hash);
  std::memcpy(bytes, &header, sizeof(header));
}

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMEMEND_H
