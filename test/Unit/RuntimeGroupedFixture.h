// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of grouped products, and arguments that suit them.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMEGROUPEDFIXTURE_H
#define FP8GEMM_TEST_UNIT_RUNTIMEGROUPEDFIXTURE_H

#include "RuntimeGemmFixture.h"

namespace fp8gemm::test {

class Grouped : public Gemm {
protected:
  void open(const ManifestSpec &spec) {
    CubinSpec cubin;
    cubin.paramBytes.clear();
    for (const ParamSpec &param : spec.params)
      cubin.paramBytes.push_back(format::detail::bytesOf(param.kind));
    fake().paramBytes = cubin.paramBytes;
    fake().maps.clear();
    opened = spec.grouping;
    Gemm::open(spec, cubin);
  }

  /// 1000 rows, of each group where A has groups; of KCount 1024 columns.
  fp8gemm_grouped_gemm_args arguments(format::Grouping grouping) const {
    using format::Grouping;
    fp8gemm_grouped_gemm_args args = {};
    args.size = sizeof(args);
    args.m = 1000;
    bool alongK = grouping == Grouping::KCount, each = grouping == Grouping::RowCount || grouping == Grouping::Batched;
    args.k = alongK ? 1024 : 0;
    args.a = {address(0x1'0000'0000), alongK ? 2048 : 256, each ? 256 * 1000 : 0};
    args.sfa = {address(0x2'0000'0000), 1024, each ? 2048 : 0};
    args.b = {address(0x3'0000'0000), alongK ? 2048 : 272, alongK ? 0 : 272 * 512};
    args.sfb = {address(0x4'0000'0000), alongK ? 16 : 2, alongK ? 0 : 8};
    args.d = {address(0x5'0000'0000), 512, each || alongK ? 512 * 1000 : 0};
    args.groups = static_cast<const int32_t *>(grouping == Grouping::Batched ? nullptr : address(0x6'0000'0000));
    return args;
  }
  fp8gemm_grouped_gemm_args arguments() const { return arguments(opened); }

  fp8gemm_status launch(const fp8gemm_grouped_gemm_args &args) { return fp8gemm_grouped_gemm(kernel, &args, nullptr); }

  void refuse(const fp8gemm_grouped_gemm_args &args, const std::string &part) {
    size_t before = fake().launches.size();
    expect(launch(args), FP8GEMM_INVALID_ARGUMENT, part);
    EXPECT_EQ(fake().launches.size(), before);
  }

  fp8gemm_grouped_gemm_args checked(const std::vector<int32_t> &groups) const {
    auto args = arguments();
    args.groups = groups.data(); // device memory of the fake driver is the host's
    args.flags = FP8GEMM_CHECK_GROUPS;
    return args;
  }
  void acceptGroups(const std::vector<int32_t> &groups) {
    EXPECT_EQ(launch(checked(groups)), FP8GEMM_OK) << fp8gemm_last_error();
  }
  void refuseGroups(const std::vector<int32_t> &groups, const std::string &part) {
    refuse(checked(groups), part);
    // Without the flag it is the kernel's to be safe.
    auto args = checked(groups);
    args.flags = 0;
    EXPECT_EQ(launch(args), FP8GEMM_OK) << fp8gemm_last_error();
  }

  static void expectMap(const FakeMap &map, const void *data, std::vector<uint64_t> extents,
                        std::vector<uint64_t> strides, std::vector<uint32_t> box) {
    EXPECT_EQ(map.address, data);
    EXPECT_EQ(map.extents, extents);
    EXPECT_EQ(map.strides, strides);
    EXPECT_EQ(map.box, box);
    EXPECT_EQ(map.elementStrides, std::vector<uint32_t>(extents.size(), 1));
  }

  format::Grouping opened = format::Grouping::None;
};

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMEGROUPEDFIXTURE_H
