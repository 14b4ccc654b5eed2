// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Inspect.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  fp8gemm::InspectOptions options;
  cl::OptionCategory category("fp8gemm-inspect");
  cl::opt<std::string, true> pack(cl::Positional, cl::Required, cl::desc("MODEL.fp8pack"), cl::location(options.pack),
                                  cl::cat(category));
  cl::opt<bool, true> json("json", cl::desc("for programs"), cl::location(options.json), cl::cat(category));
  cl::opt<std::string, true> extract("extract",
                                     cl::desc("write its kernel files, as fp8gemm-compile makes them, instead"),
                                     cl::value_desc("folder"), cl::location(options.extract), cl::cat(category));
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "tells what is in a pack: plans, kernels, resources, versions\n");
  return fp8gemm::inspect(options) ? 0 : 1;
}
