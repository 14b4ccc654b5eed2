// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CApi.h"
#include "Execute.h"
#include "Gpu.h"

#include "fp8gemm/Execution/Execution.h"
#include "fp8gemm/runtime.h"

#include <cmath>
#include <dlfcn.h>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace fp8gemm::run {

static void require(fp8gemm_status status) {
  if (status != FP8GEMM_OK)
    throw std::runtime_error(fp8gemm_last_error());
}

/// A system that promises more memory than it has would end the program, not refuse.
static void requireMemory(const Problem &problem, int64_t padBytes) {
  double m = double(problem.m), n = double(problem.n), k = double(problem.k), pad = double(padBytes);
  double blocks = double(problem.kBlocks()), blocksOfB = std::ceil(n / double(problem.sfbRows));
  auto scales = [&](bool mnMajor, double rows) {
    return mnMajor ? blocks * (4 * rows + pad) : rows * (4 * blocks + pad);
  };
  double needed = (m + n) * (k + pad) + scales(problem.sfaMnMajor, m) + scales(problem.sfbMnMajor, blocksOfB) +
                  m * (n * (problem.dIsF32 ? 4 : 2) + pad) * (problem.hasC ? 2 : 1);
  double present = double(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  if (needed > present)
    throw std::runtime_error("expected operands that fit this machine's " + std::to_string(int64_t(present * 1e-9)) +
                             " GB of memory, got " + std::to_string(int64_t(needed * 1e-9)) + " GB");
}

/// The CPU's side needs MLIR, so it is loaded only on demand: a GPU machine
/// needs only this program and libfp8gemm_runtime.so.
static void runOnCpu(Problem &problem) {
  void *library = dlopen("libfp8gemm_cpu.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw std::runtime_error(std::string("--device=cpu needs the compiler's libfp8gemm_cpu.so.0: ") + dlerror());
  auto gemm = reinterpret_cast<decltype(&fp8gemm_cpu_gemm)>(dlsym(library, "fp8gemm_cpu_gemm"));
  if (!gemm)
    throw std::runtime_error(std::string("libfp8gemm_cpu.so.0: ") + dlerror());
  auto matrix = [](Matrix &matrix) { return fp8gemm_cpu_matrix{matrix.row<void>(0), matrix.leadingDimension, 0}; };
  auto layout = [](bool mnMajor) { return mnMajor ? FP8GEMM_CPU_MN_MAJOR : FP8GEMM_CPU_K_MAJOR; };
  fp8gemm_cpu_problem call{};
  call.m = problem.m, call.n = problem.n, call.k = problem.k;
  auto type = [](F8 type) { return type == F8::E4m3 ? FP8GEMM_CPU_E4M3 : FP8GEMM_CPU_E5M2; };
  call.a_type = type(problem.aType), call.b_type = type(problem.bType);
  call.d_type = problem.dIsF32 ? FP8GEMM_CPU_F32 : FP8GEMM_CPU_BF16;
  call.sfb_block_rows = int32_t(problem.sfbRows);
  call.sfa_layout = layout(problem.sfaMnMajor), call.sfb_layout = layout(problem.sfbMnMajor);
  call.a = matrix(problem.a), call.sfa = matrix(problem.sfa);
  call.b = matrix(problem.b), call.sfb = matrix(problem.sfb);
  call.d = matrix(problem.d);
  if (problem.hasC)
    call.c = problem.inPlace ? call.d : matrix(problem.c);
  char message[1024] = "";
  if (gemm(&call, 0, message, sizeof(message)) != 0)
    throw std::runtime_error(message);
}

/// The known waits of a kernel that hangs, as an addition to an error.
static std::string explainHang(fp8gemm_kernel *kernel, const fp8gemm_kernel_info &info) {
  if (!info.wait_limit_ns)
    return "\nkernel '" + std::string(info.name) +
           "' was compiled without --debug-rings; compile it with that option to learn who waits for what";
  const char *report = fp8gemm_kernel_ring_report(kernel);
  if (!report)
    return std::string("\n") + fp8gemm_last_error();
  if (!*report)
    return "\nno warp waited at a ring for more than " + std::to_string(info.wait_limit_ns / 1000000) +
           " ms: if it hangs, then elsewhere, such as at a named or cluster barrier";
  std::string text = std::string("\n") + report;
  text.pop_back(); // the end of its last line
  return text;
}

/// Launches twice if the result is checked, and times the kernel on request.
static void runOnGpu(Gpu &gpu, fp8gemm_kernel *kernel, Problem &problem, const Options &options, Report &report) {
  auto matrix = [&](Matrix &matrix) { return fp8gemm_matrix{gpu.upload(matrix), matrix.leadingDimension}; };
  fp8gemm_gemm_args args{};
  args.size = sizeof(args), args.m = problem.m;
  args.a = matrix(problem.a), args.sfa = matrix(problem.sfa);
  args.b = matrix(problem.b), args.sfb = matrix(problem.sfb);
  args.d = matrix(problem.d);
  if (problem.hasC)
    args.c = problem.inPlace ? args.d : matrix(problem.c);
  auto launch = [&](cuda::CUstream stream) { require(fp8gemm_gemm(kernel, &args, stream)); };
  require(fp8gemm_kernel_load(kernel));
  if (options.bench) {
    report.microseconds = gpu.time(12, launch);
    report.hostMicroseconds = gpu.timeHost(launch);
  }

  // After the timing, so that what was timed is what is checked.
  auto compute = [&] {
    gpu.upload(problem.d, problem.dBefore);
    gpu.run(launch);
    gpu.download(problem.d, problem.d);
  };
  compute();
  if (!options.check)
    return;
  const Matrix first = problem.d;
  compute();
  report.repeated = true;
  report.differentElements = first.countDifferentElements(problem.d);
  std::vector<Matrix *> inputs{&problem.a, &problem.sfa, &problem.b, &problem.sfb};
  if (problem.hasC && !problem.inPlace)
    inputs.push_back(&problem.c);
  for (Matrix *input : inputs) {
    Matrix now = *input;
    gpu.download(*input, now);
    for (size_t i = 0; i < now.bytes.size(); ++i)
      report.inputDamage += now.bytes[i] != input->bytes[i];
  }
}

/// The kernel of a file; "-" is standard input.
static fp8gemm_kernel *open(const std::string &path) {
  fp8gemm_kernel *kernel = nullptr;
  if (path == "-") {
    std::string bytes(std::istreambuf_iterator<char>(std::cin), {});
    require(fp8gemm_kernel_open_memory(bytes.data(), bytes.size(), &kernel));
  } else {
    require(fp8gemm_kernel_open(path.c_str(), &kernel));
  }
  return kernel;
}

Report execute(const Options &options) {
  fp8gemm_kernel *opened = open(options.kernel);
  std::unique_ptr<fp8gemm_kernel, decltype(&fp8gemm_kernel_close)> kernel(opened, fp8gemm_kernel_close);
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  require(fp8gemm_kernel_get_info(opened, &info));
  if (info.x_type != FP8GEMM_NO_X)
    throw std::runtime_error("expected a kernel of one product, got '" + std::string(info.name) +
                             "' of a quantisation; launch it with fp8gemm_quantize");
  if (info.grouping != FP8GEMM_NO_GROUPS)
    throw std::runtime_error("expected a kernel of one product, got '" + std::string(info.name) +
                             "' of a grouped one; launch it with fp8gemm_grouped_gemm");
  for (const format::OperandRow &row : format::kOperands)
    if (isOptionalVector(row) && has(format::readProblem(info), row))
      throw std::runtime_error("expected a kernel without a " + std::string(row.name) +
                               ", which this tool does not make, got '" + info.name +
                               "'; try --device=sim with its hopper IR, or launch it with fp8gemm_gemm");
  for (const char *name : {"gated", "activation", "sfd"}) // of which the reference knows nothing
    if (const format::Field &field = *format::findField(name); get(format::readProblem(info), field) != 0)
      throw std::runtime_error("expected a kernel of C + A * B^T, got '" + std::string(info.name) + "' with " + name + " = " +
                               print(field, get(format::readProblem(info), field)) +
                               "; try --device=sim with its hopper IR, or launch it with fp8gemm_gemm");
  if (!options.m && info.m < 0)
    throw std::runtime_error("expected --m=N: kernel '" + std::string(info.name) + "' serves any M");
  if (options.m && info.m >= 0 && *options.m != info.m)
    throw std::runtime_error("expected --m=" + std::to_string(info.m) + ", the only one that kernel '" + info.name +
                             "' was compiled for, got " + std::to_string(*options.m));

  Report report;
  std::unique_ptr<Gpu> gpu;
  if (options.device != "cpu") {
    try {
      gpu = std::make_unique<Gpu>(options.watchdog);
      require(fp8gemm_kernel_load(opened));
      report.device = gpu->name;
    } catch (const std::runtime_error &error) {
      if (options.device == "gpu")
        throw;
      gpu.reset();
      std::string why = error.what();
      report.device = "through linalg, since no GPU can run it (" + why.substr(0, why.find("; ")) + ")";
    }
  } else {
    report.device = "through linalg";
  }
  if (options.bench && !gpu)
    throw std::runtime_error("--bench times the GPU kernel, but runs on the CPU: " + report.device);

  Problem problem;
  problem.m = options.m.value_or(info.m);
  problem.n = info.n;
  problem.k = info.k;
  auto f8 = [](fp8gemm_type type) { return type == FP8GEMM_E4M3 ? F8::E4m3 : F8::E5m2; };
  problem.aType = f8(info.a_type);
  problem.bType = f8(info.b_type);
  problem.dIsF32 = info.d_type == FP8GEMM_F32;
  problem.hasC = info.c_use != FP8GEMM_NO_C;
  problem.inPlace = info.c_use == FP8GEMM_C_IN_PLACE;
  problem.sfbRows = info.sfb_block_rows;
  problem.sfaMnMajor = info.sfa_layout == FP8GEMM_MN_MAJOR;
  problem.sfbMnMajor = info.sfb_layout == FP8GEMM_MN_MAJOR;
  requireMemory(problem, options.pad);
  problem.fill(options.pad, options.seed);
  report.kernel = info.name;
  report.config = info.config;
  report.onGpu = gpu != nullptr;
  report.m = problem.m;
  report.n = problem.n;
  report.k = problem.k;
  report.pad = options.pad;
  report.seed = options.seed;
  if (gpu)
    try {
      runOnGpu(*gpu, opened, problem, options, report);
    } catch (const Hang &hang) {
      // To free anything would wait for the kernel.
      (void)gpu.release();
      (void)kernel.release();
      throw Hang(hang.what() + explainHang(opened, info));
    } catch (const std::runtime_error &error) {
      const char *reports = info.wait_limit_ns ? fp8gemm_kernel_ring_report(opened) : nullptr;
      throw std::runtime_error(error.what() + (reports && *reports ? explainHang(opened, info) : ""));
    }
  else
    runOnCpu(problem);
  if (options.check)
    report.check = check(problem, options.seed);
  return report;
}

} // namespace fp8gemm::run
