// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Inspect.h"

#include "Embed.h"
#include "Output.h"
#include "PackFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
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
  if (std::error_code code = sys::fs::create_directories(folder))
    return createStringError(code, "cannot make folder '" + folder + "': " + code.message());
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

/// The bytes of a file, or of stdin where the path is "-"; aligned, as the reader wants them.
ErrorOr<std::unique_ptr<MemoryBuffer>> read(StringRef path) {
  Align alignment(format::kPackAlignment);
  if (path != "-")
    return MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false, /*IsVolatile=*/false,
                                 alignment);
  ErrorOr<std::unique_ptr<MemoryBuffer>> input = MemoryBuffer::getSTDIN();
  if (!input)
    return input;
  std::unique_ptr<WritableMemoryBuffer> aligned =
      WritableMemoryBuffer::getNewUninitMemBuffer((*input)->getBufferSize(), "<stdin>", alignment);
  if (!aligned)
    return std::make_error_code(std::errc::not_enough_memory);
  copy((*input)->getBuffer(), aligned->getBufferStart());
  return std::unique_ptr<MemoryBuffer>(std::move(aligned));
}

Error run(const InspectOptions &options) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = read(options.pack);
  std::string name = options.pack == "-" ? "<stdin>" : options.pack;
  if (!buffer)
    return createStringError("cannot read '" + name + "': " + buffer.getError().message());
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
