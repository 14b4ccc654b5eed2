// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launching what is not recipe 1d2d of e4m3 to bf16: types, scales of rows of B, C.

#include "RuntimeGemmFixture.h"

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// D in f32, C from elsewhere.
ManifestSpec addingC() {
  ManifestSpec manifest;
  manifest.d = manifest.params[5].element = format::ElementType::F32;
  manifest.c = format::CUse::Apart;
  manifest.params[5].box = {64, 32};
  manifest.params.insert(
      manifest.params.begin() + 5,
      {format::ParamKind::TensorMap, format::Operand::C, format::ElementType::F32, {128, 32}, 128, 0});
  return manifest;
}

TEST_F(Gemm, InfoOfOtherRecipes) {
  ManifestSpec manifest;
  manifest.a = format::ElementType::F8E5M2;
  manifest.d = format::ElementType::F32;
  manifest.c = format::CUse::InPlace;
  manifest.sfbRows = 1;
  open(manifest);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_EQ(info.a_type, FP8GEMM_E5M2);
  EXPECT_EQ(info.b_type, FP8GEMM_E4M3);
  EXPECT_EQ(info.d_type, FP8GEMM_F32);
  EXPECT_EQ(info.c_use, FP8GEMM_C_IN_PLACE);
  EXPECT_EQ(info.sfb_block_rows, 1u);
}

TEST_F(Gemm, MnMajorScalesOfRowsOfB) {
  ManifestSpec manifest;
  manifest.sfb = format::ScaleLayout::MnMajor;
  manifest.sfbRows = 1;
  manifest.params[3] = {format::ParamKind::TensorMap, format::Operand::ScaleB, format::ElementType::F32, {1, 128}};
  manifest.params.erase(manifest.params.begin() + 4);
  CubinSpec cubin;
  cubin.paramBytes = fake().paramBytes = {128, 128, 128, 128, 128, 4};
  open(manifest, cubin);
  fp8gemm_gemm_args args = goodArgs();
  args.sfb.leading_dimension = 4096;
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().maps[3].extents, (std::vector<uint64_t>{4096, 56}));
  args.sfb.leading_dimension = 4098;
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "leading dimension of 'sfb' to be a multiple of 16 bytes");
}

TEST_F(Gemm, CApartHasItsMap) {
  CubinSpec cubin;
  cubin.paramBytes = fake().paramBytes = {128, 128, 128, 8, 8, 128, 128, 4};
  open(addingC(), cubin);
  fp8gemm_gemm_args args = goodArgs();
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "expected 'c' to be a device pointer, got null");
  args.c = {address(0x6'0000'0000), 4100};
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  const FakeMap &map = fake().maps[3];
  EXPECT_EQ(map.type, cuda::CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
  EXPECT_EQ(map.address, args.c.data);
  EXPECT_EQ(map.strides, std::vector<uint64_t>{4 * 4100});
  EXPECT_EQ(map.box, (std::vector<uint32_t>{32, 128}));
}

TEST_F(Gemm, OverlapWithDIsRefused) {
  CubinSpec cubin;
  cubin.paramBytes = fake().paramBytes = {128, 128, 128, 8, 8, 128, 128, 4};
  open(addingC(), cubin);
  auto attempt = [&](uintptr_t c, int64_t leading, uintptr_t a = 0x1'0000'0000) {
    fp8gemm_gemm_args args = goodArgs();
    args.a.data = address(a);
    args.c = {address(c), leading};
    args.d.leading_dimension = 8192;
    return fp8gemm_gemm(kernel, &args, nullptr);
  };
  constexpr uintptr_t d = 0x5'0000'0000, row = 8192 * 4, columns = 4096 * 4, end = d + 999 * row + columns;
  const char *overlaps = "expected 'd' not to overlap 'c'; to add in place, compile a kernel that does";
  expect(attempt(d, 8192), FP8GEMM_INVALID_ARGUMENT, overlaps);
  expect(attempt(d + row, 8192), FP8GEMM_INVALID_ARGUMENT, overlaps);
  expect(attempt(d - row, 8192), FP8GEMM_INVALID_ARGUMENT, overlaps);
  expect(attempt(d + columns - 16, 8192), FP8GEMM_INVALID_ARGUMENT, overlaps);
  expect(attempt(d, 4096), FP8GEMM_INVALID_ARGUMENT, overlaps);
  // The other half of each row, what follows the last row, what ends before the first.
  EXPECT_EQ(attempt(d + columns, 8192), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(attempt(end, 4096), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(attempt(d - 1000 * columns, 4096), FP8GEMM_OK) << fp8gemm_last_error();
  expect(attempt(end, 4096, end - 16), FP8GEMM_INVALID_ARGUMENT, "expected 'd' not to overlap 'a'");
}

TEST_F(Gemm, InPlaceCIsD) {
  ManifestSpec manifest;
  manifest.c = format::CUse::InPlace;
  open(manifest);
  fp8gemm_gemm_args args = goodArgs();
  const char *wanted = "expected 'c' to be 'd' (the same pointer and strides), since kernel 'gemm_test' adds";
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, wanted);
  args.c = {args.d.data, 4104};
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, wanted);
  args.c = args.d;
  EXPECT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
}

TEST_F(Gemm, AKernelWithoutCTakesNone) {
  open();
  expectBadArgs([](fp8gemm_gemm_args &args) { args.c = args.d; },
                "expected 'c' to be null, since kernel 'gemm_test' takes none");
}

} // namespace
