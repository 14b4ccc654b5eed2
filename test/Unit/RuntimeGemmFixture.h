// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel, arguments that suit it, and the fake driver that launches it.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMEGEMMFIXTURE_H
#define FP8GEMM_TEST_UNIT_RUNTIMEGEMMFIXTURE_H

#include "RuntimeFakeDriver.h"
#include "RuntimeTestKernel.h"
#include "fp8gemm/runtime.h"

#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>

namespace fp8gemm::test {

inline FakeCuda &fake() {
  static FakeCuda *state = [] {
    setenv("FP8GEMM_LIBCUDA", FP8GEMM_FAKE_LIBCUDA, 1);
    void *library = dlopen(FP8GEMM_FAKE_LIBCUDA, RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "fakeCuda"))();
  }();
  return *state;
}

inline void *address(uintptr_t value) { return reinterpret_cast<void *>(value); }
inline cuda::CUstream stream(uintptr_t value) { return reinterpret_cast<cuda::CUstream>(value); }
inline cuda::CUcontext context(uintptr_t value) { return reinterpret_cast<cuda::CUcontext>(value); }

/// n = 4096, k = 7168: see ManifestSpec.
inline fp8gemm_gemm_args goodArgs(int64_t m = 1000) {
  return {sizeof(fp8gemm_gemm_args),
          m,
          {address(0x1'0000'0000), 7168},
          {address(0x2'0000'0000), 1024},
          {address(0x3'0000'0000), 7184},
          {address(0x4'0000'0000), 56},
          {nullptr, 0},
          {address(0x5'0000'0000), 4096},
          /*num_sms=*/0,
          /*flags=*/0,
          /*bias=*/nullptr,
          /*row_scale=*/nullptr,
          /*sfd=*/{nullptr, 0}};
}

class Gemm : public testing::Test {
protected:
  void SetUp() override {
    fake() = FakeCuda();
    fake().paramBytes = CubinSpec().paramBytes;
  }
  void TearDown() override { fp8gemm_kernel_close(kernel); }

  void open(const ManifestSpec &manifest = {}, const CubinSpec &cubin = {}) {
    fp8gemm_kernel_close(kernel);
    kernel = nullptr;
    std::string bytes = makeKernelFile(manifest, cubin);
    ASSERT_EQ(fp8gemm_kernel_open_memory(bytes.data(), bytes.size(), &kernel), FP8GEMM_OK) << fp8gemm_last_error();
  }

  void expect(fp8gemm_status status, fp8gemm_status wanted, const std::string &part) {
    EXPECT_EQ(status, wanted);
    EXPECT_NE(std::string(fp8gemm_last_error()).find(part), std::string::npos) << "got: " << fp8gemm_last_error();
  }

  template <typename Change> void expectBadArgs(Change change, const std::string &part) {
    fp8gemm_gemm_args args = goodArgs();
    change(args);
    expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, part);
    EXPECT_TRUE(fake().launches.empty());
  }

  fp8gemm_status run(int64_t m = 1000, cuda::CUstream on = nullptr) {
    fp8gemm_gemm_args args = goodArgs(m);
    return fp8gemm_gemm(kernel, &args, on);
  }

  fp8gemm_kernel *kernel = nullptr;
};

template <typename T> T as(const std::string &bytes) {
  T value;
  EXPECT_GE(bytes.size(), sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMEGEMMFIXTURE_H
