// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm-run: runs a kernel on random operands, checks it and times it.

#include "Version.h"
#include "run/Execute.h"
#include "run/Gpu.h"
#include "run/Simulate.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

using namespace fp8gemm::run;

int main(int argc, char **argv) {
  try {
    Options options = parseOptions(argc, argv);
    if (options.help) {
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (options.version) {
      std::fputs(fp8gemm::versionText("fp8gemm-run").c_str(), stdout);
      return 0;
    }
    if (options.device == "sim")
      return simulate(options) ? 0 : 1;
    Report report = execute(options);
    options.json ? report.printJson() : report.printText();
    return report.held() ? 0 : 1;
  } catch (const Hang &hang) {
    std::fprintf(stderr, "fp8gemm-run: error: %s\n", hang.what());
    std::_Exit(2); // nothing is left that waits for the kernel
  } catch (const std::exception &error) {
    std::fprintf(stderr, "fp8gemm-run: error: %s\n", error.what());
    return 2;
  }
}
