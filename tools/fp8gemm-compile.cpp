// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compile/Options.h"

#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  fp8gemm::CompileOptions *options = fp8gemm::readCompileOptions(argc, argv);
  return options && fp8gemm::runCompileTool(*options) ? 0 : 1;
}
