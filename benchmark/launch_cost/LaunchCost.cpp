// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's cost of a launch through the C API, compared with a bare cuLaunchKernelEx with the same
// parameters and attributes: `launch-cost PACK`; --help. Needs libcuda and nothing else.

#include "Launch.h"
#include "Seal.h"
#include "Session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>

using namespace fp8gemm;
using namespace fp8gemm::launchcost;

namespace {

constexpr char kHelp[] =
    "usage: launch-cost PACK [--problem=I] [--m=M] [--loops=L] [--limit=NS] [--seal]\n"
    "Times launches of problem I of the pack's ungrouped ones without C (0) with M rows (64): L loops (200)\n"
    "of 100 launches each, all ways of launching in turns, and waits for the GPU between loops.\n"
    "With --seal the kernel of the system ends the program where, after the pack is loaded, it or the driver would\n"
    "open a file or start a process. With --limit the exit status is 1 where a launch costs more than NS above a bare "
    "one.\n";
constexpr int kLaunches = 100, kSets = 64;

struct Options {
  const char *pack = nullptr;
  size_t problem = 0;
  int64_t m = 64;
  int loops = 200;
  double limit = 0;
  bool seal = false;
};

using Clock = std::chrono::steady_clock;
double nanoseconds(Clock::time_point from) {
  return std::chrono::duration<double, std::nano>(Clock::now() - from).count();
}

/// A way of launching, or a part of it.
struct Way {
  const char *name;
  std::function<void(int)> call;
  std::vector<double> times; ///< of a call, of each loop

  double at(double quantile) const { return times[size_t(quantile * double(times.size() - 1))]; }
};

Options parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    auto value = [&](const char *name) { return argument.rfind(name, 0) == 0 ? argv[i] + std::strlen(name) : nullptr; };
    if (argument == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (const char *problem = value("--problem=")) {
      options.problem = size_t(std::atoll(problem));
    } else if (const char *m = value("--m=")) {
      options.m = std::atoll(m);
    } else if (const char *loops = value("--loops=")) {
      options.loops = std::max(std::atoi(loops), 1);
    } else if (const char *limit = value("--limit=")) {
      options.limit = std::atof(limit);
    } else if (argument == "--seal") {
      options.seal = true;
    } else if (!options.pack && argument[0] != '-') {
      options.pack = argv[i];
    } else {
      die("expected a pack and options, got '" + argument + "'; see --help");
    }
  }
  if (!options.pack)
    die("expected a pack; see --help");
  return options;
}

fp8gemm_kernel_info infoOf(const fp8gemm_kernel *kernel) {
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  require(fp8gemm_kernel_get_info(kernel, &info));
  return info;
}

fp8gemm_kernel *find(const Session &session, const fp8gemm_problem &problem, int64_t m) {
  fp8gemm_kernel *kernel = fp8gemm_pack_find(session.pack, &problem, m);
  if (!kernel)
    die(fp8gemm_last_error());
  return kernel;
}

/// Whole launches, bare first, then what they consist of.
std::vector<Way> waysOf(Session &session, const fp8gemm_problem &problem, fp8gemm_kernel *kernel,
                        const std::vector<fp8gemm_gemm_args> &operands, runtime::Launch &bare) {
  runtime::Call call = runtime::makeCall(*kernel, operands[0]);
  require(runtime::checkCall(call));
  require(runtime::prepare(*kernel, call, session.cu, session.stream, bare));
  auto launch = [&session, kernel](const fp8gemm_gemm_args &args) {
    require(fp8gemm_gemm(kernel, &args, session.stream));
  };
  return {
      {"bare cuLaunchKernelEx, parameters ready",
       [&](int) {
         session.check(session.cu.launchKernelEx(&bare.config, bare.function, bare.params, nullptr),
                       "cuLaunchKernelEx");
       },
       {}},
      {"fp8gemm_gemm, one set of operands", [=, &operands](int) { launch(operands[0]); }, {}},
      {"fp8gemm_gemm, 64 sets in turn", [=, &operands](int i) { launch(operands[size_t(i) % kSets]); }, {}},
      {"fp8gemm_pack_find, fp8gemm_gemm, one set",
       [=, &session, &operands](int) {
         require(fp8gemm_gemm(find(session, problem, operands[0].m), &operands[0], session.stream));
       },
       {}},
      {"fp8gemm_gemm, all maps but B's are new",
       [=, &operands, step = size_t(0)](int) mutable {
         fp8gemm_gemm_args args = operands[step % kSets];
         args.m -= int64_t(step++ / kSets) % args.m; // more combinations than are kept
         launch(args);
       },
       {}},
      {"fp8gemm_gemm, without the driver's launch",
       [=, &session, &operands](int) {
         runtime::Launch launch;
         runtime::Call call = runtime::makeCall(*kernel, operands[0]);
         require(runtime::checkCall(call));
         require(runtime::prepare(*kernel, call, session.cu, session.stream, launch));
       },
       {}},
  };
}

/// Calls of the driver that a launch is made of, one by one.
std::vector<Way> driverCalls(const Session &session, const fp8gemm_gemm_args &args, int64_t k) {
  const cuda::Driver &cu = session.cu;
  return {
      {"cuCtxGetDevice",
       [&](int) {
         cuda::CUdevice device;
         session.check(cu.ctxGetDevice(&device), "cuCtxGetDevice");
       },
       {}},
      {"cuCtxGetCurrent",
       [&](int) {
         cuda::CUcontext context;
         session.check(cu.ctxGetCurrent(&context), "cuCtxGetCurrent");
       },
       {}},
      {"cuStreamGetCtx",
       [&](int) {
         cuda::CUcontext context;
         session.check(cu.streamGetCtx(session.stream, &context), "cuStreamGetCtx");
       },
       {}},
      {"cuTensorMapEncodeTiled",
       [&, k](int) {
         cuda::CUtensorMap map;
         const uint64_t extents[] = {uint64_t(k), uint64_t(args.m)}, strides[] = {uint64_t(args.a.leading_dimension)};
         const uint32_t box[] = {128, 64}, steps[] = {1, 1};
         session.check(cu.tensorMapEncodeTiled(&map, cuda::CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, args.a.data, extents,
                                               strides, box, steps, cuda::CU_TENSOR_MAP_INTERLEAVE_NONE,
                                               cuda::CU_TENSOR_MAP_SWIZZLE_128B, cuda::CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                               cuda::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
                       "cuTensorMapEncodeTiled");
       },
       {}},
  };
}

/// All ways in turns, so that what else the machine does is the same for all.
void measure(const Session &session, std::vector<Way> &ways, int loops) {
  for (int loop = -5; loop < loops; ++loop) // the first ones warm up
    for (Way &way : ways) {
      auto start = Clock::now();
      for (int i = 0; i < kLaunches; ++i)
        way.call(i);
      double time = nanoseconds(start) / kLaunches;
      session.wait();
      if (loop >= 0)
        way.times.push_back(time);
    }
  for (Way &way : ways)
    std::sort(way.times.begin(), way.times.end());
}

/// Against the first of them, where `compare` is set.
void print(const std::vector<Way> &ways, bool compare) {
  for (const Way &way : ways) {
    std::printf("%-44s %8.0f %8.0f %8.0f", way.name, way.at(0.5), way.at(0.1), way.at(0.9));
    if (compare && &way != &ways[0])
      std::printf(" %+8.0f", way.at(0.5) - ways[0].at(0.5));
    std::printf("\n");
  }
}

/// A kernel that was loaded, but never launched, and operands for it.
struct Fresh {
  fp8gemm_kernel *kernel;
  fp8gemm_gemm_args args;
};

/// Some of each problem's.
std::vector<Fresh> findFresh(Session &session, const std::vector<fp8gemm_problem> &problems) {
  std::vector<Fresh> found;
  for (const fp8gemm_problem &problem : problems)
    for (int64_t m : {1, 64, 256, 1024}) {
      fp8gemm_kernel *kernel = find(session, problem, m);
      auto isKnown = [&](const Fresh &fresh) { return fresh.kernel == kernel; };
      if (found.size() < 32 && std::none_of(found.begin(), found.end(), isKnown))
        found.push_back({kernel, session.makeOperands(infoOf(kernel), m, 1)[0]});
    }
  return found;
}

void printFirstCalls(const Session &session, const std::vector<Fresh> &kernels) {
  std::vector<double> times;
  for (const Fresh &fresh : kernels) {
    auto start = Clock::now();
    require(fp8gemm_gemm(fresh.kernel, &fresh.args, session.stream));
    times.push_back(nanoseconds(start) / 1000);
    session.wait();
  }
  std::printf("first call of the process after loading the pack: %.1f us\n", times[0]);
  times.erase(times.begin());
  if (!times.empty())
    std::printf("first calls of %zu more kernels: %.1f us on average, %.1f us at most\n", times.size(),
                std::accumulate(times.begin(), times.end(), 0.0) / double(times.size()),
                *std::max_element(times.begin(), times.end()));
}

} // namespace

int main(int argc, char **argv) {
  const Options options = parse(argc, argv);
  Session session(options.pack);
  const auto problems = session.problems();
  if (options.problem >= problems.size())
    die("expected one of the pack's " + std::to_string(problems.size()) + " ungrouped problems without C");
  const fp8gemm_problem &problem = problems[options.problem];
  fp8gemm_kernel *kernel = find(session, problem, options.m);
  const fp8gemm_kernel_info info = infoOf(kernel);
  std::printf("%s; %s; M = %lld, N = %lld, K = %lld; %s\n", session.gpu.c_str(), info.name,
              static_cast<long long>(options.m), static_cast<long long>(info.n), static_cast<long long>(info.k),
              info.config);
  auto operands = session.makeOperands(info, options.m, kSets);
  const auto fresh = findFresh(session, problems);
  std::fflush(stdout);
  if (int error = options.seal ? fp8gemm_seal() : 0)
    die(std::string("--seal: ") + std::strerror(error));
  printFirstCalls(session, fresh);
  std::printf("\nns of host time a call; %d loops of %d calls\n%-44s %8s %8s %8s %8s\n", options.loops, kLaunches, "",
              "median", "10 %", "90 %", "- bare");
  bool tooSlow = false;
  for (uint32_t flags : {0u, FP8GEMM_DEPENDENT_LAUNCH}) {
    if (flags && !info.dependent_launch)
      continue;
    std::printf(flags ? "with FP8GEMM_DEPENDENT_LAUNCH\n" : "");
    for (fp8gemm_gemm_args &args : operands)
      args.flags = flags;
    runtime::Launch bare;
    auto ways = waysOf(session, problem, kernel, operands, bare);
    measure(session, ways, options.loops);
    print(ways, /*compare=*/true);
    for (size_t way : {1, 2, 3})
      tooSlow |= options.limit > 0 && ways[way].at(0.5) - ways[0].at(0.5) > options.limit;
  }
  auto calls = driverCalls(session, operands[0], info.k);
  measure(session, calls, options.loops);
  std::printf("the driver's part\n");
  print(calls, /*compare=*/false);
  if (options.seal)
    std::printf("sealed: no file was opened and no process started since the pack was loaded\n");
  return tooSlow;
}
