// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache of tensor maps by itself: exact, and whole for readers while others write.

#include "RuntimeTestKernel.h"
#include "TensorMaps.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

class Cache : public testing::Test {
protected:
  void SetUp() override { ASSERT_EQ(format::readKernelFile(bytes.data(), bytes.size(), file), ""); }

  /// One that tells of `id`.
  runtime::TensorMapKey keyOf(uint64_t id) const {
    const runtime::Form form;
    const runtime::Storage storage{&form, {reinterpret_cast<void *>(0x1000 * (id + 1)), 128, 0}, 128, 128, 0};
    return {*file.manifest().params()->Get(0), storage, 0};
  }
  static cuda::CUtensorMap mapOf(uint64_t id) {
    cuda::CUtensorMap map;
    std::fill(std::begin(map.opaque), std::end(map.opaque), id);
    return map;
  }

  std::string bytes = makeKernelFile();
  format::KernelFile file;
  runtime::TensorMapCache cache{1}; // one set: all keys meet
};

TEST_F(Cache, EveryWordOfAKeyCounts) {
  const runtime::TensorMapKey key = keyOf(0);
  cuda::CUtensorMap map{};
  EXPECT_FALSE(cache.find(key, map));
  cache.insert(key, mapOf(7));
  for (size_t word = 0; word < key.words.size(); ++word)
    for (uint64_t bit : {uint64_t(1), uint64_t(1) << 63}) {
      runtime::TensorMapKey other = key;
      other.words[word] ^= bit;
      EXPECT_FALSE(cache.find(other, map)) << word;
    }
  EXPECT_TRUE(cache.find(key, map));
  EXPECT_EQ(map.opaque[15], 7u);
}

TEST_F(Cache, EmptyPlacesAreFilledFirst) {
  cuda::CUtensorMap map;
  for (uint64_t id = 0; id < 4; ++id)
    cache.insert(keyOf(id), mapOf(id));
  for (uint64_t id = 0; id < 4; ++id)
    EXPECT_TRUE(cache.find(keyOf(id), map) && map.opaque[0] == id);
  cache.insert(keyOf(4), mapOf(4));
  EXPECT_TRUE(cache.find(keyOf(4), map));
  int left = 0;
  for (uint64_t id = 0; id < 4; ++id)
    left += cache.find(keyOf(id), map);
  EXPECT_EQ(left, 3);
}

/// What threads write all the time, others read: maps are whole, and those of their keys.
TEST_F(Cache, ThreadsReadWholeMaps) {
  std::atomic<int> wrong{0}, found{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 300000; ++i) {
        uint64_t id = (i * (2 * t + 1) + i / 7) % 8;
        cuda::CUtensorMap map;
        if (t % 2 == 0) {
          cache.insert(keyOf(id), mapOf(id));
        } else if (cache.find(keyOf(id), map)) {
          ++found;
          for (uint64_t word : map.opaque)
            wrong += word != id;
        }
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 0);
}

} // namespace
