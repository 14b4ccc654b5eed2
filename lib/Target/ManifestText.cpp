// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A manifest as JSON, and the report on a kernel.

#include "fp8gemm/Target/Target.h"

#include "KernelFile.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace fp8gemm::target {

namespace {

void printParam(llvm::json::OStream &json, const format::Param &param) {
  json.object([&] {
    json.attribute("kind", format::EnumNameParamKind(param.kind()));
    const format::OperandRow *row = format::rowOf(format::operandOf(param));
    json.attribute("operand", row ? row->inManifest : "None");
    if (param.kind() != format::ParamKind::TensorMap)
      return;
    json.attribute("element", format::EnumNameElementType(param.element()));
    json.attributeArray("box", [&] {
      for (uint32_t extent : *param.box())
        json.value(extent);
    });
    json.attribute("swizzle_bytes", param.swizzle_bytes());
    json.attribute("l2_promotion_bytes", param.l2_promotion_bytes());
  });
}

void printDebugRings(llvm::json::OStream &json, const format::DebugRings &debug) {
  auto buffers = [&](StringRef name, const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *types) {
    json.attributeArray(name, [&] {
      for (const flatbuffers::String *type : *types)
        json.value(type->c_str());
    });
  };
  json.attribute("limit_ms", debug.limit_ms());
  json.attributeArray("rings", [&] {
    for (const format::Ring *ring : *debug.rings())
      json.object([&] {
        json.attribute("stages", ring->stages());
        buffers("tma", ring->tma());
        buffers("warps", ring->warps());
        json.attribute("readers", ring->readers());
        json.attribute("cluster", ring->cluster());
      });
  });
  json.attributeArray("waits", [&] {
    for (const format::RingWait *wait : *debug.waits())
      json.object([&] {
        json.attribute("role", format::EnumNameWarpRole(wait->role()));
        json.attribute("until", format::EnumNameStageState(wait->until()));
        json.attribute("ring", wait->ring());
        json.attribute("at", jsonText(wait->location()));
      });
  });
}

} // namespace

void printProblem(llvm::json::OStream &json, const format::Problem &problem) {
  json.attribute("op", factsOf(problem).op);
  const format::GroupingSet own = isQuantisation(problem) ? format::kQuantize : format::kAll;
  for (const format::Field &field : format::kFields) {
    if (!field.inManifest || (!(field.mayHave & own) && field.name != StringRef("m")))
      continue;
    int64_t value = get(problem, field);
    const format::Word *word = wordOf(field, value);
    if (field.kind == format::Kind::Flag)
      json.attribute(field.inManifest, value != 0);
    else if (word && word->inManifest)
      json.attribute(field.inManifest, word->inManifest);
    else
      json.attribute(field.inManifest, value);
  }
}

std::string jsonText(const flatbuffers::String *text) {
  return text ? llvm::json::fixUTF8(StringRef(text->c_str(), text->size())) : std::string();
}

void printManifest(llvm::json::OStream &json, const format::Manifest &manifest) {
  json.object([&] {
    json.attribute("version", manifest.version());
    json.attribute("entry", jsonText(manifest.entry()));
    json.attribute("chip", jsonText(manifest.chip()));
    json.attribute("cubin_bytes", manifest.cubin_bytes());
    json.attributeObject("problem", [&] { printProblem(json, format::readProblem(*manifest.problem())); });
    json.attributeArray("params", [&] {
      for (const format::Param *param : *manifest.params())
        printParam(json, *param);
    });
    json.attribute("threads", manifest.threads());
    json.attribute("smem_bytes", manifest.smem_bytes());
    json.attribute("tile_m", manifest.tile_m());
    json.attribute("tile_n", manifest.tile_n());
    json.attribute("cluster_m", manifest.cluster_m());
    json.attribute("cluster_n", manifest.cluster_n());
    json.attribute("split_k", manifest.split_k());
    json.attribute("registers", manifest.registers());
    json.attribute("spill_bytes", manifest.spill_bytes());
    json.attribute("workspace_bytes_per_cta", manifest.workspace_bytes_per_cta());
    json.attribute("config", jsonText(manifest.config()));
    json.attribute("ptxas_version", jsonText(manifest.ptxas_version()));
    json.attribute("llvm_version", jsonText(manifest.llvm_version()));
    json.attribute("waits_for_previous", manifest.waits_for_previous());
    if (const format::DebugRings *debug = manifest.debug_rings())
      json.attributeObject("debug_rings", [&] { printDebugRings(json, *debug); });
  });
}

std::string printManifest(StringRef bytes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, /*IndentSize=*/2);
  printManifest(json, *format::GetManifest(bytes.data()));
  os << '\n';
  return text;
}

void printReport(const Kernel &kernel, llvm::raw_ostream &os) {
  const format::Manifest &manifest = *format::GetManifest(kernel.manifest.data());
  auto line = [&](StringRef title) -> llvm::raw_ostream & { return os << "  " << llvm::left_justify(title, 12); };
  os << "kernel " << kernel.name << '\n';
  unsigned cluster = manifest.cluster_m() * manifest.cluster_n() * manifest.split_k();
  if (!isQuantisation(format::readProblem(*manifest.problem())))
    line("schedule") << manifest.config()->c_str() << "; cluster of " << cluster << " CTA"
                     << (cluster == 1 ? "\n" : "s\n");
  line("launch") << manifest.threads() << " threads and " << manifest.smem_bytes()
                 << " bytes of shared memory per CTA\n";
  line("registers") << manifest.registers() << " per thread at launch, " << manifest.spill_bytes()
                    << " bytes spilled\n";
  line("made by") << "LLVM " << manifest.llvm_version()->c_str() << ", ptxas " << manifest.ptxas_version()->c_str()
                  << " for " << manifest.chip()->c_str() << '\n';
  if (const format::DebugRings *debug = manifest.debug_rings())
    line("debug") << "a wait at a ring ends after " << debug->limit_ms() << " ms, with a report\n";
  line("size") << kernel.file.size() << " bytes, of which the cubin " << manifest.cubin_bytes() << '\n';
}

} // namespace fp8gemm::target
