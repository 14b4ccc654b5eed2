// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tool.h"

#include "fp8gemm/Pack/Inspect.h"
#include "llvm/Support/InitLLVM.h"

#include <csignal>

using namespace llvm;

static constexpr const char kExamples[] = R"(
EXAMPLES:
  fp8gemm-inspect model.fp8pack                                # which kernel serves which M, and what it needs
  fp8gemm-inspect - --json <gemm.cubin
  fp8gemm-inspect model.fp8pack --extract=kernels              # kernel files, as fp8gemm-run takes them
  fp8gemm-inspect model.fp8pack --object=model.o --c-header=model.h
)";

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error like a full disk
  fp8gemm::InspectOptions options;
  cl::OptionCategory category("fp8gemm-inspect");
  cl::opt<std::string, true> pack(cl::Positional, cl::desc("MODEL.fp8pack or KERNEL.cubin; - for stdin"),
                                  cl::location(options.pack), cl::cat(category));
  cl::opt<bool, true> json("json", cl::desc("print JSON, for programs"), cl::location(options.json), cl::cat(category));
  cl::opt<std::string, true> extract("extract",
                                     cl::desc("write its kernel files, as fp8gemm-compile makes them, instead"),
                                     cl::value_desc("folder"), cl::location(options.extract), cl::cat(category));
  cl::opt<std::string, true> object("object",
                                    cl::desc("write an object file for this machine with the pack as a constant"),
                                    cl::value_desc("file.o"), cl::location(options.object), cl::cat(category));
  cl::opt<std::string, true> cHeader("c-header", cl::desc("write a C header that declares it"),
                                     cl::value_desc("file.h"), cl::location(options.cHeader), cl::cat(category));
  cl::opt<std::string, true> symbol("symbol",
                                    cl::desc("its name (default: that of the pack's file, with _ for - and .)"),
                                    cl::value_desc("name"), cl::location(options.symbol), cl::cat(category));
  fp8gemm::startTool(category);
  cl::extrahelp help(kExamples);
  fp8gemm::readCommandLine(
      argc, argv,
      "prints the contents of a pack or kernel file: plans, kernels, resources, versions; or turns a pack into other "
      "files\n");
  if (options.pack.empty() && fp8gemm::toolError("expected MODEL.fp8pack or KERNEL.cubin, got none"))
    return 1;
  return fp8gemm::runInspectTool(options) ? 0 : 1;
}
