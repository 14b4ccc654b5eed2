// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Target/CudaTools.h"

#include "ChildProcess.h"
#include "NvPtxCompiler.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

using namespace llvm;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace fp8gemm::target {

/// Packages have none.
static constexpr bool kHasDefaultVenv = sizeof(FP8GEMM_DEFAULT_VENV) > 1;

const char *const kToolSearchOrder =
    kHasDefaultVenv ? "$CUDA_PATH/bin, $PATH, $FP8GEMM_VENV/bin (a virtual environment; default: " FP8GEMM_DEFAULT_VENV
                      "), then /usr/local/cuda/bin"
                    : "$CUDA_PATH/bin, $PATH, $FP8GEMM_VENV/bin (a virtual environment), then /usr/local/cuda/bin";

/// The first CUDA toolkit whose ptxas knows PTX 8.6, the version that the kernels are written in (Ptx.cpp).
static constexpr unsigned kOldestMajor = 12, kOldestMinor = 8;
static constexpr const char *kOldest = "12.8";

namespace {

template <typename... Parts> Error makeError(const Parts &...parts) {
  std::string message;
  raw_string_ostream os(message);
  (os << ... << parts);
  return createStringError(inconvertibleErrorCode(), message);
}

/// Long for any ptxas, short for who has another program of that name.
constexpr unsigned kVersionSeconds = 10;

/// The part of a failed tool's output that is reported.
StringRef beginningOf(StringRef output) {
  constexpr size_t kMost = 4096;
  return output.trim().take_front(kMost);
}

Expected<std::string> askVersion(const std::string &program) {
  Child child{program, {"--version"}, {}, kVersionSeconds};
  if (Error error = child.run())
    return error;
  StringRef version =
      StringRef(child.output).split(", V").second.take_while([](char c) { return isDigit(c) || c == '.'; });
  if (child.exitCode != 0 || version.empty())
    return makeError("expected '", program, " --version' to tell its version, got '",
                     beginningOf(child.output).split('\n').first, "'");
  return version.str();
}

/// "13.0.88" of `ptxas --version`. Each program is asked once a process, and once more where another has taken its
/// place.
Expected<std::string> toolVersion(const std::string &program) {
  using Identity = std::tuple<std::string, fs::UniqueID, sys::TimePoint<>, uint64_t>;
  struct Answer {
    std::string version, error; ///< one of them
  };
  static std::mutex mutex;
  static std::map<Identity, Answer> known;
  fs::file_status status;
  if (std::error_code code = fs::status(program, status))
    return makeError("cannot run '", program, "': ", code.message());
  Identity identity(program, status.getUniqueID(), status.getLastModificationTime(), status.getSize());
  std::lock_guard<std::mutex> lock(mutex);
  auto [found, isNew] = known.try_emplace(std::move(identity));
  Answer &answer = found->second;
  if (isNew) {
    if (Expected<std::string> version = askVersion(program))
      answer.version = *version;
    else
      answer.error = toString(version.takeError());
  }
  if (!answer.error.empty())
    return makeError(answer.error);
  return answer.version;
}

bool isTooOld(StringRef version) {
  auto [major, rest] = version.split('.');
  unsigned numbers[2] = {0, 0};
  (void)major.getAsInteger(10, numbers[0]);
  (void)rest.split('.').first.getAsInteger(10, numbers[1]);
  return std::make_pair(numbers[0], numbers[1]) < std::make_pair(kOldestMajor, kOldestMinor);
}

/// All programs of that name where tools are looked for, in order.
std::vector<std::string> findAll(StringRef name) {
  std::vector<std::string> found;
  auto look = [&](StringRef folder) {
    SmallString<128> tool(folder);
    path::append(tool, name);
    if (!folder.empty() && fs::can_execute(tool))
      found.push_back(tool.str().str());
  };
  if (auto cuda = sys::Process::GetEnv("CUDA_PATH"); cuda && !cuda->empty())
    look(*cuda + "/bin");
  std::string all = sys::Process::GetEnv("PATH").value_or("");
  for (StringRef folder : split(all, ':'))
    look(folder);
  std::string venv = sys::Process::GetEnv("FP8GEMM_VENV").value_or(FP8GEMM_DEFAULT_VENV);
  look(venv.empty() ? "" : venv + "/bin");
  look("/usr/local/cuda/bin");
  return found;
}

Error notFound(StringRef what, StringRef got) {
  return makeError("expected ", what, " in ", kToolSearchOrder, ", got ", got, "; ",
                   kHasDefaultVenv ? "run scripts/setup.sh, or " : "", "install the CUDA toolkit and set CUDA_PATH");
}

struct Ptxas {
  std::string path, version;
};

/// The one that is given, else the first that is new enough: toolkits of other programs may come before it.
Expected<Ptxas> findPtxas(StringRef given) {
  if (!given.empty()) {
    Expected<std::string> path = findTool("ptxas", given);
    if (!path)
      return path.takeError();
    Expected<std::string> version = toolVersion(*path);
    if (!version)
      return version.takeError();
    if (isTooOld(*version))
      return makeError("expected ptxas of CUDA ", kOldest, " or later, which knows PTX 8.6, got ", *version, " at '",
                       *path, "'");
    return Ptxas{*path, *version};
  }
  std::string others;
  for (const std::string &path : findAll("ptxas")) {
    Expected<std::string> version = toolVersion(path);
    if (version && !isTooOld(*version))
      return Ptxas{path, *version};
    others += (others.empty() ? "" : ", ") + (version ? *version : std::string("no version")) + " at '" + path + "'";
    if (!version)
      consumeError(version.takeError());
  }
  if (others.empty())
    return notFound("ptxas", "none");
  return notFound((Twine("ptxas of CUDA ") + kOldest + " or later, which knows PTX 8.6,").str(), others);
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
  std::vector<std::string> found = findAll(name);
  if (found.empty())
    return notFound(name, "none");
  return std::move(found.front());
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
#ifdef FP8GEMM_NVPTXCOMPILER
  if (path.empty())
    return nvPtxCompilerVersion();
#endif
  Expected<Ptxas> ptxas = findPtxas(path);
  if (!ptxas)
    return ptxas.takeError();
  return std::move(ptxas->version);
}

Expected<Cubin> assemble(StringRef ptx, const PtxasOptions &options) {
#ifdef FP8GEMM_NVPTXCOMPILER
  if (options.path.empty())
    return assembleInProcess(ptx, options);
#endif
  Expected<Ptxas> ptxas = findPtxas(options.path);
  if (!ptxas)
    return ptxas.takeError();

  Expected<MemoryFile> input = MemoryFile::create(ptx);
  if (!input)
    return input.takeError();
  Expected<MemoryFile> output = MemoryFile::create();
  if (!output)
    return output.takeError();
  Child child{ptxas->path, {"-v", "-O3", "--gpu-name", options.chip}, {&*input, &*output}};
  if (options.lineinfo)
    child.arguments.push_back("-lineinfo");
  child.arguments.insert(child.arguments.end(), {"-o", Child::pathOf(1), Child::pathOf(0)});
  if (Error error = child.run())
    return error;
  if (child.exitCode != 0)
    return makeError("'", ptxas->path, "' failed with exit code ", child.exitCode, ":\n", beginningOf(child.output));
  Expected<std::string> bytes = output->read();
  if (!bytes)
    return bytes.takeError();
  if (bytes->empty())
    return makeError("expected a cubin from '", ptxas->path, "', got an empty file");
  return Cubin{std::move(*bytes), parsePtxasReport(child.output), std::move(ptxas->version)};
}

Expected<std::string> disassemble(StringRef cubin) {
  std::vector<std::string> arguments{"--print-code", "--print-line-info"};
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
  Expected<MemoryFile> input = MemoryFile::create(cubin);
  if (!input)
    return input.takeError();
  arguments.push_back(Child::pathOf(0));
  Child child{*tool, std::move(arguments), {&*input}};
  if (Error error = child.run())
    return error;
  if (child.exitCode != 0)
    return makeError("'", *tool, "' failed:\n", beginningOf(child.output));
  return std::move(child.output);
}

} // namespace fp8gemm::target
