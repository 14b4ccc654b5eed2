// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Target/CudaTools.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace fp8gemm::target {

const char *const kToolSearchOrder = "$CUDA_PATH/bin, $PATH, then $FP8GEMM_VENV/bin (a virtual environment; "
                                     "default: " FP8GEMM_DEFAULT_VENV ")";

namespace {

template <typename... Parts> Error makeError(const Parts &...parts) {
  std::string message;
  raw_string_ostream os(message);
  (os << ... << parts);
  return createStringError(inconvertibleErrorCode(), message);
}

/// A new temporary file, removed with this object and when the process is killed.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef suffix) {
    error = fs::createTemporaryFile("fp8gemm", suffix, name);
    if (!error)
      sys::RemoveFileOnSignal(name);
  }
  ~TemporaryFile() {
    if (error)
      return;
    fs::remove(name);
    sys::DontRemoveFileOnSignal(name);
  }
  TemporaryFile(const TemporaryFile &) = delete;

  std::error_code write(StringRef bytes) {
    if (error)
      return error;
    std::error_code failure;
    raw_fd_ostream os(name, failure);
    os << bytes;
    os.close();
    if (os.has_error())
      failure = os.error();
    os.clear_error();
    return failure;
  }
  std::string read() const {
    auto buffer = MemoryBuffer::getFile(name);
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }

  SmallString<128> name;
  std::error_code error;
};

struct RunResult {
  int exitCode;
  std::string output; ///< stdout and stderr
};

Expected<RunResult> run(StringRef program, ArrayRef<StringRef> arguments) {
  TemporaryFile log("log");
  if (log.error)
    return makeError("cannot make a temporary file: ", log.error.message());
  SmallVector<StringRef> argv{program};
  argv.append(arguments.begin(), arguments.end());
  std::string failure;
  StringRef output(log.name);
  // stdin from /dev/null; stdout and stderr to one file.
  int code = sys::ExecuteAndWait(program, argv, std::nullopt, {StringRef(""), output, output}, 0, 0, &failure);
  if (code < 0)
    return makeError("cannot run '", program, "': ", failure.empty() ? "it was killed" : failure);
  return RunResult{code, log.read()};
}

/// "13.0.88" of `ptxas --version`.
Expected<std::string> toolVersion(StringRef program) {
  Expected<RunResult> result = run(program, {"--version"});
  if (!result)
    return result.takeError();
  StringRef version =
      StringRef(result->output).split(", V").second.take_while([](char c) { return isDigit(c) || c == '.'; });
  if (result->exitCode != 0 || version.empty())
    return makeError("expected '", program, " --version' to tell its version, got '",
                     StringRef(result->output).trim().split('\n').first, "'");
  return version.str();
}

/// The integer before `unit` in `line`, e.g. 168 of "Used 168 registers, ...".
int64_t numberBefore(StringRef line, StringRef unit) {
  size_t at = line.find(unit);
  if (at == StringRef::npos)
    return 0;
  StringRef head = line.take_front(at).rtrim();
  size_t begin = head.find_last_not_of("0123456789");
  int64_t value = 0;
  head.drop_front(begin == StringRef::npos ? 0 : begin + 1).getAsInteger(10, value);
  return value;
}

} // namespace

Expected<std::string> findTool(StringRef name, StringRef given) {
  if (!given.empty()) {
    if (fs::can_execute(given) && !fs::is_directory(given))
      return given.str();
    return makeError("expected the path of ", name, ", got '", given, "', which is not an executable file");
  }
  auto inDirectory = [&](StringRef root) -> std::string {
    SmallString<128> tool(root);
    path::append(tool, "bin", name);
    return fs::can_execute(tool) ? tool.str().str() : "";
  };
  if (auto cuda = sys::Process::GetEnv("CUDA_PATH"))
    if (std::string tool = inDirectory(*cuda); !tool.empty())
      return tool;
  if (ErrorOr<std::string> tool = sys::findProgramByName(name))
    return *tool;
  std::string venv = sys::Process::GetEnv("FP8GEMM_VENV").value_or(FP8GEMM_DEFAULT_VENV);
  if (std::string tool = inDirectory(venv); !tool.empty())
    return tool;
  return makeError("expected ", name, " in ", kToolSearchOrder,
                   ", got none; run scripts/setup.sh, or install the CUDA toolkit and set CUDA_PATH");
}

ResourceUsage parsePtxasReport(StringRef report) {
  ResourceUsage usage;
  SmallVector<StringRef> lines;
  report.split(lines, '\n');
  for (StringRef line : lines) {
    usage.registers = std::max(usage.registers, numberBefore(line, " registers"));
    usage.stackBytes =
        std::max({usage.stackBytes, numberBefore(line, " bytes stack frame"),
                  numberBefore(line, " bytes cumulative stack size"), numberBefore(line, " bytes lmem")});
    usage.spillStoreBytes = std::max(usage.spillStoreBytes, numberBefore(line, " bytes spill stores"));
    usage.spillLoadBytes = std::max(usage.spillLoadBytes, numberBefore(line, " bytes spill loads"));
    usage.staticSmemBytes = std::max(usage.staticSmemBytes, numberBefore(line, " bytes smem"));
    // C75xx come as "info" from some versions of ptxas and as "warning" from others.
    if (line.contains("(C75"))
      usage.performance.push_back(line.drop_front(line.find("(C75")).trim().str());
    else if (line.contains("warning"))
      usage.warnings.push_back(line.trim().str());
  }
  return usage;
}

Expected<std::string> ptxasVersion(StringRef path) {
  Expected<std::string> ptxas = findTool("ptxas", path);
  return ptxas ? toolVersion(*ptxas) : ptxas.takeError();
}

Expected<Cubin> assemble(StringRef ptx, const PtxasOptions &options) {
  Expected<std::string> ptxas = findTool("ptxas", options.path);
  if (!ptxas)
    return ptxas.takeError();
  Expected<std::string> version = toolVersion(*ptxas);
  if (!version)
    return version.takeError();

  TemporaryFile input("ptx"), output("cubin");
  std::error_code failure = output.error ? output.error : input.write(ptx);
  if (failure)
    return makeError("cannot write PTX to a temporary file: ", failure.message());
  SmallVector<StringRef> arguments{"-v", "-O3", "--gpu-name", options.chip};
  if (options.lineinfo)
    arguments.push_back("-lineinfo");
  arguments.append({StringRef("-o"), output.name, input.name});
  Expected<RunResult> result = run(*ptxas, arguments);
  if (!result)
    return result.takeError();
  if (result->exitCode != 0)
    return makeError("'", *ptxas, "' failed with exit code ", result->exitCode, ":\n",
                     StringRef(result->output).trim());
  Cubin cubin{output.read(), parsePtxasReport(result->output), *version};
  if (cubin.bytes.empty())
    return makeError("expected a cubin from '", *ptxas, "', got an empty file");
  return cubin;
}

Expected<std::string> disassemble(StringRef cubin) {
  SmallVector<StringRef> arguments{"--print-code", "--print-line-info"};
  Expected<std::string> tool = findTool("nvdisasm");
  if (!tool) {
    consumeError(tool.takeError());
    arguments = {"--dump-sass"};
    tool = findTool("cuobjdump");
  }
  if (!tool) {
    consumeError(tool.takeError());
    return makeError("expected nvdisasm or cuobjdump in ", kToolSearchOrder,
                     ", got neither; install the CUDA toolkit and set CUDA_PATH, or nvidia-cuda-nvdisasm "
                     "(PyPI) into that environment");
  }
  TemporaryFile input("cubin");
  if (std::error_code failure = input.write(cubin))
    return makeError("cannot write a temporary file: ", failure.message());
  arguments.push_back(input.name);
  Expected<RunResult> result = run(*tool, arguments);
  if (!result)
    return result.takeError();
  if (result->exitCode != 0)
    return makeError("'", *tool, "' failed:\n", StringRef(result->output).trim());
  return std::move(result->output);
}

} // namespace fp8gemm::target
