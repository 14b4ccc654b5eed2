// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs and libraries of different versions: layouts that stay, and structs of other sizes.

#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

//===----------------------------------------------------------------------===//
// Layouts: numbers here are never changed, only added. A field that is added starts where the struct
// ended, so that its size tells of it.
//===----------------------------------------------------------------------===//

#define PLACE(type, field, place) static_assert(offsetof(type, field) == (place), #type "." #field)
PLACE(fp8gemm_gemm_args, size, 0);
PLACE(fp8gemm_gemm_args, m, 8);
PLACE(fp8gemm_gemm_args, a, 16);
PLACE(fp8gemm_gemm_args, sfa, 32);
PLACE(fp8gemm_gemm_args, b, 48);
PLACE(fp8gemm_gemm_args, sfb, 64);
PLACE(fp8gemm_gemm_args, c, 80);
PLACE(fp8gemm_gemm_args, d, 96);
PLACE(fp8gemm_gemm_args, num_sms, 112);
PLACE(fp8gemm_gemm_args, flags, 116);
PLACE(fp8gemm_gemm_args, bias, 120);
PLACE(fp8gemm_gemm_args, row_scale, 128);
PLACE(fp8gemm_gemm_args, sfd, 136);
static_assert(sizeof(fp8gemm_gemm_args) == 152);

PLACE(fp8gemm_grouped_gemm_args, size, 0);
PLACE(fp8gemm_grouped_gemm_args, m, 8);
PLACE(fp8gemm_grouped_gemm_args, k, 16);
PLACE(fp8gemm_grouped_gemm_args, a, 24);
PLACE(fp8gemm_grouped_gemm_args, sfa, 48);
PLACE(fp8gemm_grouped_gemm_args, b, 72);
PLACE(fp8gemm_grouped_gemm_args, sfb, 96);
PLACE(fp8gemm_grouped_gemm_args, c, 120);
PLACE(fp8gemm_grouped_gemm_args, d, 144);
PLACE(fp8gemm_grouped_gemm_args, groups, 168);
PLACE(fp8gemm_grouped_gemm_args, workspace, 176);
PLACE(fp8gemm_grouped_gemm_args, workspace_bytes, 184);
PLACE(fp8gemm_grouped_gemm_args, num_sms, 192);
PLACE(fp8gemm_grouped_gemm_args, flags, 196);
PLACE(fp8gemm_grouped_gemm_args, bias, 200);
PLACE(fp8gemm_grouped_gemm_args, row_scale, 208);
PLACE(fp8gemm_grouped_gemm_args, sfd, 216);
static_assert(sizeof(fp8gemm_grouped_gemm_args) == 240);

PLACE(fp8gemm_quantize_args, size, 0);
PLACE(fp8gemm_quantize_args, m, 8);
PLACE(fp8gemm_quantize_args, x, 16);
PLACE(fp8gemm_quantize_args, q, 32);
PLACE(fp8gemm_quantize_args, scales, 48);
PLACE(fp8gemm_quantize_args, num_sms, 64);
PLACE(fp8gemm_quantize_args, flags, 68);
static_assert(sizeof(fp8gemm_quantize_args) == 72);

PLACE(fp8gemm_kernel_info, size, 0);
PLACE(fp8gemm_kernel_info, name, 8);
PLACE(fp8gemm_kernel_info, chip, 16);
PLACE(fp8gemm_kernel_info, m, 24);
PLACE(fp8gemm_kernel_info, n, 32);
PLACE(fp8gemm_kernel_info, k, 40);
PLACE(fp8gemm_kernel_info, a_type, 48);
PLACE(fp8gemm_kernel_info, b_type, 52);
PLACE(fp8gemm_kernel_info, d_type, 56);
PLACE(fp8gemm_kernel_info, c_use, 60);
PLACE(fp8gemm_kernel_info, sfb_block_rows, 64);
PLACE(fp8gemm_kernel_info, sfa_layout, 68);
PLACE(fp8gemm_kernel_info, sfb_layout, 72);
PLACE(fp8gemm_kernel_info, tile_m, 76);
PLACE(fp8gemm_kernel_info, tile_n, 80);
PLACE(fp8gemm_kernel_info, threads, 84);
PLACE(fp8gemm_kernel_info, smem_bytes, 88);
PLACE(fp8gemm_kernel_info, registers, 92);
PLACE(fp8gemm_kernel_info, spill_bytes, 96);
PLACE(fp8gemm_kernel_info, grouping, 100);
PLACE(fp8gemm_kernel_info, groups, 104);
PLACE(fp8gemm_kernel_info, group_align, 108);
PLACE(fp8gemm_kernel_info, flat, 112);
PLACE(fp8gemm_kernel_info, workspace_bytes, 120);
PLACE(fp8gemm_kernel_info, config, 128);
PLACE(fp8gemm_kernel_info, ptxas_version, 136);
PLACE(fp8gemm_kernel_info, llvm_version, 144);
PLACE(fp8gemm_kernel_info, dependent_launch, 152);
PLACE(fp8gemm_kernel_info, wait_limit_ns, 160);
PLACE(fp8gemm_kernel_info, x_type, 168);
PLACE(fp8gemm_kernel_info, power_of_two, 172);
PLACE(fp8gemm_kernel_info, bias, 176);
PLACE(fp8gemm_kernel_info, gated, 180);
PLACE(fp8gemm_kernel_info, row_scale, 184);
PLACE(fp8gemm_kernel_info, activation, 188);
PLACE(fp8gemm_kernel_info, sfd_layout, 192);
PLACE(fp8gemm_kernel_info, weights, 196);
static_assert(sizeof(fp8gemm_kernel_info) == 200);

PLACE(fp8gemm_problem, size, 0);
PLACE(fp8gemm_problem, m, 8);
PLACE(fp8gemm_problem, n, 16);
PLACE(fp8gemm_problem, k, 24);
PLACE(fp8gemm_problem, a_type, 32);
PLACE(fp8gemm_problem, b_type, 36);
PLACE(fp8gemm_problem, d_type, 40);
PLACE(fp8gemm_problem, c_use, 44);
PLACE(fp8gemm_problem, sfb_block_rows, 48);
PLACE(fp8gemm_problem, sfa_layout, 52);
PLACE(fp8gemm_problem, sfb_layout, 56);
PLACE(fp8gemm_problem, grouping, 60);
PLACE(fp8gemm_problem, groups, 64);
PLACE(fp8gemm_problem, group_align, 68);
PLACE(fp8gemm_problem, flat, 72);
PLACE(fp8gemm_problem, batch_invariant, 76);
PLACE(fp8gemm_problem, x_type, 80);
PLACE(fp8gemm_problem, power_of_two, 84);
PLACE(fp8gemm_problem, bias, 88);
PLACE(fp8gemm_problem, gated, 92);
PLACE(fp8gemm_problem, row_scale, 96);
PLACE(fp8gemm_problem, activation, 100);
PLACE(fp8gemm_problem, sfd_layout, 104);
PLACE(fp8gemm_problem, weights, 108);
static_assert(sizeof(fp8gemm_problem) == 112);

// The problem that compiler and runtime share is this struct.
#define SAME(field, member) static_assert(offsetof(fp8gemm_problem, field) == offsetof(format::Problem, member), #field)
SAME(size, size);
SAME(m, m);
SAME(n, n);
SAME(k, k);
SAME(a_type, a);
SAME(b_type, b);
SAME(d_type, d);
SAME(c_use, c);
SAME(sfb_block_rows, sfbRows);
SAME(sfa_layout, sfa);
SAME(sfb_layout, sfb);
SAME(grouping, grouping);
SAME(groups, groups);
SAME(group_align, align);
SAME(flat, flat);
SAME(batch_invariant, batchInvariant);
SAME(x_type, x);
SAME(power_of_two, powerOfTwo);
static_assert(FP8GEMM_NO_X == int(format::XType::None) && FP8GEMM_X_BF16 == int(format::XType::BF16) &&
              FP8GEMM_X_F16 == int(format::XType::F16) && FP8GEMM_X_F32 == int(format::XType::F32));
static_assert(FP8GEMM_E4M3 == int(format::Type::E4M3) && FP8GEMM_E5M2 == int(format::Type::E5M2) &&
              FP8GEMM_BF16 == int(format::Type::BF16) && FP8GEMM_F32 == int(format::Type::F32));
static_assert(FP8GEMM_K_MAJOR == int(format::ScaleLayout::KMajor) &&
              FP8GEMM_MN_MAJOR == int(format::ScaleLayout::MnMajor));
static_assert(FP8GEMM_NO_C == int(format::CUse::None) && FP8GEMM_C_APART == int(format::CUse::Apart) &&
              FP8GEMM_C_IN_PLACE == int(format::CUse::InPlace));
static_assert(FP8GEMM_NO_GROUPS == int(format::Grouping::None) &&
              FP8GEMM_ROW_INDEX == int(format::Grouping::RowIndex) &&
              FP8GEMM_ROW_END == int(format::Grouping::RowEnd) &&
              FP8GEMM_ROW_COUNT == int(format::Grouping::RowCount) &&
              FP8GEMM_BATCHED == int(format::Grouping::Batched) && FP8GEMM_K_COUNT == int(format::Grouping::KCount));

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// A struct of a version to come: 16 bytes more.
template <typename T> struct Newer {
  T known;
  uint64_t more[2];
};

TEST(Abi, VersionIsTheProjects) {
  EXPECT_EQ(fp8gemm_version(), uint32_t(FP8GEMM_VERSION));
  EXPECT_EQ(std::to_string(FP8GEMM_VERSION_MAJOR) + "." + std::to_string(FP8GEMM_VERSION_MINOR) + "." +
                std::to_string(FP8GEMM_VERSION_PATCH),
            FP8GEMM_PROJECT_VERSION);
  static_assert(FP8GEMM_MAKE_VERSION(1, 2, 3) == 10203);
}

TEST_F(Gemm, FieldsThatAnOlderProgramLacksAreZero) {
  open();
  fp8gemm_gemm_args args = goodArgs();
  args.size = offsetof(fp8gemm_gemm_args, num_sms);
  args.num_sms = 1; // beyond the end of its struct: arbitrary bytes
  args.flags = 77;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 132u);
}

TEST_F(Gemm, FieldsOfANewerProgramAreZero) {
  open();
  Newer<fp8gemm_gemm_args> args{goodArgs(), {0, 0}};
  args.known.size = sizeof(args);
  ASSERT_EQ(fp8gemm_gemm(kernel, &args.known, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  args.more[1] = 1;
  expect(fp8gemm_gemm(kernel, &args.known, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "expected zeros after the 152 bytes of fp8gemm_gemm_args that version " FP8GEMM_PROJECT_VERSION
         " of this library knows");
  EXPECT_EQ(fake().launches.size(), 1u);
}

TEST_F(Gemm, SizesThatNoVersionHas) {
  open();
  for (size_t size : {size_t(0), size_t(8), size_t(104), size_t(116), size_t(127), size_t(4104), SIZE_MAX - 7})
    expectBadArgs([&](auto &a) { a.size = size; }, "expected size = 152 (sizeof) in fp8gemm_gemm_args, got " +
                                                       std::to_string(size) +
                                                       "; a program of another version has at least 112");
}

TEST_F(Gemm, InfoForOtherVersions) {
  ManifestSpec manifest;
  manifest.waits = true;
  open(manifest);
  Newer<fp8gemm_kernel_info> newer;
  std::memset(&newer, 0xaa, sizeof(newer));
  newer.known.size = sizeof(newer);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &newer.known), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(newer.known.size, sizeof(newer));
  EXPECT_EQ(newer.known.n, 4096);
  EXPECT_EQ(newer.known.dependent_launch, 1u);
  EXPECT_EQ(newer.more[0] | newer.more[1], 0u);

  fp8gemm_kernel_info older{};
  older.size = offsetof(fp8gemm_kernel_info, dependent_launch);
  older.dependent_launch = 77;
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &older), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(older.size, offsetof(fp8gemm_kernel_info, dependent_launch));
  EXPECT_STREQ(older.llvm_version, "22.1.8");
  EXPECT_EQ(older.dependent_launch, 77u); // not its own
}

TEST_F(Grouped, StructsOfOtherVersions) {
  open(grouped(format::Grouping::RowEnd));
  Newer<fp8gemm_grouped_gemm_args> args{arguments(), {0, 0}};
  args.known.size = sizeof(args);
  ASSERT_EQ(launch(args.known), FP8GEMM_OK) << fp8gemm_last_error();
  args.more[0] = uint64_t(1) << 63;
  refuse(args.known, "expected zeros after the 240 bytes of fp8gemm_grouped_gemm_args");
  args.known.size = 192;
  refuse(args.known, "in fp8gemm_grouped_gemm_args, got 192");
}

TEST_F(Gemm, ProblemsOfANewerProgram) {
  std::string bytes = makePack(twoProblems());
  fp8gemm_pack *pack = nullptr;
  ASSERT_EQ(fp8gemm_pack_open_memory(bytes.data(), bytes.size(), &pack), FP8GEMM_OK) << fp8gemm_last_error();
  Newer<fp8gemm_problem> problems[2] = {};
  for (size_t i = 0; i < 2; ++i) {
    problems[i].more[1] = 77;
    problems[i].known.size = sizeof(problems[i]);
    ASSERT_EQ(fp8gemm_pack_get_problem(pack, i, &problems[i].known), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(problems[i].known.size, sizeof(problems[i]));
    EXPECT_NE(fp8gemm_pack_find(pack, &problems[i].known, 1), nullptr) << fp8gemm_last_error();
  }
  EXPECT_EQ(fp8gemm_pack_load(pack, &problems[0].known, 2), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().liveLibraries, 4);

  problems[1].known.size = sizeof(fp8gemm_problem);
  expect(fp8gemm_pack_load(pack, &problems[0].known, 2), FP8GEMM_INVALID_ARGUMENT,
         "expected the same size in all problems, got 128 and 112");
  problems[0].more[0] = 1;
  EXPECT_EQ(fp8gemm_pack_find(pack, &problems[0].known, 1), nullptr);
  expect(fp8gemm_pack_load(pack, &problems[0].known, 1), FP8GEMM_INVALID_ARGUMENT,
         "expected zeros after the 112 bytes");
  fp8gemm_pack_close(pack);
}

} // namespace
