// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/program.h"

#include "CApi.h"
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

using format::bitOf;

static_assert(FP8GEMM_PROGRAM_A == bitOf(format::Operand::A) && FP8GEMM_PROGRAM_SFA == bitOf(format::Operand::ScaleA) &&
              FP8GEMM_PROGRAM_B == bitOf(format::Operand::B) && FP8GEMM_PROGRAM_SFB == bitOf(format::Operand::ScaleB) &&
              FP8GEMM_PROGRAM_GROUPS == bitOf(format::Operand::Groups) &&
              FP8GEMM_PROGRAM_C == bitOf(format::Operand::C) && FP8GEMM_PROGRAM_D == bitOf(format::Operand::D) &&
              FP8GEMM_PROGRAM_BIAS == bitOf(format::Operand::Bias) &&
              FP8GEMM_PROGRAM_ROW_SCALE == bitOf(format::Operand::RowScale) &&
              FP8GEMM_PROGRAM_SFD == bitOf(format::Operand::ScaleD));

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
  format::Problem ofKernel = format::readProblem(kernel), ofOperation = format::fromC(problem);
  ofKernel.m = ofOperation.m;
  ofKernel.batchInvariant = ofOperation.batchInvariant;
  const format::Problem has = relevant(ofKernel), needed = relevant(ofOperation);
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

template <typename Args> Args argumentsOf(const Operands &on) {
  Args args{};
  args.size = sizeof(args);
  args.m = on.m;
  for (const format::ArgumentPlace &place : format::Arguments<Args>::kPlaces)
    if (const Operand &operand = on[place.operand])
      format::writeArgument(args, place, {operand.data, operand.rowStride, operand.groupStride});
  return args;
}

void launch(fp8gemm_kernel *kernel, const Operands &on, cuda::CUstream stream) {
  auto args = argumentsOf<fp8gemm_gemm_args>(on);
  require(fp8gemm_gemm(kernel, &args, stream));
}

void launchGrouped(fp8gemm_kernel *kernel, const Operands &on, Device &device, size_t workspace,
                   cuda::CUstream stream) {
  auto args = argumentsOf<fp8gemm_grouped_gemm_args>(on);
  args.k = on.k;
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
  const format::GroupingSet own = setOf(format::fromC(problem));
  auto isWritten = [&](size_t i) { return (format::kOperands[i].writtenBy & own) != 0; };
  Operands on = operands;
  bool waits = false, inPlace = problem.c_use == FP8GEMM_C_IN_PLACE;
  for (size_t i = 0; i < format::kOperandCount; ++i) {
    const Operand &operand = operands.all[i];
    on.all[i] = device.place(operand);
    if (!isWritten(i) || inPlace || factsOf(problem).keepsRows)
      device.upload(operand, on.all[i]);
    waits |= operand && !operand.onDevice;
  }
  if (inPlace)
    on[format::Operand::C] = on[format::Operand::D];

  if (problem.grouping == FP8GEMM_NO_GROUPS)
    launch(kernel, on, thisThread.stream);
  else
    launchGrouped(kernel, on, device, info.workspace_bytes, thisThread.stream);
  for (size_t i = 0; i < format::kOperandCount; ++i)
    if (isWritten(i))
      device.download(on.all[i], operands.all[i]);
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

int32_t fp8gemm_program_run_operands(fp8gemm_program_file *file, const fp8gemm_problem *problem,
                                     uint32_t device_operands, const void *const *operands, uint32_t count) {
  try {
    if (!file || !problem || (!operands && count != 0))
      return failed(FP8GEMM_INVALID_ARGUMENT, "expected a file, a problem and operands, got a null pointer");
    const fp8gemm_problem known = readProblem(*problem);
    run(*file, known, Operands(known, device_operands, operands, count));
    return FP8GEMM_OK;
  } catch (const Failure &failure) {
    return failed(failure.status, failure.what());
  } catch (const std::exception &error) {
    return failed(FP8GEMM_OUT_OF_MEMORY, error.what());
  }
}

int32_t fp8gemm_program_run(fp8gemm_program_file *file, const fp8gemm_problem *problem, uint32_t device_operands,
                            const void *a, const void *sfa, const void *b, const void *sfb, const void *groups,
                            const void *c, const void *d, const void *bias) {
  const void *operands[] = {a, sfa, b, sfb, groups, c, d, bias};
  return fp8gemm_program_run_operands(file, problem, device_operands, operands, std::size(operands));
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
