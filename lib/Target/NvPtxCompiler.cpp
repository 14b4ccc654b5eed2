// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NvPtxCompiler.h"

#include "llvm/ADT/Twine.h"

#include <memory>
#include <nvPTXCompiler.h>

using namespace llvm;

namespace fp8gemm::target {

namespace {

struct Destroy {
  void operator()(nvPTXCompiler *compiler) const { nvPTXCompilerDestroy(&compiler); }
};
using Compiler = std::unique_ptr<nvPTXCompiler, Destroy>;

Error failed(const char *call, nvPTXCompileResult result) {
  return createStringError(Twine(call) + " failed with nvPTXCompileResult " + Twine(int(result)));
}

using GetSize = nvPTXCompileResult (*)(nvPTXCompilerHandle, size_t *);
template <typename Char> using GetBytes = nvPTXCompileResult (*)(nvPTXCompilerHandle, Char *);

/// An output of the compiler, through the two calls that return it; empty if there is none.
template <typename Char> std::string get(const Compiler &compiler, GetSize getSize, GetBytes<Char> getBytes) {
  size_t size = 0;
  if (getSize(compiler.get(), &size) != NVPTXCOMPILE_SUCCESS)
    return {};
  std::string bytes(size + 1, '\0'); // logs end in a null byte that their size does not count
  if (size == 0 || getBytes(compiler.get(), bytes.data()) != NVPTXCOMPILE_SUCCESS)
    return {};
  bytes.resize(size);
  return bytes;
}

} // namespace

Expected<std::string> nvPtxCompilerVersion() {
  unsigned major = 0, minor = 0;
  if (nvPTXCompileResult result = nvPTXCompilerGetVersion(&major, &minor); result != NVPTXCOMPILE_SUCCESS)
    return failed("nvPTXCompilerGetVersion", result);
  return std::to_string(major) + "." + std::to_string(minor);
}

Expected<Cubin> assembleInProcess(StringRef ptx, const PtxasOptions &options) {
  Expected<std::string> version = nvPtxCompilerVersion();
  if (!version)
    return version.takeError();
  const std::string text = ptx.str(), chip = "--gpu-name=" + options.chip; // end in a null byte
  nvPTXCompilerHandle handle = nullptr;
  if (nvPTXCompileResult result = nvPTXCompilerCreate(&handle, text.size(), text.c_str());
      result != NVPTXCOMPILE_SUCCESS)
    return failed("nvPTXCompilerCreate", result);
  Compiler compiler(handle);
  std::vector<const char *> arguments{"-v", "-O3", chip.c_str()};
  if (options.lineinfo)
    arguments.push_back("-lineinfo");
  if (nvPTXCompilerCompile(handle, int(arguments.size()), arguments.data()) != NVPTXCOMPILE_SUCCESS)
    return createStringError("nvPTXCompiler failed:\n" +
                             get<char>(compiler, nvPTXCompilerGetErrorLogSize, nvPTXCompilerGetErrorLog));
  Cubin cubin{get<void>(compiler, nvPTXCompilerGetCompiledProgramSize, nvPTXCompilerGetCompiledProgram),
              parsePtxasReport(get<char>(compiler, nvPTXCompilerGetInfoLogSize, nvPTXCompilerGetInfoLog)), *version};
  if (cubin.bytes.empty())
    return createStringError("expected a cubin from nvPTXCompiler, got nothing");
  return cubin;
}

} // namespace fp8gemm::target
