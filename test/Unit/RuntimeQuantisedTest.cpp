// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantised D: its scales are a second result.

#include "RuntimeGroupedFixture.h"
#include "RuntimeQuantisedKernel.h"
#include "RuntimeTestPack.h"

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::ElementType;
using format::Grouping;
using format::Operand;
using format::ParamKind;
using format::ScaleOfD;

namespace {

class Quantised : public Grouped {
protected:
  void refuse(fp8gemm_gemm_args args, const std::string &part) {
    Gemm::expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, part);
  }
};

TEST_F(Quantised, ScalesReachTheLaunch) {
  for (ScaleOfD layout : {ScaleOfD::MnMajor, ScaleOfD::KMajor}) {
    fake().launches.clear();
    open(quantised(Grouping::None, layout));
    fp8gemm_kernel_info info{};
    info.size = sizeof(info);
    ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
    EXPECT_EQ(info.d_type, FP8GEMM_E4M3);
    EXPECT_EQ(info.sfd_layout, int(layout));
    fp8gemm_gemm_args args = goodArgs();
    args.sfd = {address(0x9'0000'0000), layout == ScaleOfD::MnMajor ? 1004 : 36};
    ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    const auto &params = fake().launches.at(0).params;
    EXPECT_EQ(as<void *>(params[params.size() - 2]), args.sfd.data);
    EXPECT_EQ(as<int64_t>(params[params.size() - 1]), args.sfd.leading_dimension);

    args.sfd = {};
    refuse(args, "expected 'sfd' to be a device pointer, got null");
    args.sfd = {address(0x9'0000'0002), 1004};
    refuse(args, "expected the pointer of 'sfd' to be a multiple of 4 bytes");
    args.sfd = {address(0x9'0000'0000), layout == ScaleOfD::MnMajor ? 999 : 31};
    refuse(args, layout == ScaleOfD::MnMajor ? "expected the leading dimension of 'sfd' to be at least its row length of 1000"
                                             : "expected the leading dimension of 'sfd' to be at least its row length of 32");
    args.sfd = {args.d.data, 1004};
    refuse(args, "expected 'd' not to overlap 'sfd'");
    args.sfd = {args.sfa.data, 1004};
    refuse(args, "expected 'sfd' not to overlap 'sfa'");
  }
  Gemm::open();
  fp8gemm_gemm_args args = goodArgs();
  args.sfd = {address(0x9'0000'0000), 1004};
  refuse(args, "expected 'sfd' to be null, since kernel 'gemm_test' takes none");
}

TEST_F(Quantised, GroupsHaveScalesWhereTheyHaveD) {
  open(quantised(Grouping::RowCount, ScaleOfD::MnMajor));
  fp8gemm_grouped_gemm_args args = arguments(Grouping::RowCount);
  args.sfd = {address(0x9'0000'0000), 1004, 4 * 1004};
  ASSERT_EQ(fp8gemm_grouped_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(as<int64_t>(fake().launches.at(0).params.back()), 4 * 1004);
  args.sfd.group_stride = 1004;
  Grouped::refuse(args, "expected the groups of 'sfd' not to overlap");

  open(quantised(Grouping::RowEnd, ScaleOfD::KMajor));
  args = arguments(Grouping::RowEnd);
  args.sfd = {address(0x9'0000'0000), 4, 0};
  EXPECT_EQ(fp8gemm_grouped_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Quantised, ManifestsThatDoNotAgree) {
  EXPECT_EQ(errorOf(quantised(Grouping::None, ScaleOfD::KMajor)), "");
  auto expect = [&](const ManifestSpec &spec, const std::string &part) {
    std::string error = errorOf(spec);
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  ManifestSpec spec = quantised(Grouping::None, ScaleOfD::KMajor);
  spec.fields = {};
  expect(spec, "expected sfd, how the scales of a d_type of e4m3 are stored, got none");
  spec.fields = {{kSfd, 3}};
  expect(spec, "expected 'sfd' to be one of none, mn_major, k_major, got 3");
  spec = quantised(Grouping::None, ScaleOfD::KMajor);
  spec.d = ElementType::BF16;
  expect(spec, "expected a d_type of e4m3 with sfd = k_major, got bf16");
  spec = quantised(Grouping::None, ScaleOfD::KMajor);
  spec.c = format::CUse::Apart;
  expect(spec, "expected no c with a d_type of e4m3, got apart");
  spec = quantised(Grouping::None, ScaleOfD::KMajor);
  spec.n = 4032;
  expect(spec, "expected a multiple of 128 for the columns of a d of e4m3, got 4032");
  expect(quantised(Grouping::KCount, ScaleOfD::KMajor), "expected a d_type of bf16 or f32 with grouping k_count, got e4m3");
  spec = ManifestSpec();
  spec.powerOfTwo = true;
  expect(spec, "expected power_of_two of quantize, or with a d_type of e4m3, got bf16");
}

} // namespace
