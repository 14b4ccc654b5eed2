// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compile/Options.h"

#include "llvm/Support/InitLLVM.h"

#include <csignal>

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error like a full disk
  fp8gemm::CompileOptions *options = fp8gemm::readCompileOptions(argc, argv);
  return options && fp8gemm::runCompileTool(*options) ? 0 : 1;
}
