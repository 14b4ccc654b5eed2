// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contents of a kernel file or a pack, as text or JSON.

#include "PackFile.h"
#include "fp8gemm/Pack/Inspect.h"
#include "fp8gemm/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

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

void printPlan(raw_ostream &os, const format::Plan &plan) {
  if (plan.modelled_m())
    os << "  modelled up to M = " << plan.modelled_m();
  os << (plan.batch_invariant() ? "  batch-invariant\n" : "\n") << "   M from        to  kernel\n";
  for (auto [index, interval] : enumerate(*plan.intervals())) {
    std::optional<uint32_t> last = lastOf(plan, index);
    os << formatv("{0,9}{1,10}{2,8}\n", interval->first(), last ? std::to_string(*last) : "any", interval->kernel());
  }
}

std::string heading(StringRef path) { return path.empty() ? "" : (path + ": ").str(); }

constexpr const char *kKernelColumns = "kernel  registers  spilled  smem bytes  threads  cubin bytes  schedule\n";

void printKernel(raw_ostream &os, size_t index, const format::Manifest &manifest) {
  os << formatv("{0,6}{1,11}{2,9}{3,12}{4,9}{5,13}  {6}\n", index, manifest.registers(), manifest.spill_bytes(),
                manifest.smem_bytes(), manifest.threads(), manifest.cubin_bytes(),
                manifest.config() ? manifest.config()->c_str() : "?");
}

void printText(const format::PackFile &file, StringRef path, size_t size, raw_ostream &os) {
  os << formatv("{0}{1} problems, {2} kernels, {3} bytes\n", heading(path), file.index->plans()->size(),
                file.kernels.size(), size);
  os << "modelled on " << file.index->gpu()->c_str() << "; for "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.chip(); }) << ", by LLVM "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.llvm_version(); }) << " and ptxas "
     << distinct(file, [](const format::Manifest &manifest) { return manifest.ptxas_version(); }) << "\n\n";
  for (const format::Plan *plan : *file.index->plans()) {
    os << print(file.problemOf(*plan)) << '\n';
    printPlan(os, *plan);
  }
  os << '\n' << kKernelColumns;
  for (auto [index, kernel] : enumerate(file.kernels))
    printKernel(os, index, kernel.manifest());
}

void printJson(const format::PackFile &file, StringRef path, size_t size, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("version", format::kPackVersion);
    json.attribute("bytes", size);
    json.attribute("gpu", target::jsonText(file.index->gpu()));
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

void printText(const format::Manifest &manifest, StringRef path, size_t size, raw_ostream &os) {
  auto orUnknown = [](const flatbuffers::String *text) { return text ? text->c_str() : "?"; };
  os << formatv("{0}1 kernel, {1} bytes\n", heading(path), size);
  os << "for " << orUnknown(manifest.chip()) << ", by LLVM " << orUnknown(manifest.llvm_version()) << " and ptxas "
     << orUnknown(manifest.ptxas_version()) << "\n\n";
  os << print(format::readProblem(*manifest.problem())) << "\n"
     << manifest.entry()->c_str() << "\n\n"
     << kKernelColumns;
  printKernel(os, 0, manifest);
}

void printJson(const format::Manifest &manifest, StringRef, size_t size, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("bytes", size);
    json.attributeArray("kernels", [&] { target::printManifest(json, manifest); });
  });
  os << '\n';
}

} // namespace

Expected<std::string> describeFile(StringRef bytes, StringRef name, Answer form) {
  // The reader of packs wants the bytes aligned.
  std::unique_ptr<WritableMemoryBuffer> aligned;
  if (!isAddrAligned(Align(format::kPackAlignment), bytes.data())) {
    aligned = WritableMemoryBuffer::getNewUninitMemBuffer(bytes.size(), "", Align(format::kPackAlignment));
    if (!aligned)
      return createStringError("cannot get " + Twine(bytes.size()) + " bytes of memory");
    copy(bytes, aligned->getBufferStart());
    bytes = {aligned->getBufferStart(), bytes.size()};
  }
  std::string text;
  raw_string_ostream os(text);
  auto print = [&](const auto &file) {
    if (form == Answer::Json)
      printJson(file, name, bytes.size(), os);
    else
      printText(file, name, bytes.size(), os);
  };
  std::string error;
  if (bytes.starts_with("\x7f"
                        "ELF")) { // a kernel file starts with its cubin
    format::KernelFile file;
    if (error = format::readKernelFile(bytes.data(), bytes.size(), file); error.empty())
      print(file.manifest());
  } else if (!bytes.starts_with(format::kPackMagic)) {
    error = "expected a kernel file or a pack, as fp8gemm-compile makes them, got " +
            std::string(bytes.empty() ? "an empty file" : "something else");
  } else {
    format::PackFile file;
    if (error = format::readPack(bytes.data(), bytes.size(), file); error.empty())
      print(file);
  }
  if (!error.empty())
    return createStringError(heading(name) + error);
  return text;
}

} // namespace fp8gemm
