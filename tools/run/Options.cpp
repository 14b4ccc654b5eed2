// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

#include <charconv>
#include <stdexcept>

namespace fp8gemm::run {

const char *const kUsage =
    R"(usage: fp8gemm-run KERNEL [options]

Runs a kernel made by fp8gemm-compile on random operands.

  --m=N          rows of A and D; required if the kernel serves any M
  --device=gpu   launch the kernel (compute capability 9.0); the default if there is such a GPU
  --device=cpu   compute the kernel's problem on the CPU, through linalg, instead
  --device=sim   simulate the schedule of a KERNEL.mlir at the hopper level (fp8gemm-compile --emit=hopper): every wait,
                 every access to shared memory, and D against float64 (docs/Simulator.md)
  --check        compare D with a float64 reference, element by element (docs/Numerics.md)
  --bench        median time of 12 launches, each with a cold L2
  --seed=N       seed of the operands (1)
  --pad=BYTES    lengthen the rows of every operand, a multiple of 16 (0)
  --watchdog=S   give up if the GPU or the simulation is not done after S seconds (60; 0: wait forever), and report which
                 role waits for what if the kernel was compiled with --debug-rings (docs/Debugging.md), or the progress of
                 the simulation
  --json         print one JSON object
  --help         this text
  --version      the versions of this tool and of LLVM

KERNEL is a file, or - for standard input.

EXAMPLES:
  fp8gemm-run gemm.cubin --m=4096 --check --bench              # on a GPU
  fp8gemm-run gemm.cubin --m=4 --device=cpu --check
  fp8gemm-run - --m=4 --device=cpu --check --json <gemm.cubin
  fp8gemm-run gemm.hopper.mlir --m=256 --device=sim

Exit status: 0 the check held (or none was asked for), 1 it did not, 2 any other error.
)";

template <typename T> static T parseNumber(const std::string &option, const std::string &value, T least, T most) {
  T number{};
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least || number > most)
    throw std::runtime_error("expected " + option + "=N, an integer from " + std::to_string(least) + " to " +
                             std::to_string(most) + ", got '" + value + "'");
  return number;
}

Options parseOptions(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "-" || argument.rfind("-", 0) != 0) {
      if (!options.kernel.empty())
        throw std::runtime_error("expected one kernel file, got '" + options.kernel + "' and '" + argument + "'");
      options.kernel = argument;
      continue;
    }
    size_t equals = argument.find('=');
    std::string name = argument.substr(0, equals);
    if (name.rfind("--", 0) != 0)
      name = "-" + name;
    bool *flag = name == "--check"     ? &options.check
                 : name == "--bench"   ? &options.bench
                 : name == "--json"    ? &options.json
                 : name == "--help"    ? &options.help
                 : name == "--version" ? &options.version
                                       : nullptr;
    if (flag) {
      if (equals != std::string::npos)
        throw std::runtime_error("expected " + name + " without a value, got '" + argument + "'");
      *flag = true;
      continue;
    }
    bool known = name == "--m" || name == "--device" || name == "--seed" || name == "--pad" ||
                 name == "--watchdog";
    if (!known)
      throw std::runtime_error("unknown option '" + argument + "'; see fp8gemm-run --help");
    if (equals == std::string::npos && i + 1 == argc)
      throw std::runtime_error("expected a value after " + name);
    std::string value = equals == std::string::npos ? argv[++i] : argument.substr(equals + 1);
    if (name == "--m") {
      options.m = parseNumber<int64_t>(name, value, 0, INT32_MAX);
    } else if (name == "--seed") {
      options.seed = parseNumber<uint64_t>(name, value, 0, UINT64_MAX);
    } else if (name == "--watchdog") {
      options.watchdog = parseNumber<uint32_t>(name, value, 0, UINT32_MAX);
    } else if (name == "--pad") {
      // Below 2^40, what TMA takes.
      options.pad = parseNumber<int64_t>(name, value, 0, (int64_t(1) << 40) - 16);
      if (options.pad % 16 != 0)
        throw std::runtime_error("expected --pad to be a multiple of 16 bytes, got " + value);
    } else if (value == "gpu" || value == "cpu" || value == "sim") {
      options.device = value;
    } else {
      throw std::runtime_error("expected --device=gpu, cpu or sim, got '" + value + "'");
    }
  }
  if (options.kernel.empty() && !options.help && !options.version)
    throw std::runtime_error("expected a kernel file; see fp8gemm-run --help");
  return options;
}

} // namespace fp8gemm::run
