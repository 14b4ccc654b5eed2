// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launching grouped products: strides, tensor maps and grids of groups, and what is refused.

#include "RuntimeGroupedFixture.h"

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::Grouping;

namespace {

TEST_F(Grouped, InfoTellsOfGroups) {
  ManifestSpec spec = grouped(Grouping::RowEnd);
  spec.groupAlign = 128;
  spec.workspace = 256;
  open(spec);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.grouping, FP8GEMM_ROW_END);
  EXPECT_EQ(info.groups, 4u);
  EXPECT_EQ(info.group_align, 128u);
  EXPECT_EQ(info.flat, 0u);
  EXPECT_EQ(info.workspace_bytes, 144u * 256);
}

TEST_F(Grouped, InfoOfEachGrouping) {
  for (auto [grouping, wanted] : {std::pair(Grouping::RowIndex, FP8GEMM_ROW_INDEX),
                                  {Grouping::RowCount, FP8GEMM_ROW_COUNT},
                                  {Grouping::Batched, FP8GEMM_BATCHED},
                                  {Grouping::KCount, FP8GEMM_K_COUNT},
                                  {Grouping::None, FP8GEMM_NO_GROUPS}}) {
    open(grouping == Grouping::None ? ManifestSpec() : grouped(grouping));
    fp8gemm_kernel_info info{};
    info.size = sizeof(info);
    ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
    EXPECT_EQ(info.grouping, wanted);
    EXPECT_EQ(info.k, grouping == Grouping::KCount ? -1 : grouping == Grouping::None ? 7168 : 256);
  }
}

//===----------------------------------------------------------------------===//
// What is launched
//===----------------------------------------------------------------------===//

TEST_F(Grouped, ContiguousRowsOfAHaveNoGroups) {
  open(grouped(Grouping::RowEnd));
  auto args = arguments();
  args.b.group_stride = 512 * 272 + 16;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {256, 1000}, {256}, {128, 128});
  expectMap(fake().maps[1], args.b.data, {256, 512, 4}, {272, 512 * 272 + 16}, {128, 128, 1});
  expectMap(fake().maps[3], args.d.data, {512, 1000}, {1024}, {64, 64});
  const FakeLaunch &launch = fake().launches.back();
  EXPECT_EQ(as<void *>(launch.params[3]), args.sfb.data);
  EXPECT_EQ(as<int32_t>(launch.params[4]), 2);
  EXPECT_EQ(as<int64_t>(launch.params[5]), 8);
  EXPECT_EQ(as<const void *>(launch.params[7]), args.groups);
  EXPECT_EQ(as<int32_t>(launch.params[8]), 1000);
}

TEST_F(Grouped, GroupsShareMatricesOfB) {
  ManifestSpec spec = grouped(Grouping::RowCount);
  spec.fields.push_back({format::findField("weights"), 2});
  open(spec);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.groups, 4u);
  EXPECT_EQ(info.weights, 2u);
  auto args = arguments();
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {256, 1000, 4}, {256, 256000}, {128, 128, 1});
  expectMap(fake().maps[1], args.b.data, {256, 512, 2}, {272, 272 * 512}, {128, 128, 1});
  // D may follow the second matrix of B directly.
  uint64_t bytesOfB = 272 * 512 + 272 * 511 + 256;
  args.d.data = address(reinterpret_cast<uintptr_t>(args.b.data) + (bytesOfB + 15) / 16 * 16);
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  args.d.data = address(reinterpret_cast<uintptr_t>(args.d.data) - 16);
  refuse(args, "expected 'd' not to overlap 'b'");
  args = arguments();
  args.b.group_stride = 272 * 256;
  refuse(args, "expected the groups of 'b' not to overlap");
}

TEST_F(Grouped, EveryOperandOfBatchesHasGroups) {
  open(grouped(Grouping::Batched));
  auto args = arguments();
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {256, 1000, 4}, {256, 256000}, {128, 128, 1});
  expectMap(fake().maps[2], args.sfa.data, {1000, 2, 4}, {4096, 8192}, {128, 1, 1});
  expectMap(fake().maps[3], args.d.data, {512, 1000, 4}, {1024, 1024000}, {64, 64, 1});
}

TEST_F(Grouped, RowsOfAllGroupsMayLieBesideEachOther) {
  open(grouped(Grouping::Batched));
  auto args = arguments();
  args.a = {args.a.data, 4 * 256, 256};
  args.d = {args.d.data, 4 * 512, 512};
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {256, 1000, 4}, {1024, 256}, {128, 128, 1});
  args.a.leading_dimension -= 16;
  refuse(args, "expected the groups of 'a' not to overlap");
  args.a = {args.a.data, 4 * 256, 240};
  refuse(args, "expected the groups of 'a' not to overlap");
}

TEST_F(Grouped, OneGroupNeedsNoStride) {
  ManifestSpec spec = grouped(Grouping::Batched);
  spec.groups = 1;
  open(spec);
  auto args = arguments();
  args.a.group_stride = args.b.group_stride = -3;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {256, 1000, 1}, {256, 256}, {128, 128, 1});
}

TEST_F(Grouped, GridIsTheMostTilesThereCanBe) {
  // N is 4 columns of tiles; 8 rows of tiles in 1000 rows.
  fake().sms = 1000;
  for (auto [grouping, grid] : {std::pair(Grouping::RowIndex, 32u),
                                {Grouping::RowEnd, (8u + 4) * 4},
                                {Grouping::RowCount, 4u * 32},
                                {Grouping::Batched, 4u * 32},
                                {Grouping::KCount, 4u * 32}}) {
    open(grouped(grouping));
    ASSERT_EQ(launch(arguments()), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().launches.back().config.gridDimX, grid) << "grouping " << int(grouping);
  }
}

TEST_F(Grouped, GridIsPersistentAndOfWholeClusters) {
  ManifestSpec spec = grouped(Grouping::Batched);
  spec.clusterN = 2;
  open(spec);
  ASSERT_EQ(launch(arguments()), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 120u); // of 64 clusters 60 at once
  spec.groups = 1 << 14;
  spec.tileM = spec.tileN = 1;
  open(spec);
  refuse(arguments(), "expected at most 2147483587 clusters' work for kernel 'gemm_test', which counts it in 32 bits, "
                      "got 4194304000 with tiles of 1 x 1");
}

TEST_F(Grouped, AWorkspaceBoundsTheGrid) {
  fake().sms = 200;
  ManifestSpec spec = grouped(Grouping::KCount);
  spec.workspace = 128;
  spec.groups = 8;
  open(spec);
  auto args = arguments();
  refuse(args, "expected 'workspace' to be a device pointer, got null");
  args.workspace = address(0x7'0000'0040);
  refuse(args, "the pointer of 'workspace' to be a multiple of 128 bytes");
  args.workspace = address(0x7'0000'0080);
  args.workspace_bytes = 144 * 128 - 1;
  refuse(args, "expected a workspace of at least 18432 bytes for kernel 'gemm_test', got 18431");
  args.workspace_bytes = 144 * 128;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 144u);
}

//===----------------------------------------------------------------------===//
// Groups along K
//===----------------------------------------------------------------------===//

TEST_F(Grouped, GroupsAlongKLieBesideEachOther) {
  open(grouped(Grouping::KCount));
  auto args = arguments();
  args.k = 1040;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {1040, 1000}, {2048}, {128, 128});
  // Each of 4 groups may end in a partial block: 1040 = 3 * 16 + 992 has 3 + 8.
  expectMap(fake().maps[2], args.sfa.data, {1000, 11}, {4096}, {128, 1});
  expectMap(fake().maps[3], args.d.data, {512, 1000, 4}, {2048, 2048000}, {32, 64, 1});
  args.a.leading_dimension = 1024;
  refuse(args, "leading dimension of 'a' to be at least its row length of 1040 elements, got 1024");
  args = arguments();
  args.k = -16;
  refuse(args, "expected k in [0, 2^31 - 1], got -16");
}

TEST_F(Grouped, FlatOperandsHaveNoStrides) {
  ManifestSpec spec = grouped(Grouping::KCount);
  spec.flat = true;
  spec.params[0] = {format::ParamKind::Pointer, format::Operand::A};
  spec.params[1] = {format::ParamKind::Pointer, format::Operand::B};
  open(spec);
  auto args = arguments();
  args.a.leading_dimension = args.b.leading_dimension = 0;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(as<void *>(fake().launches.back().params[0]), args.a.data);
  args.a.data = address(reinterpret_cast<uintptr_t>(args.d.data) - 1000 * 1024 + 16);
  refuse(args, "expected 'd' not to overlap 'a'");
}

TEST_F(Grouped, NothingToReduceLaunchesOnlyWhereDIsNotYetRight) {
  open(grouped(Grouping::KCount)); // D = 0
  auto args = arguments();
  args.k = 0;
  args.a.leading_dimension = args.b.leading_dimension = 0;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.size(), 1u);
  expectMap(fake().maps[0], args.a.data, {1, 1000}, {16}, {128, 128}); // TMA has no empty extents
  ManifestSpec spec = grouped(Grouping::KCount);
  spec.c = format::CUse::InPlace;
  open(spec);
  fp8gemm_grouped_gemm_args nothing = {};
  nothing.size = sizeof(nothing);
  nothing.m = 1000;
  EXPECT_EQ(launch(nothing), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.size(), 1u);
}

//===----------------------------------------------------------------------===//
// What is refused
//===----------------------------------------------------------------------===//

TEST_F(Grouped, NoRowsIsANoOp) {
  for (Grouping grouping : {Grouping::RowIndex, Grouping::RowEnd, Grouping::RowCount, Grouping::Batched}) {
    open(grouped(grouping));
    fp8gemm_grouped_gemm_args args = {};
    args.size = sizeof(args);
    args.flags = FP8GEMM_CHECK_GROUPS;
    EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  }
  EXPECT_TRUE(fake().calls.empty());
}

TEST_F(Grouped, EachFunctionHasItsKernels) {
  open(grouped(Grouping::RowEnd));
  fp8gemm_gemm_args single = goodArgs();
  expect(fp8gemm_gemm(kernel, &single, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "expected a kernel of an ungrouped product for fp8gemm_gemm, got 'gemm_test' of op 'grouped_gemm'; call "
         "fp8gemm_grouped_gemm");
  Gemm::open();
  refuse(arguments(Grouping::RowEnd), "expected a kernel of a grouped product for fp8gemm_grouped_gemm, got "
                                      "'gemm_test' of op 'gemm'; call fp8gemm_gemm");
}

TEST_F(Grouped, StructAndNull) {
  open(grouped(Grouping::RowEnd));
  auto args = arguments();
  args.size -= 4;
  refuse(args, "in fp8gemm_grouped_gemm_args, got");
  expect(fp8gemm_grouped_gemm(kernel, nullptr, nullptr), FP8GEMM_INVALID_ARGUMENT, "got null");
  args = arguments();
  args.flags = 12;
  refuse(args, "expected flags of FP8GEMM_CHECK_GROUPS, FP8GEMM_DEPENDENT_LAUNCH or 0, got 0xc");
  args = arguments();
  args.m = -1;
  refuse(args, "expected m in [0, 2^31 - 1], got -1");
}

TEST_F(Grouped, GroupStridesAreChecked) {
  open(grouped(Grouping::Batched));
  auto bad = [&](auto change, const char *part) {
    auto args = arguments();
    change(args);
    refuse(args, part);
  };
  bad([](auto &a) { a.b.group_stride = 0; }, "expected the groups of 'b' not to overlap (512 rows 272 apart: a group "
                                             "stride of at least 139248 elements), got a group stride of 0");
  bad([](auto &a) { a.b.group_stride = 139248 - 16; }, "expected the groups of 'b' not to overlap");
  bad([](auto &a) { a.d.group_stride = -a.d.group_stride; }, "expected the groups of 'd' not to overlap");
  bad([](auto &a) { a.a.group_stride += 8; }, "the group stride of 'a' to be a multiple of 16 bytes (16 elements)");
  bad([](auto &a) { a.sfa.group_stride += 2; }, "the group stride of 'sfa' to be a multiple of 16 bytes (4 elements)");
  bad([](auto &a) { a.a.group_stride = int64_t(1) << 40; }, "the group stride of 'a' to be below 2^40 bytes");
  auto args = arguments();
  args.b.group_stride = 139248; // the last row is not padded
  args.sfb.group_stride = 9;    // not read by TMA
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Grouped, NullAndUnwantedPointersAreNamed) {
  open(grouped(Grouping::RowEnd));
  auto args = arguments();
  args.b.data = nullptr;
  refuse(args, "expected 'b' to be a device pointer, got null");
  args = arguments();
  args.groups = nullptr;
  refuse(args, "expected 'groups' to be a device pointer, got null");
  args.groups = static_cast<const int32_t *>(address(0x6'0000'0002));
  refuse(args, "the pointer of 'groups' to be a multiple of 4 bytes");
  open(grouped(Grouping::Batched));
  args = arguments();
  args.groups = static_cast<const int32_t *>(address(0x6'0000'0000));
  refuse(args, "expected 'groups' to be null, since kernel 'gemm_test' takes none");
}

TEST_F(Grouped, OverlapWithDIsRefused) {
  ManifestSpec spec = grouped(Grouping::Batched);
  open(spec);
  constexpr uintptr_t d = 0x5'0000'0000, group = 512 * 1000 * 2;
  auto args = arguments();
  args.a.data = address(d + 4 * group - 16);
  refuse(args, "expected 'd' not to overlap 'a'");
  args.a.data = address(d + 4 * group);
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  fake().launches.clear();
  open(grouped(Grouping::RowCount));
  args = arguments();
  args.groups = reinterpret_cast<const int32_t *>(d + 4 * group - 4);
  refuse(args, "expected 'd' not to overlap 'groups'");
}

TEST_F(Grouped, PartsOfOneArrayAreApart) {
  ManifestSpec spec = grouped(Grouping::Batched);
  spec.c = format::CUse::Apart;
  open(spec);
  auto args = arguments(); // D is the left half of each row, C the right half
  args.d.leading_dimension = 1024;
  args.d.group_stride = 1024 * 1000;
  args.c = {static_cast<char *>(args.d.data) + 1024, 1024, 1024 * 1000};
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  fake().launches.clear();
  args.c.data = static_cast<char *>(args.d.data) + 1008;
  refuse(args, "expected 'd' not to overlap 'c'");
  // All groups of a row of D, then those of C.
  args.d = {args.d.data, 2 * 4 * 512, 512};
  args.c = {static_cast<char *>(args.d.data) + 4 * 1024, 2 * 4 * 512, 512};
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  fake().launches.clear();
  args.c.data = static_cast<char *>(args.d.data) + 3 * 1024;
  refuse(args, "expected 'd' not to overlap 'c'");
}

TEST_F(Grouped, InPlaceCHasTheStridesOfD) {
  ManifestSpec spec = grouped(Grouping::KCount);
  spec.c = format::CUse::InPlace;
  open(spec);
  auto args = arguments();
  refuse(args, "expected 'c' to be 'd' (the same pointer and strides)");
  args.c = args.d;
  args.c.group_stride += 8;
  refuse(args, "expected 'c' to be 'd' (the same pointer and strides)");
  args.c = args.d;
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
}

//===----------------------------------------------------------------------===//
// FP8GEMM_CHECK_GROUPS
//===----------------------------------------------------------------------===//

TEST_F(Grouped, RowIndicesAreChecked) {
  ManifestSpec spec = grouped(Grouping::RowIndex);
  spec.groupAlign = 8;
  open(spec);
  auto rows = [](std::initializer_list<int32_t> first) {
    std::vector<int32_t> groups(1000, -1);
    std::copy(first.begin(), first.end(), groups.begin());
    return groups;
  };
  acceptGroups(rows({}));
  acceptGroups(rows({3, 3, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1}));
  acceptGroups(std::vector<int32_t>(1000, 2));
  refuseGroups(rows({4}), "expected groups[0] in [-1, 4), got 4");
  refuseGroups(rows({0, 0, -2}), "expected groups[2] in [-1, 4), got -2");
  refuseGroups(rows({1, 1, 2}), "expected groups[2] to be 1 or -1, since a block of 8 rows holds rows of one group, "
                                "then others, got 2");
  refuseGroups(rows({-1, 0}), "expected groups[1] to be -1, since a block of 8 rows");
  refuseGroups(rows({2, -1, 2}), "expected groups[2] to be -1, since a block of 8 rows");
}

TEST_F(Grouped, RowEndsAreChecked) {
  open(grouped(Grouping::RowEnd));
  acceptGroups({0, 0, 0, 0});
  acceptGroups({10, 10, 999, 1000});
  refuseGroups({-1, 0, 0, 0}, "expected groups[0] in [0, m = 1000], since ends ascend, got -1");
  refuseGroups({10, 300, 200, 400}, "expected groups[2] in [300, m = 1000], since ends ascend, got 200");
  refuseGroups({10, 300, 500, 1001}, "expected groups[3] in [500, m = 1000], since ends ascend, got 1001");
}

TEST_F(Grouped, RowCountsAreChecked) {
  open(grouped(Grouping::RowCount));
  acceptGroups({1000, 0, 7, 1000});
  refuseGroups({1000, 1001, 0, 0}, "expected groups[1] in [0, m = 1000], got 1001");
  refuseGroups({0, 0, 0, -1}, "expected groups[3] in [0, m = 1000], got -1");
}

TEST_F(Grouped, ReductionLengthsAreChecked) {
  open(grouped(Grouping::KCount));
  acceptGroups({512, 0, 496, 16}); // 1024
  acceptGroups({0, 0, 0, 0});
  refuseGroups({512, 8, 0, 0}, "expected groups[1] to be a multiple of 16, and not negative, got 8");
  refuseGroups({512, 0, -16, 0}, "expected groups[2] to be a multiple of 16, and not negative, got -16");
  refuseGroups({512, 512, 16, 0}, "expected the lengths up to groups[2] to add up to at most k = 1024, got 1040");
}

TEST_F(Grouped, BatchesHaveNoGroupsToCheck) {
  open(grouped(Grouping::Batched));
  auto args = arguments();
  args.flags = FP8GEMM_CHECK_GROUPS;
  EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Grouped, FailuresOfTheCheckAreReported) {
  open(grouped(Grouping::RowCount));
  std::vector<int32_t> groups(4, 1);
  auto args = arguments();
  args.groups = groups.data();
  args.flags = FP8GEMM_CHECK_GROUPS;
  fake().failures = {{"cuMemcpyDtoHAsync_v2", 1}};
  expect(launch(args), FP8GEMM_DRIVER_ERROR, "cuMemcpyDtoHAsync for FP8GEMM_CHECK_GROUPS failed");
  fake().failures = {{"cuStreamSynchronize", 900}};
  expect(launch(args), FP8GEMM_DRIVER_ERROR, "the stream is captured into a graph: load kernels, and check groups, before");
  EXPECT_TRUE(fake().launches.empty());
}

} // namespace
