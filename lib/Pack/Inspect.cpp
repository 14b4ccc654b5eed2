// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pack/Inspect.h"

#include "Embed.h"
#include "PackFile.h"
#include "fp8gemm/Support/Files.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;

namespace fp8gemm {

namespace {

using Kernel = format::PackFile::Kernel;

/// "012-NAME.cubin". A name comes from the file: nothing but letters and digits of it leads anywhere.
std::string fileName(size_t index, const Kernel &kernel) {
  std::string name = kernel.manifest().entry()->str();
  for (char &letter : name)
    if (!isAlnum(letter))
      letter = '_';
  std::string number = std::to_string(index);
  return std::string(3 - std::min<size_t>(number.size(), 3), '0') + number + "-" + name + ".cubin";
}

Error extract(const format::PackFile &file, StringRef folder) {
  if (Error error = makeFolder(folder))
    return error;
  for (auto [index, kernel] : enumerate(file.kernels))
    if (Error error = writeFile((folder + "/" + fileName(index, kernel)).str(),
                                format::writeKernelFile(kernel.cubin, kernel.manifestBytes)))
      return error;
  return Error::success();
}

Error embed(const InspectOptions &options, StringRef pack) {
  if (options.pack == "-" && options.symbol.empty())
    return createStringError("expected --symbol=NAME with a pack from stdin, which has no file's name, got none");
  std::string symbol = options.symbol.empty() ? symbolOf(options.pack) : options.symbol;
  Expected<std::string> object = embedObject(pack, symbol);
  if (!object)
    return object.takeError();
  if (!options.object.empty())
    if (Error error = writeFile(options.object, *object))
      return error;
  return options.cHeader.empty() ? Error::success() : writeFile(options.cHeader, embedHeader(symbol));
}

Error write(const InspectOptions &options, const format::PackFile &file, StringRef pack) {
  if (!options.extract.empty())
    if (Error error = extract(file, options.extract))
      return error;
  return options.object.empty() && options.cHeader.empty() ? Error::success() : embed(options, pack);
}

/// Whether there are places for all that is to be written, before any of it is.
Error checkOutputs(const InspectOptions &options) {
  if (!options.extract.empty())
    if (Error error = checkOutputFolder(options.extract))
      return error;
  for (const std::string &file : {options.object, options.cHeader})
    if (!file.empty())
      if (Error error = checkOutputFile(file))
        return error;
  return Error::success();
}

/// Whether the options go together: none is ignored.
Error checkOptions(const InspectOptions &options) {
  bool embeds = !options.object.empty() || !options.cHeader.empty();
  if (options.json && (embeds || !options.extract.empty()))
    return createStringError("expected --json, which prints, or --extract, --object and --c-header, which write files, "
                             "got both");
  if (!options.symbol.empty() && !embeds)
    return createStringError("expected --symbol only with --object or --c-header");
  return Error::success();
}

Error run(const InspectOptions &options) {
  if (Error error = checkOptions(options))
    return error;
  if (Error error = checkOutputs(options))
    return error;
  Expected<std::unique_ptr<MemoryBuffer>> buffer = readFile(options.pack);
  if (!buffer)
    return buffer.takeError();
  std::string name = options.pack == "-" ? "<stdin>" : options.pack;
  if (options.extract.empty() && options.object.empty() && options.cHeader.empty()) {
    Expected<std::string> text = describeFile((*buffer)->getBuffer(), name, options.json ? Answer::Json : Answer::Text);
    return text ? writeFile("-", *text) : text.takeError();
  }
  format::PackFile file;
  if (std::string error = format::readPack((*buffer)->getBufferStart(), (*buffer)->getBufferSize(), file);
      !error.empty())
    return createStringError(name + ": " + error);
  return write(options, file, (*buffer)->getBuffer());
}

} // namespace

bool runInspectTool(const InspectOptions &options) {
  Error error = run(options);
  if (!error)
    return true;
  WithColor::error(errs(), "fp8gemm-inspect") << toString(std::move(error)) << '\n';
  return false;
}

} // namespace fp8gemm
