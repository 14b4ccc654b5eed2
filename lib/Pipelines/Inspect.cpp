// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Inspect.h"

#include "Embed.h"
#include "Output.h"
#include "PackFile.h"
#include "fp8gemm/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"

#include <set>

using namespace llvm;

namespace fp8gemm {

namespace {

using Kernel = format::PackFile::Kernel;

/// The last M of a plan's interval; none if it has no end.
std::optional<uint32_t> lastOf(const format::Plan &plan, unsigned interval) {
  if (interval + 1 == plan.intervals()->size())
    return std::nullopt;
  return plan.intervals()->Get(interval + 1)->first() - 1;
}

/// Each text once, in order.
template <typename Text> std::string distinct(const format::PackFile &file, Text text) {
  std::set<std::string> found;
  for (const Kernel &kernel : file.kernels)
    if (const flatbuffers::String *string = text(kernel.manifest()))
      found.insert(string->str());
  return join(found, ", ");
}

std::string describe(const format::Problem &problem) {
  std::string text = formatv("{0}: N = {1}, K = {2}", problem.op()->c_str(), problem.n(),
                             problem.k() == -1 ? "any" : std::to_string(problem.k()));
  raw_string_ostream os(text);
  if (problem.m() != -1)
    os << ", M = " << problem.m();
  if (problem.grouping() != format::Grouping::None)
    os << "; " << problem.groups() << " groups, " << format::EnumNameGrouping(problem.grouping());
  if (problem.group_align() != 1)
    os << " aligned to " << problem.group_align();
  if (problem.flat())
    os << ", flat";
  os << "; A " << format::EnumNameElementType(problem.a()) << ", scales 1x128 "
     << format::EnumNameScaleLayout(problem.sfa_layout()) << "; B " << format::EnumNameElementType(problem.b())
     << ", scales " << problem.sfb_block_rows() << "x128 " << format::EnumNameScaleLayout(problem.sfb_layout())
     << "; D " << format::EnumNameElementType(problem.d());
  if (problem.c() != format::CUse::None)
    os << ", C " << format::EnumNameCUse(problem.c());
  return text;
}

void printPlan(raw_ostream &os, const format::Plan &plan) {
  if (plan.modelled_m())
    os << "  modelled up to M = " << plan.modelled_m();
  os << (plan.batch_invariant() ? "  batch-invariant\n" : "\n") << "   M from        to  kernel\n";
  for (auto [index, interval] : enumerate(*plan.intervals())) {
    std::optional<uint32_t> last = lastOf(plan, index);
    os << formatv("{0,9}{1,10}{2,8}\n", interval->first(), last ? std::to_string(*last) : "any", interval->kernel());
  }
}

void printText(const format::PackFile &file, StringRef path, size_t size, raw_ostream &os) {
  os << formatv("{0}: {1} problems, {2} kernels, {3} bytes\n", path, file.index->plans()->size(), file.kernels.size(),
                size);
  os << "modelled on " << file.index->gpu()->c_str() << "; for "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.chip(); }) << ", by LLVM "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.llvm_version(); }) << " and ptxas "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.ptxas_version(); }) << "\n\n";
  for (const format::Plan *plan : *file.index->plans()) {
    os << describe(file.problemOf(*plan)) << '\n';
    printPlan(os, *plan);
  }
  os << "\nkernel  registers  spilled  smem bytes  threads  cubin bytes  schedule\n";
  for (auto [index, kernel] : enumerate(file.kernels)) {
    const format::Manifest &manifest = kernel.manifest();
    os << formatv("{0,6}{1,11}{2,9}{3,12}{4,9}{5,13}  {6}\n", index, manifest.registers(), manifest.spill_bytes(),
                  manifest.smem_bytes(), manifest.threads(), manifest.cubin_bytes(),
                  manifest.config() ? manifest.config()->c_str() : "?");
  }
}

void printJson(const format::PackFile &file, StringRef path, size_t size, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("version", format::kPackVersion);
    json.attribute("bytes", size);
    json.attribute("gpu", file.index->gpu()->c_str());
    json.attributeArray("plans", [&] {
      for (const format::Plan *plan : *file.index->plans())
        json.object([&] {
          json.attributeObject("problem", [&] { target::printProblem(json, file.problemOf(*plan)); });
          json.attribute("modelled_m", plan->modelled_m());
          json.attribute("batch_invariant", plan->batch_invariant());
          json.attributeArray("intervals", [&] {
            for (auto [index, interval] : enumerate(*plan->intervals()))
              json.object([&, index = index, interval = interval] {
                std::optional<uint32_t> last = lastOf(*plan, index);
                json.attribute("first", interval->first());
                json.attribute("last", last ? json::Value(*last) : json::Value(nullptr));
                json.attribute("kernel", interval->kernel());
              });
          });
        });
    });
    json.attributeArray("kernels", [&] {
      for (const Kernel &kernel : file.kernels)
        target::printManifest(json, kernel.manifest());
    });
  });
  os << '\n';
}

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

Error run(const InspectOptions &options) {
  // The reader wants the bytes aligned.
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(options.pack, /*IsText=*/false, /*RequiresNullTerminator=*/false, /*IsVolatile=*/false,
                            Align(format::kPackAlignment));
  if (!buffer)
    return createStringError("cannot read '" + options.pack + "': " + buffer.getError().message());
  format::PackFile file;
  size_t size = (*buffer)->getBufferSize();
  if (std::string error = format::readPack((*buffer)->getBufferStart(), size, file); !error.empty())
    return createStringError(options.pack + ": " + error);
  if (!options.extract.empty() || !options.object.empty() || !options.cHeader.empty())
    return write(options, file, (*buffer)->getBuffer());
  std::string text;
  raw_string_ostream os(text);
  (options.json ? printJson : printText)(file, options.pack, size, os);
  return writeFile("-", text);
}

} // namespace

bool inspect(const InspectOptions &options) {
  Error error = run(options);
  if (!error)
    return true;
  WithColor::error(errs(), "fp8gemm-inspect") << toString(std::move(error)) << '\n';
  return false;
}

} // namespace fp8gemm
