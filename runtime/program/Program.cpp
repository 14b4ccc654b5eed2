// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/program.h"

#include "Device.h"
#include "Operands.h"
#include "Program.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace fp8gemm;
using namespace fp8gemm::program;

static_assert(FP8GEMM_PROGRAM_A == int(format::kA) && FP8GEMM_PROGRAM_SFA == int(format::kSfa) &&
              FP8GEMM_PROGRAM_B == int(format::kB) && FP8GEMM_PROGRAM_SFB == int(format::kSfb) &&
              FP8GEMM_PROGRAM_GROUPS == int(format::kGroups) && FP8GEMM_PROGRAM_C == int(format::kC) &&
              FP8GEMM_PROGRAM_D == int(format::kD));

namespace {

struct Thread {
  std::string message;
  cuda::CUstream stream = nullptr;
  fp8gemm_program_handler handler = nullptr;
  void *context = nullptr;
};
thread_local Thread thisThread;

void require(fp8gemm_status status) {
  if (status != FP8GEMM_OK)
    throw Failure(status, fp8gemm_last_error());
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

void *open(const fp8gemm_program_file &file) {
  if (!file.bytes && !file.path)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, "expected a file's bytes or its path, got neither");
  if (file.is_pack) {
    fp8gemm_pack *pack = nullptr;
    require(file.bytes ? fp8gemm_pack_open_memory(file.bytes, file.size, &pack) : fp8gemm_pack_open(file.path, &pack));
    return pack;
  }
  fp8gemm_kernel *kernel = nullptr;
  require(file.bytes ? fp8gemm_kernel_open_memory(file.bytes, file.size, &kernel)
                     : fp8gemm_kernel_open(file.path, &kernel));
  return kernel;
}

void *openOnce(fp8gemm_program_file &file) {
  void *opened = __atomic_load_n(&file.opened, __ATOMIC_ACQUIRE);
  if (opened)
    return opened;
  static std::mutex opening;
  std::lock_guard<std::mutex> lock(opening);
  opened = __atomic_load_n(&file.opened, __ATOMIC_RELAXED);
  if (!opened) {
    opened = open(file);
    __atomic_store_n(&file.opened, opened, __ATOMIC_RELEASE);
  }
  return opened;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A program whose operation was changed after its kernel was compiled must not run it.
void checkProblem(const fp8gemm_kernel_info &kernel, const fp8gemm_problem &problem) {
  if (kernel.x_type != FP8GEMM_NO_X)
    throw Failure(FP8GEMM_INVALID_ARGUMENT,
                  std::string("expected a kernel of a product, got '") + kernel.name + "' of a quantisation");
  fp8gemm_problem ofKernel = problem;
  ofKernel.n = kernel.n, ofKernel.k = kernel.k;
  ofKernel.a_type = kernel.a_type, ofKernel.b_type = kernel.b_type, ofKernel.d_type = kernel.d_type;
  ofKernel.c_use = kernel.c_use, ofKernel.sfb_block_rows = kernel.sfb_block_rows;
  ofKernel.sfa_layout = kernel.sfa_layout, ofKernel.sfb_layout = kernel.sfb_layout;
  ofKernel.grouping = kernel.grouping, ofKernel.groups = kernel.groups;
  ofKernel.group_align = kernel.group_align, ofKernel.flat = kernel.flat, ofKernel.bias = kernel.bias;
  const format::Problem has = relevant(format::fromC(ofKernel)), needed = relevant(format::fromC(problem));
  for (const format::Field &field : format::kFields)
    if (int64_t value = get(has, field), wanted = get(needed, field); value != wanted)
      throw Failure(FP8GEMM_INVALID_ARGUMENT, std::string("expected a kernel for the operation's ") + field.name +
                                                  " = " + print(field, wanted) + ", got '" + kernel.name + "' for " +
                                                  print(field, value));
}

/// The pack's kernel for so many rows.
fp8gemm_kernel *find(fp8gemm_pack *pack, const fp8gemm_problem &problem, int64_t m) {
  int64_t expected = factsOf(problem).isAligned ? (m + problem.groups - 1) / problem.groups : m;
  fp8gemm_kernel *kernel = fp8gemm_pack_find(pack, &problem, expected);
  if (!kernel && isAlongK(problem) && problem.k != -1 && fp8gemm_last_status() == FP8GEMM_NOT_IN_PACK) {
    fp8gemm_problem anyK = problem; // serves this K, too
    anyK.k = -1;
    kernel = fp8gemm_pack_find(pack, &anyK, expected);
  }
  if (!kernel)
    throw Failure(fp8gemm_last_status(), fp8gemm_last_error());
  return kernel;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

fp8gemm_matrix matrix(const Operand &operand) { return {operand.data, operand.rowStride}; }
fp8gemm_tensor tensor(const Operand &operand) { return {operand.data, operand.rowStride, operand.groupStride}; }

void launch(fp8gemm_kernel *kernel, const Operands &on, cuda::CUstream stream) {
  fp8gemm_gemm_args args{};
  args.size = sizeof(args);
  args.m = on.m;
  args.a = matrix(on.a), args.sfa = matrix(on.sfa), args.b = matrix(on.b), args.sfb = matrix(on.sfb);
  args.d = matrix(on.d);
  if (on.c)
    args.c = matrix(on.c);
  args.bias = on.bias.data;
  require(fp8gemm_gemm(kernel, &args, stream));
}

void launchGrouped(fp8gemm_kernel *kernel, const Operands &on, Device &device, size_t workspace,
                   cuda::CUstream stream) {
  fp8gemm_grouped_gemm_args args{};
  args.size = sizeof(args);
  args.m = on.m, args.k = on.k;
  args.a = tensor(on.a), args.sfa = tensor(on.sfa), args.b = tensor(on.b), args.sfb = tensor(on.sfb);
  args.d = tensor(on.d);
  if (on.c)
    args.c = tensor(on.c);
  args.bias = on.bias.data;
  args.groups = on.groups ? reinterpret_cast<const int32_t *>(on.groups.data) : nullptr;
  args.workspace = workspace ? device.allocate(workspace) : nullptr;
  args.workspace_bytes = workspace;
  require(fp8gemm_grouped_gemm(kernel, &args, stream));
}

void run(fp8gemm_program_file &file, const fp8gemm_problem &problem, const Operands &operands) {
  if (operands.m == 0)
    return;
  void *opened = openOnce(file);
  fp8gemm_kernel *kernel = file.is_pack ? find(static_cast<fp8gemm_pack *>(opened), problem, operands.m)
                                        : static_cast<fp8gemm_kernel *>(opened);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  require(fp8gemm_kernel_get_info(kernel, &info));
  if (!file.is_pack)
    checkProblem(info, problem);

  Device device(thisThread.stream);
  Operands on = operands;
  bool waits = false;
  for (auto operand :
       {&Operands::a, &Operands::sfa, &Operands::b, &Operands::sfb, &Operands::groups, &Operands::c, &Operands::bias}) {
    on.*operand = device.place(operands.*operand);
    device.upload(operands.*operand, on.*operand);
    waits |= operands.*operand && !(operands.*operand).onDevice;
  }
  on.d = device.place(operands.d);
  bool inPlace = problem.c_use == FP8GEMM_C_IN_PLACE;
  if (inPlace || factsOf(problem).keepsRows)
    device.upload(operands.d, on.d);
  if (inPlace)
    on.c = on.d;
  waits |= !operands.d.onDevice;

  if (problem.grouping == FP8GEMM_NO_GROUPS)
    launch(kernel, on, thisThread.stream);
  else
    launchGrouped(kernel, on, device, info.workspace_bytes, thisThread.stream);
  device.download(on.d, operands.d);
  if (waits)
    device.synchronize();
}

/// The problem of a program of any version, which may know fewer fields: those are 0, and only later ones.
fp8gemm_problem readProblem(const fp8gemm_problem &given) {
  fp8gemm_problem problem{};
  constexpr size_t kFirstSize = offsetof(fp8gemm_problem, x_type);
  if (given.size < kFirstSize || given.size > sizeof(problem))
    throw Failure(FP8GEMM_INVALID_ARGUMENT, "expected a problem of " + std::to_string(kFirstSize) + " to " +
                                                std::to_string(sizeof(problem)) + " bytes, got " +
                                                std::to_string(given.size) +
                                                "; use the libfp8gemm_program of the compiler's version or a later one");
  std::memcpy(&problem, &given, given.size);
  problem.size = sizeof(problem);
  if (problem.x_type != FP8GEMM_NO_X)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, "expected the problem of a product, got that of a quantisation");
  return problem;
}

int32_t failed(fp8gemm_status status, const char *message) {
  thisThread.message = message;
  return status;
}

} // namespace

extern "C" {

int32_t fp8gemm_program_run(fp8gemm_program_file *file, const fp8gemm_problem *problem, uint32_t device_operands,
                            const void *a, const void *sfa, const void *b, const void *sfb, const void *groups,
                            const void *c, const void *d, const void *bias) {
  try {
    if (!file || !problem)
      return failed(FP8GEMM_INVALID_ARGUMENT, "expected a file and a problem, got a null pointer");
    const fp8gemm_problem known = readProblem(*problem);
    run(*file, known, Operands(known, device_operands, a, sfa, b, sfb, groups, c, d, bias));
    return FP8GEMM_OK;
  } catch (const Failure &failure) {
    return failed(failure.status, failure.what());
  } catch (const std::exception &error) {
    return failed(FP8GEMM_OUT_OF_MEMORY, error.what());
  }
}

void fp8gemm_program_fail(int32_t status) {
  if (thisThread.handler)
    thisThread.handler(status, fp8gemm_program_last_error(), thisThread.context);
  std::fflush(stdout);
  std::fprintf(stderr, "error: %s\n", fp8gemm_program_last_error());
  std::exit(EXIT_FAILURE);
}

const char *fp8gemm_program_last_error(void) { return thisThread.message.c_str(); }

void fp8gemm_program_set_stream(CUstream_st *stream) { thisThread.stream = stream; }

void fp8gemm_program_set_handler(fp8gemm_program_handler handler, void *context) {
  thisThread.handler = handler;
  thisThread.context = context;
}

} // extern "C"
