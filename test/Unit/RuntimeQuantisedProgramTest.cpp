// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantised D of a compiled program: its scales are copied back, too.

#include "RuntimeGemmFixture.h"
#include "RuntimeQuantisedKernel.h"
#include "RuntimeTestPack.h"
#include "fp8gemm/program.h"

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::Grouping;
using format::Operand;
using format::ScaleOfD;

namespace {

/// M = 5, N = 256 and K = 128, with scales of D in host memory.
TEST(QuantisedProgram, ScalesAreCopiedBack) {
  fake() = FakeCuda();
  fake().paramBytes.clear();
  ManifestSpec spec = quantised(Grouping::None, ScaleOfD::KMajor);
  spec.n = 256, spec.k = 128;
  std::string contents = makeMatchingKernelFile(spec);
  fp8gemm_program_file file{contents.data(), contents.size(), nullptr, 0, nullptr};
  fp8gemm_problem problem{};
  problem.size = sizeof(problem);
  problem.n = 256, problem.k = 128, problem.groups = 1;
  problem.d_type = FP8GEMM_E4M3, problem.sfd_layout = FP8GEMM_SFD_K_MAJOR;
  problem.sfb_block_rows = 128, problem.sfa_layout = FP8GEMM_MN_MAJOR;

  struct MemRef {
    const void *allocated, *aligned;
    int64_t offset, sizes[2], strides[2];
  };
  std::vector<uint8_t> a(5 * 128), b(256 * 128), d(5 * 256);
  std::vector<float> sfa(8), sfb(2), sfd(5 * 2 + 1, -1);
  auto matrix = [](auto &data, int64_t rows, int64_t columns) {
    return MemRef{data.data(), data.data(), 0, {rows, columns}, {columns, 1}};
  };
  MemRef am = matrix(a, 5, 128), sfam = matrix(sfa, 1, 8), bm = matrix(b, 256, 128), sfbm = matrix(sfb, 2, 1),
         dm = matrix(d, 5, 256), sfdm = matrix(sfd, 5, 2);
  const void *operands[format::kOperandCount] = {};
  for (auto [operand, memref] : {std::pair(Operand::A, &am), {Operand::ScaleA, &sfam}, {Operand::B, &bm},
                                 {Operand::ScaleB, &sfbm}, {Operand::D, &dm}, {Operand::ScaleD, &sfdm}})
    operands[size_t(operand)] = memref;
  auto run = [&] { return fp8gemm_program_run_operands(&file, &problem, 0, operands, format::kOperandCount); };
  fake().kernel = [](void **params) {
    auto *scales = *static_cast<float **>(params[7]);
    int64_t leading = *static_cast<int64_t *>(params[8]);
    for (int64_t row = 0; row < 5; ++row)
      for (int64_t block = 0; block < 2; ++block)
        scales[row * leading + block] = float(10 * row + block);
  };
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_program_last_error();
  EXPECT_EQ(sfd, (std::vector<float>{0, 1, 10, 11, 20, 21, 30, 31, 40, 41, -1}));

  auto refuse = [&](const std::string &part) {
    EXPECT_EQ(run(), FP8GEMM_INVALID_ARGUMENT);
    EXPECT_NE(std::string(fp8gemm_program_last_error()).find(part), std::string::npos) << fp8gemm_program_last_error();
  };
  sfdm.sizes[0] = 4;
  refuse("expected 'sfd' to have 5 rows, got 4");
  sfdm.sizes[0] = 5, sfdm.sizes[1] = 1;
  refuse("expected 'sfd' to have 2 blocks of columns, got 1");
  operands[size_t(Operand::ScaleD)] = nullptr;
  refuse("expected operand 'sfd', got a null pointer");
}

} // namespace
