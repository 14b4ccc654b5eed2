// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorMaps.h"
#include "Kernel.h"

#include <algorithm>

using namespace fp8gemm;
using namespace fp8gemm::runtime;

//===----------------------------------------------------------------------===//
// The key of a map
//===----------------------------------------------------------------------===//

TensorMapKey::TensorMapKey(const format::Param &param, const Storage &storage, int device) {
  // The driver takes no extent that is empty: of a K of 0 nothing is loaded.
  auto extent = [](int64_t value) { return uint64_t(std::max<int64_t>(value, 1)); };
  auto stride = [&](int64_t elements) {
    return uint64_t(std::max<int64_t>(elements * storage.form->elementBytes, 16));
  };
  words[Param] = reinterpret_cast<uintptr_t>(&param);
  words[Device] = uint64_t(device);
  words[Address] = reinterpret_cast<uintptr_t>(storage.tensor.data);
  if (!storage.form->hasRows) { // the kernel has no use for the extents, which may be more than a map takes
    words[Extents] = words[Extents + 1] = 1;
    words[Strides] = stride(1);
    return;
  }
  words[Extents] = extent(storage.columns);
  words[Extents + 1] = extent(storage.rows + storage.possibleRows);
  words[Strides] = stride(storage.tensor.leading_dimension);
  if (storage.form->hasGroups) {
    words[Extents + 2] = extent(storage.form->groups);
    words[Strides + 1] = stride(storage.tensor.group_stride);
  }
}

uint64_t TensorMapKey::hash() const {
  // A sum of products with odd numbers of no pattern (of SplitMix64): nothing of it waits for anything else.
  constexpr uint64_t kFactors[Count] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xe220a8397b1dcdaf,
                                        0x6e789e6aa1b965f5, 0x06c45d188009454f, 0xf88bb8a8724c81ed, 0x1b39896a51a8749b};
  uint64_t sum = 0;
  for (size_t i = 0; i < Count; ++i)
    sum += words[i] * kFactors[i];
  sum = (sum ^ sum >> 32) * 0x94d049bb133111eb;
  return sum >> 32; // the upper bits are those that all others reach
}

static cuda::CUresult encode(const cuda::Driver &driver, const format::Param &param, const TensorMapKey &key,
                             cuda::CUtensorMap &map) {
  int type = cuda::CU_TENSOR_MAP_DATA_TYPE_UINT8; // FP8 has no type of its own
  if (param.element() == format::ElementType::F32)
    type = cuda::CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  else if (param.element() == format::ElementType::BF16)
    type = cuda::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  int swizzle = param.swizzle_bytes() == 128  ? cuda::CU_TENSOR_MAP_SWIZZLE_128B
                : param.swizzle_bytes() == 64 ? cuda::CU_TENSOR_MAP_SWIZZLE_64B
                : param.swizzle_bytes() == 32 ? cuda::CU_TENSOR_MAP_SWIZZLE_32B
                                              : cuda::CU_TENSOR_MAP_SWIZZLE_NONE;
  int promotion = param.l2_promotion_bytes() == 256   ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_256B
                  : param.l2_promotion_bytes() == 128 ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_128B
                  : param.l2_promotion_bytes() == 64  ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_64B
                                                      : cuda::CU_TENSOR_MAP_L2_PROMOTION_NONE;
  uint32_t rank = param.box()->size(), box[3], elementStrides[] = {1, 1, 1};
  std::reverse_copy(param.box()->begin(), param.box()->end(), box);
  const uint64_t *extents = &key.words[TensorMapKey::Extents], *strides = &key.words[TensorMapKey::Strides];
  auto *address = reinterpret_cast<void *>(key.words[TensorMapKey::Address]);
  return driver.tensorMapEncodeTiled(&map, type, rank, address, extents, strides, box, elementStrides,
                                     cuda::CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, promotion,
                                     cuda::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

fp8gemm_status runtime::makeTensorMap(const cuda::Driver &driver, TensorMapCache &cache, const format::Param &param,
                                      const Storage &storage, int device, cuda::CUtensorMap &map) {
  TensorMapKey key(param, storage, device);
  if (cache.find(key, map))
    return FP8GEMM_OK;
  if (auto result = encode(driver, param, key, map)) {
    std::string what = std::string("cuTensorMapEncodeTiled for '") + storage.form->name + "'";
    return failedCall(driver, result, what.c_str());
  }
  cache.insert(key, map);
  return FP8GEMM_OK;
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

static_assert(std::atomic<uint64_t>::is_always_lock_free);

TensorMapCache::Entry *TensorMapCache::setOf(const TensorMapKey &key) const {
  return &entries[(key.hash() & (sets - 1)) * kWays];
}

bool TensorMapCache::find(const TensorMapKey &key, cuda::CUtensorMap &map) const {
  for (const Entry *entry = setOf(key), *end = entry + kWays; entry != end; ++entry) {
    uint64_t version = entry->version.load(std::memory_order_acquire);
    bool isWanted = version != 0 && version % 2 == 0;
    for (size_t i = 0; isWanted && i < kKeyWords; ++i)
      isWanted = entry->words[i].load(std::memory_order_acquire) == key.words[i];
    if (!isWanted)
      continue;
#pragma GCC unroll 16 // as a loop it takes longer than all before
    for (size_t i = 0; i < kMapWords; ++i)
      map.opaque[i] = entry->words[kKeyWords + i].load(std::memory_order_acquire);
    if (entry->version.load(std::memory_order_relaxed) == version)
      return true;
  }
  return false;
}

void TensorMapCache::insert(const TensorMapKey &key, const cuda::CUtensorMap &map) {
  Entry *set = setOf(key);
  Entry *entry = std::find_if(set, set + kWays, [](const Entry &entry) { return entry.version.load() == 0; });
  if (entry == set + kWays)
    entry = set + turn.fetch_add(1, std::memory_order_relaxed) % kWays;
  uint64_t version = entry->version.load(std::memory_order_relaxed);
  if (version % 2 != 0 || !entry->version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel))
    return;
  for (size_t i = 0; i < kKeyWords; ++i)
    entry->words[i].store(key.words[i], std::memory_order_release);
  for (size_t i = 0; i < kMapWords; ++i)
    entry->words[kKeyWords + i].store(map.opaque[i], std::memory_order_release);
  entry->version.store(version + 2, std::memory_order_release);
}
