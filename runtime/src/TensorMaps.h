// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps: made by the driver, and kept for launches that want the same again.

#ifndef FP8GEMM_RUNTIME_SRC_TENSORMAPS_H
#define FP8GEMM_RUNTIME_SRC_TENSORMAPS_H

#include "Call.h"

#include <atomic>
#include <memory>

namespace fp8gemm::runtime {

/// All that a tensor map is made from: one that is kept is used only where each word is the same.
struct TensorMapKey {
  enum Word { Param, Device, Address, Extents, Strides = Extents + 3, Count = Strides + 2 };
  /// Param is an address, of a kernel that lives as long as what keeps the map. Extents are in elements and strides,
  /// which the innermost has none of, in bytes, as the driver takes them: innermost first; 0 of what there isn't.
  std::array<uint64_t, Count> words{};

  TensorMapKey(const format::Param &param, const Storage &storage, int device);
  uint64_t hash() const;
};

/// A set-associative cache of tensor maps, of a fixed size, for any number of threads. Nobody waits:
/// who reads an entry that is being written misses it, and who would write it leaves it.
class TensorMapCache {
public:
  /// Of sets * kWays maps; `sets` is a power of two.
  explicit TensorMapCache(size_t sets) : entries(new Entry[sets * kWays]), sets(sets) {}

  bool find(const TensorMapKey &key, cuda::CUtensorMap &map) const;
  void insert(const TensorMapKey &key, const cuda::CUtensorMap &map);

private:
  static constexpr size_t kWays = 4;
  static constexpr size_t kKeyWords = TensorMapKey::Count, kMapWords = sizeof(cuda::CUtensorMap) / 8;

  /// Written by one at a time, who makes `version` odd before and even after. Of the words, the
  /// key's come first. They are read with acquire and written with release: so who reads a word of
  /// a later version finds that version changed.
  struct alignas(64) Entry {
    std::atomic<uint64_t> version{0}; ///< 0: never written
    std::array<std::atomic<uint64_t>, kKeyWords + kMapWords> words;
  };

  Entry *setOf(const TensorMapKey &key) const;

  std::unique_ptr<Entry[]> entries;
  size_t sets;
  std::atomic<unsigned> turn{0}; ///< which of a full set goes next
};

/// The map that `param` asks for over `storage`, kept or new.
fp8gemm_status makeTensorMap(const cuda::Driver &driver, TensorMapCache &cache, const format::Param &param,
                             const Storage &storage, int device, cuda::CUtensorMap &map);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_TENSORMAPS_H
