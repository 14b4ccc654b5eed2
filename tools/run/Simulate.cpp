// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulate.h"

#include "Report.h"
#include "fp8gemm/Simulator/Library.h"

#include <cinttypes>
#include <cstdio>
#include <dlfcn.h>
#include <stdexcept>
#include <vector>

namespace fp8gemm::run {

static void printText(const Options &options, const fp8gemm_sim_result &result, bool held, const char *message) {
  std::printf("kernel   %s\ndevice   sim: the hopper level, interleaved at random\n", result.kernel);
  if (!held) {
    std::printf("check    FAILED with seed %" PRIu64 "\n%s\n", options.seed, message);
    return;
  }
  std::printf("problem  m = %" PRId64 ", n = %" PRId64 ", k = %" PRId64 "; random data, seed %" PRIu64 "; %" PRId64
              " clusters\n",
              result.m, result.n, result.k, options.seed, result.clusters);
  std::printf("check    held: %" PRId64 " elements against float64, the worst error %.3f of its bound\n",
              result.elements, result.worst_error_over_bound);
  std::printf("         no wait without end, no access out of order; %" PRId64 " padding elements kept their bits\n",
              result.untouched);
}

static void printJson(const Options &options, const fp8gemm_sim_result &result, bool held, const char *message) {
  std::printf("{\"kernel\": %s, \"device\": \"sim\", \"seed\": %" PRIu64 ", \"held\": %s",
              quoted(result.kernel).c_str(), options.seed, held ? "true" : "false");
  if (held)
    std::printf(", \"m\": %" PRId64 ", \"n\": %" PRId64 ", \"k\": %" PRId64 ", \"clusters\": %" PRId64
                ", \"elements\": %" PRId64 ", \"untouched\": %" PRId64 ", \"worst_error_over_bound\": %.6g}\n",
                result.m, result.n, result.k, result.clusters, result.elements, result.untouched,
                result.worst_error_over_bound);
  else
    std::printf(", \"message\": %s}\n", quoted(message).c_str());
}

bool simulate(const Options &options) {
  if (options.bench)
    throw std::runtime_error("--bench times a GPU kernel, and there is none with --device=sim");
  void *library = dlopen("libfp8gemm_sim.so", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw std::runtime_error(std::string("--device=sim needs the compiler's libfp8gemm_sim.so: ") + dlerror());
  auto function = reinterpret_cast<decltype(&fp8gemm_simulate)>(dlsym(library, "fp8gemm_simulate"));
  if (!function)
    throw std::runtime_error(std::string("libfp8gemm_sim.so: ") + dlerror());
  fp8gemm_sim_args args{options.kernel.c_str(), options.m.value_or(-1), options.pad, options.seed, options.watchdog};
  fp8gemm_sim_result result{};
  std::vector<char> message(1 << 16);
  int status = function(&args, &result, message.data(), message.size());
  if (status == 2 || status == 3)
    throw std::runtime_error(message.data());
  (options.json ? printJson : printText)(options, result, status == 0, message.data());
  return status == 0;
}

} // namespace fp8gemm::run
