// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps are kept: the same operands cost nothing twice, and others never get the same map.

#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

class TensorMaps : public Gemm {
protected:
  /// Maps that the driver made for a launch.
  size_t newMaps(const fp8gemm_gemm_args &args) {
    size_t before = fake().maps.size();
    EXPECT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    return fake().maps.size() - before;
  }

  /// The map that the last launch passed as that parameter.
  static const FakeMap &mapOf(size_t param) { return fake().maps[as<uint64_t>(fake().launches.back().params[param])]; }
};

TEST_F(TensorMaps, AreMadeOnce) {
  open();
  EXPECT_EQ(newMaps(goodArgs()), 4u);
  const std::vector<std::string> params = fake().launches.back().params;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(newMaps(goodArgs()), 0u);
  EXPECT_EQ(fake().launches.back().params, params);
}

TEST_F(TensorMaps, OfOtherOperandsAreOthers) {
  open();
  newMaps(goodArgs());
  auto expectNew = [&](size_t count, auto change) {
    fp8gemm_gemm_args args = goodArgs();
    change(args);
    EXPECT_EQ(newMaps(args), count);
    EXPECT_EQ(mapOf(0).address, args.a.data);
    EXPECT_EQ(mapOf(0).extents[1], uint64_t(args.m));
    EXPECT_EQ(mapOf(0).strides[0], uint64_t(args.a.leading_dimension));
    EXPECT_EQ(mapOf(1).address, args.b.data);
    EXPECT_EQ(mapOf(1).strides[0], uint64_t(args.b.leading_dimension));
    EXPECT_EQ(mapOf(2).address, args.sfa.data);
    EXPECT_EQ(mapOf(2).extents[0], uint64_t(args.m));
    EXPECT_EQ(mapOf(2).strides[0], uint64_t(args.sfa.leading_dimension) * 4);
    EXPECT_EQ(mapOf(5).address, args.d.data);
    EXPECT_EQ(mapOf(5).strides[0], uint64_t(args.d.leading_dimension) * 2);
    EXPECT_EQ(newMaps(args), 0u);
    EXPECT_EQ(newMaps(goodArgs()), 0u);
  };
  expectNew(1, [](auto &a) { a.a.data = address(0x1'0000'0010); });
  expectNew(1, [](auto &a) { a.a.leading_dimension += 16; });
  expectNew(1, [](auto &a) { a.b.data = address(0x7'0000'0000); });
  expectNew(1, [](auto &a) { a.sfa.leading_dimension += 4; });
  expectNew(1, [](auto &a) { a.d.data = address(0x8'0000'0000); });
  expectNew(3, [](auto &a) { a.m -= 1; });
  expectNew(0, [](auto &a) { a.sfb.data = address(0x9'0000'0000); }); // a pointer
}

TEST_F(TensorMaps, OfAnotherDeviceAreOthers) {
  open();
  EXPECT_EQ(newMaps(goodArgs()), 4u);
  fake().device = 1;
  EXPECT_EQ(newMaps(goodArgs()), 4u);
  fake().device = 0;
  EXPECT_EQ(newMaps(goodArgs()), 0u);
}

TEST_F(TensorMaps, OfGroups) {
  ManifestSpec manifest = grouped(format::Grouping::Batched);
  std::string bytes = makeMatchingKernelFile(manifest);
  fake().paramBytes.clear();
  ASSERT_EQ(fp8gemm_kernel_open_memory(bytes.data(), bytes.size(), &kernel), FP8GEMM_OK) << fp8gemm_last_error();
  fp8gemm_grouped_gemm_args args{};
  args.size = sizeof(args);
  args.m = 100;
  args.a = {address(0x1'0000'0000), 256, 25600};
  args.sfa = {address(0x2'0000'0000), 100, 200};
  args.b = {address(0x3'0000'0000), 256, 512 * 256};
  args.sfb = {address(0x4'0000'0000), 2, 8};
  args.d = {address(0x5'0000'0000), 512, 51200};
  auto launch = [&] {
    fake().maps.clear();
    EXPECT_EQ(fp8gemm_grouped_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    return fake().maps.size();
  };
  EXPECT_EQ(launch(), 4u);
  EXPECT_EQ(launch(), 0u);
  args.a.group_stride += 16;
  ASSERT_EQ(launch(), 1u);
  EXPECT_EQ(fake().maps[0].strides[1], 25616u);
}

TEST_F(TensorMaps, OfKernelsOfOnePackAreTheirOwn) {
  std::string bytes = makePack(twoProblems());
  fp8gemm_pack *pack = nullptr;
  ASSERT_EQ(fp8gemm_pack_open_memory(bytes.data(), bytes.size(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
  fp8gemm_problem problem{};
  problem.size = sizeof(problem);
  ASSERT_EQ(fp8gemm_pack_get_problem(pack, 1, &problem), FP8GEMM_OK);
  auto launch = [&](int64_t planned) {
    size_t before = fake().maps.size();
    fp8gemm_gemm_args args = goodArgs();
    EXPECT_EQ(fp8gemm_gemm(fp8gemm_pack_find(pack, &problem, planned), &args, nullptr), FP8GEMM_OK);
    return fake().maps.size() - before;
  };
  EXPECT_EQ(launch(1), 4u);
  EXPECT_EQ(launch(65), 4u);
  EXPECT_EQ(launch(1), 0u);
  EXPECT_EQ(launch(65), 0u);
  fp8gemm_pack_close(pack);
}

TEST_F(TensorMaps, WhatFailsIsNotKept) {
  open();
  fake().failures["cuTensorMapEncodeTiled"] = 1;
  EXPECT_EQ(run(), FP8GEMM_DRIVER_ERROR);
  fake().failures.clear();
  EXPECT_EQ(newMaps(goodArgs()), 4u);
}

TEST_F(TensorMaps, AModelsLayersTakeTurns) {
  open();
  auto layer = [](uintptr_t index) {
    fp8gemm_gemm_args args = goodArgs();
    args.b.data = address(0x3'0000'0000 + index * 0x400'0000);
    args.sfb.data = address(0x40'0000'0000 + index * 0x1'0000);
    return args;
  };
  for (uintptr_t i = 0; i < 61; ++i)
    newMaps(layer(i));
  EXPECT_LE(fake().maps.size(), 3 + 61 + 4u);
  size_t again = 0;
  for (uintptr_t i = 0; i < 61; ++i)
    again += newMaps(layer(i));
  EXPECT_LE(again, 8u); // of sets that are full: none most of the time
}

TEST_F(TensorMaps, MoreThanAreKept) {
  open();
  for (int round = 0; round < 2; ++round)
    for (uintptr_t i = 0; i < 3000; ++i) {
      fp8gemm_gemm_args args = goodArgs();
      args.a.data = address(0x100'0000'0000 + i * 16);
      args.d.data = address(0x200'0000'0000 + i * 16);
      newMaps(args);
      ASSERT_EQ(mapOf(0).address, args.a.data);
      ASSERT_EQ(mapOf(5).address, args.d.data);
    }
  EXPECT_GT(fake().maps.size(), 6000u);
}

} // namespace
