// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Session.h"

#include <cstdio>
#include <cstdlib>

namespace fp8gemm::launchcost {

/// Bytes from one set of operands to the next: what cuMemAlloc aligns to, so that all sets are equal.
constexpr int64_t kSetStep = 256;

void die(const std::string &message) {
  std::fprintf(stderr, "launch-cost: %s\n", message.c_str());
  std::exit(2);
}

void require(fp8gemm_status status) {
  if (status != FP8GEMM_OK)
    die(fp8gemm_last_error());
}

static const cuda::Driver &getDriver() {
  std::string error;
  const cuda::Driver *driver = cuda::Driver::get(error);
  if (!driver)
    die(error);
  return *driver;
}

void Session::check(cuda::CUresult result, const char *call) const {
  if (result != cuda::CUDA_SUCCESS)
    die(cu.describe(result, call));
}

Session::Session(const char *packPath) : cu(getDriver()) {
  require(fp8gemm_pack_open(packPath, &pack));
  std::string error;
  if (!tools.load(cu, error))
    die(error);
  cuda::CUdevice device = 0;
  cuda::CUcontext context = nullptr;
  check(tools.deviceGet(&device, 0), "cuDeviceGet");
  check(tools.primaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
  check(tools.ctxSetCurrent(context), "cuCtxSetCurrent");
  check(tools.streamCreate(&stream, 0), "cuStreamCreate");
  char name[128] = "";
  check(cu.deviceGetName(name, sizeof(name), device), "cuDeviceGetName");
  gpu = name;
  require(fp8gemm_pack_load(pack, nullptr, 0));
}

std::vector<fp8gemm_problem> Session::problems() const {
  std::vector<fp8gemm_problem> found;
  for (size_t i = 0; i < fp8gemm_pack_problem_count(pack); ++i) {
    fp8gemm_problem problem{};
    problem.size = sizeof(problem);
    require(fp8gemm_pack_get_problem(pack, i, &problem));
    if (problem.grouping == FP8GEMM_NO_GROUPS && problem.c_use == FP8GEMM_NO_C)
      found.push_back(problem);
  }
  return found;
}

fp8gemm_matrix Session::allocate(int64_t rows, int64_t columns, int elementBytes, int sets) {
  int64_t leading = (columns * elementBytes + 15) / 16 * 16 / elementBytes;
  size_t bytes = size_t(rows * leading * elementBytes + (sets - 1) * kSetStep);
  cuda::CUdeviceptr pointer = 0;
  check(tools.memAlloc(&pointer, bytes), "cuMemAlloc"); // until the end of the process
  check(tools.memsetD8Async(pointer, 0, bytes, stream), "cuMemsetD8Async");
  return {reinterpret_cast<void *>(pointer), leading};
}

std::vector<fp8gemm_gemm_args> Session::makeOperands(const fp8gemm_kernel_info &info, int64_t m, int sets) {
  int64_t k = info.k, blocks = (k + 127) / 128, blockRows = (info.n + info.sfb_block_rows - 1) / info.sfb_block_rows;
  auto scales = [&](int64_t rows, fp8gemm_scale_layout layout) {
    return layout == FP8GEMM_K_MAJOR ? allocate(rows, blocks, 4, sets) : allocate(blocks, rows, 4, sets);
  };
  fp8gemm_gemm_args args{};
  args.size = sizeof(args);
  args.m = m;
  args.a = allocate(m, k, 1, sets);
  args.sfa = scales(m, info.sfa_layout);
  args.b = allocate(info.n, k, 1, sets);
  args.sfb = scales(blockRows, info.sfb_layout);
  args.d = allocate(m, info.n, info.d_type == FP8GEMM_F32 ? 4 : 2, sets);
  std::vector<fp8gemm_gemm_args> all;
  for (int set = 0; set < sets; ++set) {
    all.push_back(args);
    for (fp8gemm_matrix *matrix : {&args.a, &args.sfa, &args.b, &args.sfb, &args.d})
      matrix->data = static_cast<char *>(matrix->data) + kSetStep;
  }
  wait();
  return all;
}

} // namespace fp8gemm::launchcost
