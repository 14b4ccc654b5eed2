// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantisations: what is passed to their kernels, and what is refused.

#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::Operand;
using format::ParamKind;

namespace {

/// K = 7168, from bf16, tiles of 64 x 256.
ManifestSpec quantisation() {
  ManifestSpec spec;
  spec.op = "quantize";
  spec.n = 0;
  spec.sfbRows = 1;
  spec.x = format::XType::BF16;
  spec.tileM = 64, spec.tileN = 256;
  spec.threads = 1024, spec.smemBytes = 0;
  spec.params.clear();
  for (Operand operand : {Operand::X, Operand::A, Operand::ScaleA}) {
    spec.params.push_back({ParamKind::Pointer, operand});
    spec.params.push_back({ParamKind::LeadingDimension, operand});
  }
  spec.params.push_back({ParamKind::ExtentM, Operand::None});
  return spec;
}

fp8gemm_quantize_args goodQuantizeArgs(int64_t m = 100) {
  return {sizeof(fp8gemm_quantize_args),
          m,
          {address(0x1'0000'0000), 7200},
          {address(0x2'0000'0000), 7184},
          {address(0x3'0000'0000), 104},
          /*num_sms=*/0,
          /*flags=*/0};
}

class Quantize : public Gemm {
protected:
  void open(ManifestSpec spec = quantisation()) {
    CubinSpec cubin;
    cubin.paramBytes.clear();
    for (const ParamSpec &param : spec.params)
      cubin.paramBytes.push_back(format::detail::bytesOf(param.kind));
    cubin.maxThreads = 1024;
    fake().paramBytes = cubin.paramBytes;
    Gemm::open(spec, cubin);
  }
  template <typename Change> void expectBad(Change change, const std::string &part) {
    fp8gemm_quantize_args args = goodQuantizeArgs();
    change(args);
    expect(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, part);
    EXPECT_TRUE(fake().launches.empty());
  }
};

TEST_F(Quantize, PassesPointersStridesAndM) {
  open();
  fp8gemm_quantize_args args = goodQuantizeArgs();
  ASSERT_EQ(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  const auto &launch = fake().launches.back();
  EXPECT_EQ(launch.config.gridDimX, 2u * 28);
  EXPECT_EQ(launch.config.blockDimX, 1024u);
  const int64_t words[] = {0x1'0000'0000, 7200, 0x2'0000'0000, 7184, 0x3'0000'0000, 104};
  for (size_t i = 0; i < std::size(words); ++i)
    EXPECT_EQ(as<int64_t>(launch.params[i]), words[i]) << i;
  EXPECT_EQ(as<int32_t>(launch.params[6]), 100);
}

TEST_F(Quantize, TakesAsManyCtasAsTheDeviceRunsAtOnce) {
  open();
  for (auto [m, grid] : {std::pair<int64_t, unsigned>{1, 28}, {64, 28}, {65, 56}, {100000, 132}}) {
    fp8gemm_quantize_args args = goodQuantizeArgs(m);
    args.scales.leading_dimension = 100000;
    ASSERT_EQ(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().launches.back().config.gridDimX, grid) << m;
  }
}

TEST_F(Quantize, AGatedXHasTwoColumnsForOne) {
  ManifestSpec spec = quantisation();
  spec.fields = {{format::findField("gated"), 1}, {format::findField("activation"), int64_t(format::Activation::Silu)}};
  open(spec);
  expectBad([](auto &) {}, "expected the leading dimension of 'x' to be at least its row");
  fp8gemm_quantize_args args = goodQuantizeArgs();
  args.x.leading_dimension = 2 * 7168;
  ASSERT_EQ(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 2u * 28);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.gated, 1u);
  EXPECT_EQ(info.activation, FP8GEMM_SILU);
}

TEST_F(Quantize, ScalesOfBlocksHaveARowForEach128) {
  ManifestSpec spec = quantisation();
  spec.sfbRows = 128;
  spec.tileM = 128, spec.tileN = 128;
  open(spec);
  fp8gemm_quantize_args args = goodQuantizeArgs(); // mn_major: of one block of rows
  args.scales = {address(0x3'0000'0004), 1};
  ASSERT_EQ(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 56u);
  fake().launches.clear();
  expectBad(
      [](auto &a) {
        a.m = 300;
        a.scales.leading_dimension = 2;
      },
      "expected the leading dimension of 'scales' to be at least its row length of 3");
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.sfb_block_rows, 128u);
}

TEST_F(Quantize, NoRowsLaunchNothing) {
  open();
  fp8gemm_quantize_args args = goodQuantizeArgs(0);
  args.x.data = nullptr;
  EXPECT_EQ(fp8gemm_quantize(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_TRUE(fake().launches.empty());
}

TEST_F(Quantize, ChecksOperands) {
  open();
  expectBad([](auto &a) { a.x.data = nullptr; }, "expected 'x' to be a device pointer, got null");
  expectBad([](auto &a) { a.q.data = address(0x2'0000'0008); }, "expected the pointer of 'q' to be a multiple of 16");
  expectBad([](auto &a) { a.x.leading_dimension = 7160; }, "expected the leading dimension of 'x' to be at least its row");
  expectBad([](auto &a) { a.x.leading_dimension = 7169; }, "expected the leading dimension of 'x' to be a multiple of 16");
  expectBad([](auto &a) { a.scales.leading_dimension = 102; }, "the leading dimension of 'scales' to be a multiple of 16");
  expectBad([](auto &a) { a.scales.leading_dimension = 96; }, "expected the leading dimension of 'scales' to be at least");
  expectBad([](auto &a) { a.q.data = a.x.data; }, "expected 'q' not to overlap 'x'");
  expectBad([](auto &a) { a.scales.data = a.q.data; }, "expected 'q' not to overlap 'scales'");
  expectBad([](auto &a) { a.scales.data = a.x.data; }, "expected 'scales' not to overlap 'x'");
  expectBad([](auto &a) { a.flags = FP8GEMM_CHECK_GROUPS; }, "expected flags of FP8GEMM_DEPENDENT_LAUNCH or 0");
  expectBad([](auto &a) { a.m = -1; }, "expected m in [0, 2^31 - 1]");
}

TEST_F(Quantize, IsNoProduct) {
  open();
  expectBadArgs([](auto &) {}, "expected a kernel of an ungrouped product for fp8gemm_gemm, got 'gemm_test' of op "
                               "'quantize'; call fp8gemm_quantize");
  fake().paramBytes = CubinSpec().paramBytes;
  Gemm::open();
  expectBad([](auto &) {}, "expected a kernel of a quantisation for fp8gemm_quantize, got 'gemm_test' of op 'gemm'; call "
                           "fp8gemm_gemm");
}

TEST_F(Quantize, InfoSaysWhatItIs) {
  ManifestSpec spec = quantisation();
  spec.powerOfTwo = true;
  open(spec);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.x_type, FP8GEMM_X_BF16);
  EXPECT_EQ(info.power_of_two, 1u);
  EXPECT_EQ(info.k, 7168);
}

void expectRefused(const ManifestSpec &spec, const std::string &part) {
  const std::string error = errorOf(spec);
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

TEST(QuantizeManifest, HasOnlyWhatAQuantisationHas) {
  ManifestSpec spec = quantisation();
  spec.op = "gemm";
  expectRefused(spec, "expected op 'quantize' of a problem with an x, got 'gemm'");
  spec = quantisation();
  spec.n = 64;
  expectRefused(spec, "expected a quantisation with only the fields that it has");
  spec = quantisation();
  spec.fields = {{format::findField("activation"), 9}};
  expectRefused(spec, "expected 'activation' to be one of none, relu, silu, gelu, gelu_tanh, got 9");
  spec = quantisation();
  spec.fields = {{format::findField("bias"), 1}};
  expectRefused(spec, "expected a quantisation with only the fields that it has");
  spec = quantisation();
  spec.sfbRows = 64;
  expectRefused(spec, "expected 'recipe' to be one of 1d2d, 1d1d, got 64");
  spec = quantisation();
  spec.x = format::XType(9);
  expectRefused(spec, "expected 'x_type' to be one of bf16, f16, f32, got 9");
  spec = quantisation();
  spec.x = format::XType::None;
  expectRefused(spec, "expected op 'gemm' with grouping none, got 'quantize'");
  spec = quantisation();
  spec.params[0].operand = Operand::B;
  expectRefused(spec, "expected an operand that suits its kind and the problem");
  ManifestSpec product;
  product.params[3].operand = Operand::X;
  expectRefused(product, "expected an operand that suits its kind and the problem");
}

} // namespace
