// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer against the readers of kernel files and packs, and against what is done with a file that they
// accept: descriptions, plans, launches on a driver that does nothing. RuntimeFuzzTest runs it for some
// seconds; for longer: RuntimeFuzz fuzz-corpus -max_total_time=600
//
// An input is a byte that says how it is taken, and a file. Most have their hashes mended first (RuntimeMend.h).

#include "RuntimeMend.h"
#include "fp8gemm/runtime.h"

#include <cstdlib>
#include <memory>

using namespace fp8gemm::test;

enum Mode : uint8_t { IsPack = 1, IsMended = 2 };

/// Launches it with operands that may do for it.
static void launch(fp8gemm_kernel *kernel) {
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  if (fp8gemm_kernel_get_info(kernel, &info))
    std::abort();
  int64_t m = info.m < 0 ? 100 : info.m, k = info.k < 0 ? 4096 : info.k;
  uintptr_t place = 0;
  auto operand = [&](int64_t rows, int64_t columns) {
    int64_t leading = (columns + 15) / 16 * 16;
    return fp8gemm_tensor{reinterpret_cast<void *>(++place << 44), leading, rows * leading};
  };
  auto scales = [&](int64_t rows, fp8gemm_scale_layout layout) {
    int64_t blocks = k / 128 + 1;
    return layout == FP8GEMM_K_MAJOR ? operand(rows, blocks) : operand(blocks, rows);
  };
  fp8gemm_grouped_gemm_args args{};
  args.size = sizeof(args);
  args.m = m;
  args.k = k;
  args.a = operand(m, k);
  args.sfa = scales(m, info.sfa_layout);
  args.b = operand(info.n, k);
  args.sfb = scales(info.n, info.sfb_layout);
  args.d = operand(m, info.n);
  if (info.c_use != FP8GEMM_NO_C)
    args.c = info.c_use == FP8GEMM_C_IN_PLACE ? args.d : operand(m, info.n);
  if (info.grouping != FP8GEMM_BATCHED)
    args.groups = reinterpret_cast<int32_t *>(++place << 44);
  args.workspace = reinterpret_cast<void *>(++place << 44);
  args.workspace_bytes = info.workspace_bytes;
  args.flags = info.dependent_launch ? FP8GEMM_DEPENDENT_LAUNCH : 0;
  if (info.grouping != FP8GEMM_NO_GROUPS) {
    fp8gemm_grouped_gemm(kernel, &args, nullptr);
    return;
  }
  auto matrix = [](const fp8gemm_tensor &tensor) { return fp8gemm_matrix{tensor.data, tensor.leading_dimension}; };
  fp8gemm_gemm_args single{
      sizeof(single), m,         matrix(args.a), matrix(args.sfa), matrix(args.b), matrix(args.sfb), matrix(args.c),
      matrix(args.d),
      /*num_sms=*/16, args.flags};
  fp8gemm_gemm(kernel, &single, nullptr);
  if ((fp8gemm_kernel_ring_report(kernel) != nullptr) != (info.wait_limit_ns != 0))
    std::abort();
}

/// The only way to refuse a file is to say what is wrong with it. Other statuses come of exceptions.
static bool accepted(fp8gemm_status status) {
  if (status != FP8GEMM_OK && status != FP8GEMM_INVALID_FILE)
    std::abort();
  return status == FP8GEMM_OK;
}

static void useKernelFile(const uint8_t *bytes, size_t size) {
  fp8gemm_kernel *kernel = nullptr;
  if (!accepted(fp8gemm_kernel_open_memory(bytes, size, &kernel)))
    return;
  launch(kernel);
  fp8gemm_kernel_close(kernel);
}

static void usePack(const uint8_t *bytes, size_t size) {
  fp8gemm_pack *pack = nullptr;
  if (!accepted(fp8gemm_pack_open_memory(bytes, size, &pack)))
    return;
  for (size_t i = 0; i < fp8gemm_pack_problem_count(pack); ++i) {
    fp8gemm_problem problem{};
    problem.size = sizeof(problem);
    if (fp8gemm_pack_get_problem(pack, i, &problem))
      std::abort();
    // Every M has a kernel.
    for (int64_t m : {int64_t(0), int64_t(1), int64_t(64), int64_t(2049), INT64_MAX}) {
      fp8gemm_kernel *kernel = fp8gemm_pack_find(pack, &problem, m);
      if (!kernel)
        std::abort();
      launch(kernel);
    }
  }
  fp8gemm_pack_load(pack, nullptr, 0);
  fp8gemm_pack_close(pack);
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  setenv("FP8GEMM_LIBCUDA", FP8GEMM_NULL_DRIVER, 1);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t inputSize) {
  if (inputSize < 2)
    return 0;
  // Of the file's size exactly, so that a read beyond its end is detected; new aligns to 16, as packs want.
  size_t size = inputSize - 1;
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[size]);
  std::memcpy(bytes.get(), input + 1, size);
  if (input[0] & IsMended)
    (input[0] & IsPack ? mendPack : mendKernelFile)(bytes.get(), size);
  (input[0] & IsPack ? usePack : useKernelFile)(bytes.get(), size);
  return 0;
}
