// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm-run: runs a kernel on random operands, checks it and times it.

#include "Version.h"
#include "run/Execute.h"
#include "run/Gpu.h"
#include "run/Simulate.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>

using namespace fp8gemm::run;

/// Whether all that was printed has arrived.
static void finishOutput() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    throw std::runtime_error(std::string("cannot write '<stdout>': ") + std::strerror(errno));
}

int main(int argc, char **argv) {
  std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error like a full disk
  try {
    Options options = parseOptions(argc, argv);
    bool held = true;
    if (options.help) {
      std::fputs(kUsage, stdout);
    } else if (options.version) {
      std::fputs(fp8gemm::versionText("fp8gemm-run").c_str(), stdout);
    } else if (options.device == "sim") {
      held = simulate(options);
    } else {
      Report report = execute(options);
      options.json ? report.printJson() : report.printText();
      held = report.held();
    }
    finishOutput();
    return held ? 0 : 1;
  } catch (const Hang &hang) {
    std::fprintf(stderr, "fp8gemm-run: error: %s\n", hang.what());
    std::_Exit(2); // nothing is left that waits for the kernel
  } catch (const std::exception &error) {
    std::fprintf(stderr, "fp8gemm-run: error: %s\n", error.what());
    return 2;
  }
}
