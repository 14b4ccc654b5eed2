// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of more than 2^31 elements and 2^32 bytes, and how far their rows and groups may be apart.

#include "RuntimeGroupedFixture.h"

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::Grouping;
using format::Operand;
using format::ParamKind;

namespace {

constexpr int64_t kMost = INT32_MAX;

/// The address of operand i: from one to the next there are 2^52 bytes.
void *place(uintptr_t i) { return address(i << 52); }

class Huge : public Grouped {
protected:
  /// Operands far from each other.
  static fp8gemm_gemm_args args(int64_t m) {
    fp8gemm_gemm_args args = goodArgs(m);
    args.sfa.leading_dimension = (m + 3) / 4 * 4;
    for (auto [i, matrix] : {std::pair(1, &args.a), {2, &args.sfa}, {3, &args.b}, {4, &args.sfb}, {5, &args.d}})
      matrix->data = place(i);
    return args;
  }
  fp8gemm_grouped_gemm_args groupedArgs(int64_t m) const {
    fp8gemm_grouped_gemm_args args = arguments();
    args.m = m;
    args.sfa.leading_dimension = (m + 3) / 4 * 4;
    for (auto [i, tensor] : {std::pair(1, &args.a), {2, &args.sfa}, {3, &args.b}, {4, &args.sfb}, {5, &args.d}})
      tensor->data = place(i);
    return args;
  }
  fp8gemm_status launchOne(const fp8gemm_gemm_args &args) { return fp8gemm_gemm(kernel, &args, nullptr); }
  void refuseOne(const fp8gemm_gemm_args &args, const std::string &part) {
    expect(launchOne(args), FP8GEMM_INVALID_ARGUMENT, part);
    EXPECT_TRUE(fake().launches.empty());
  }
};

TEST_F(Huge, AnyRowsThat32BitsCount) {
  Gemm::open();
  auto args = Huge::args(kMost);
  ASSERT_EQ(launchOne(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {7168, uint64_t(kMost)}, {7168}, {128, 128});
  expectMap(fake().maps[2], args.sfa.data, {uint64_t(kMost), 56}, {uint64_t(1) << 33}, {128, 1});
  expectMap(fake().maps[3], args.d.data, {4096, uint64_t(kMost)}, {8192}, {64, 64});
  EXPECT_EQ(as<int32_t>(fake().launches.back().params[6]), kMost);
}

TEST_F(Huge, RowsAreUpTo2To40BytesApart) {
  Gemm::open();
  auto args = Huge::args(1000);
  args.a.leading_dimension = args.b.leading_dimension = (int64_t(1) << 40) - 16;
  args.d.leading_dimension = (int64_t(1) << 39) - 8;
  args.sfa.leading_dimension = (int64_t(1) << 38) - 4;
  ASSERT_EQ(launchOne(args), FP8GEMM_OK) << fp8gemm_last_error();
  for (const FakeMap &map : fake().maps)
    EXPECT_EQ(map.strides[0], (uint64_t(1) << 40) - 16);
  fake().launches.clear();
  for (auto [matrix, name, bytes] :
       {std::tuple(&args.a, "a", 1), {&args.b, "b", 1}, {&args.d, "d", 2}, {&args.sfa, "sfa", 4}}) {
    int64_t good = matrix->leading_dimension, least = (int64_t(1) << 40) / bytes;
    matrix->leading_dimension = least;
    refuseOne(args, "expected the leading dimension of '" + std::string(name) +
                        "' to be below 2^40 bytes, the limit of a tensor map, got " + std::to_string(least) +
                        " elements of " + std::to_string(bytes) + " bytes");
    matrix->leading_dimension = good;
  }
}

TEST_F(Huge, RowsReadByPointerHaveNoLimitButTheirAddresses) {
  Gemm::open();
  auto args = Huge::args(1000);
  args.sfb.leading_dimension = int64_t(1) << 40;
  ASSERT_EQ(launchOne(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(as<int64_t>(fake().launches.back().params[4]), int64_t(1) << 40);
  fake().launches.clear();
  for (int shift : {57, 62}) { // 32 rows: with the last one, and before it
    args.sfb.leading_dimension = int64_t(1) << shift;
    refuseOne(args, "expected 'sfb' to end below address 2^63, got 32 rows " + std::to_string(int64_t(1) << shift) +
                        " elements apart, from 0x40000000000000 on");
  }
}

TEST_F(Huge, AllRowsHaveAnAddress) {
  Gemm::open();
  auto args = Huge::args(kMost);
  args.a.leading_dimension = int64_t(1) << 39; // 2^70 bytes
  refuseOne(args, "expected 'a' to end below address 2^63, got 2147483647 rows 549755813888 elements apart");
}

TEST_F(Huge, AllGroupsHaveAnAddress) {
  ManifestSpec spec = grouped(Grouping::Batched);
  spec.groups = 1 << 20;
  open(spec);
  auto args = groupedArgs(1000);
  args.a.data = address(uintptr_t(1) << 61);
  args.a.group_stride = (int64_t(1) << 40) - 16;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().maps[0].strides, (std::vector<uint64_t>{256, (uint64_t(1) << 40) - 16}));
  fake().launches.clear();
  spec.groups = 1 << 24;
  open(spec);
  refuse(args, "expected 'a' to end below address 2^63, got 1000 rows 256 elements apart, in each of 16777216 "
               "groups 1099511627760 elements apart, from 0x2000000000000000 on");
}

TEST_F(Huge, OneGroupOfAnyRows) {
  ManifestSpec spec = grouped(Grouping::Batched);
  spec.groups = 1;
  open(spec);
  auto args = groupedArgs(1000);
  args.a.leading_dimension = int64_t(1) << 39;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().maps[0].strides, std::vector<uint64_t>(2, uint64_t(1) << 39));
}

TEST_F(Huge, ThreadsStoreAnyRows) {
  for (Grouping grouping : {Grouping::RowIndex, Grouping::RowEnd}) {
    ManifestSpec spec = grouped(grouping);
    spec.params.push_back({ParamKind::Pointer, Operand::D});
    spec.params.push_back({ParamKind::LeadingDimension, Operand::D});
    open(spec);
    for (auto [m, leading] : {std::pair(kMost, int64_t(512)), {1000, int64_t(1) << 32}}) {
      auto args = groupedArgs(m);
      args.d.leading_dimension = leading;
      ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
      const std::vector<std::string> &params = fake().launches.back().params;
      EXPECT_EQ(as<void *>(params[9]), args.d.data);
      EXPECT_EQ(as<int64_t>(params[10]), leading);
    }
  }
}

TEST_F(Huge, GroupsOfKBesideEachOther) {
  ManifestSpec spec = grouped(Grouping::KCount);
  for (Operand operand : {Operand::A, Operand::B}) {
    spec.params.push_back({ParamKind::Pointer, operand});
    spec.params.push_back({ParamKind::LeadingDimension, operand});
  }
  open(spec);
  auto args = groupedArgs(1000);
  args.k = kMost / 16 * 16;
  args.a.leading_dimension = args.b.leading_dimension = int64_t(1) << 35;
  args.sfb.leading_dimension = 1 << 25;
  ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  expectMap(fake().maps[0], args.a.data, {uint64_t(args.k), 1000}, {uint64_t(1) << 35}, {128, 128});
  EXPECT_EQ(as<int64_t>(fake().launches.back().params[9]), int64_t(1) << 35);
}

/// Their maps are made on the device: the host's has no extents that could be too large.
TEST_F(Huge, FlatGroupsOfK) {
  ManifestSpec spec = grouped(Grouping::KCount);
  spec.flat = true;
  for (Operand operand : {Operand::A, Operand::B})
    spec.params.push_back({ParamKind::Pointer, operand});
  open(spec);
  auto args = groupedArgs(1000);
  args.sfb.leading_dimension = 1 << 25;
  for (int64_t k : {int64_t(5) << 20, kMost / 16 * 16}) { // more than 2^32 bytes, and than 2^40
    args.k = k;
    ASSERT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
    expectMap(fake().maps[0], args.a.data, {1, 1}, {16}, {128, 128});
    EXPECT_EQ(as<void *>(fake().launches.back().params[8]), args.a.data);
  }
  // All of it is compared with D.
  args.a.data = static_cast<char *>(args.d.data) - 1000 * args.k + 16;
  refuse(args, "expected 'd' not to overlap 'a'");
}

} // namespace
