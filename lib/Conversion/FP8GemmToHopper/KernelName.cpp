// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of kernels: what is compiled once has one.

#include "Facts.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

/// The fields that a kernel's name has words of its own for.
static constexpr int64_t config::Config::*kFieldsOfShortNames[] = {
    &config::Config::tileM,       &config::Config::tileN,    &config::Config::stages,   &config::Config::consumers,
    &config::Config::rasterGroup, &config::Config::clusterM, &config::Config::clusterN, &config::Config::splitK,
    &config::Config::partials,    &config::Config::swapAb};

/// The same only for epilogues that are the same.
static std::string nameOfEpilogue(ProductOpInterface product) {
  Block *body = product.getEpilogueBody();
  if (!body)
    return "";
  std::string text;
  if (std::optional<format::Activation> activation = activationOf(product)) {
    for (const format::OperandRow &row : format::kOperands)
      if (Value vector = isOptionalVector(row) ? vectorOf(product, row) : Value())
        text += llvm::formatv("_{0}_{1}", row.name, elementName(getElementTypeOrSelf(vector.getType())));
    if (*activation != format::Activation::None)
      text += std::string("_") + nameOf(format::kActivationWords, *activation);
    return text;
  }
  llvm::raw_string_ostream os(text);
  body->print(os);
  for (Value operand : product.getEpilogueOperands()) {
    Broadcast broadcast = broadcastOf(operand);
    os << broadcast.groups << broadcast.rows << broadcast.columns << getElementTypeOrSelf(operand.getType());
  }
  return llvm::formatv("_epilogue_{0:x-16}", llvm::xxh3_64bits(text));
}

std::string fp8gemm::nameOfKernel(const Facts &facts) {
  ProductOpInterface product = facts.product;
  ConfigAttr config = facts.config;
  const config::Config schedule = configOf(config);
  auto layout = [](ScaleAttr scale) { return scale.getLayout() == ScaleLayout::k_major ? "k" : "mn"; };
  auto f8 = [](Type element) { return isa<Float8E4M3FNType>(element) ? "e4m3" : "e5m2"; };
  auto extent = [](int64_t size) { return ShapedType::isDynamic(size) ? "any" : std::to_string(size); };
  std::string types = f8(product.getAElement());
  if (product.getAElement() != product.getBElement())
    types += std::string("_") + f8(product.getBElement());
  types += product.getSfd() ? "_e4m3" : product.getDElement().isF32() ? "_f32" : "_bf16";
  if (product.getSfd())
    types += std::string("_sfd_") + layout(product.getDScaleAttr()) + (product.getPowerOfTwo() ? "_power_of_two" : "");
  if (product.getC())
    types += product.isInPlace() ? "_in_place" : "_plus_c";
  types += product.isGated() ? "_gated" : "";
  types += nameOfEpilogue(product);
  std::string name =
      llvm::formatv("fp8gemm_{0}_{1}_m{2}_n{3}_k{4}_sfa_{5}_sfb_{6}_tile{7}x{8}_stages{9}_consumers{10}_raster{11}",
                    product.isBScaledByRows() ? "1d1d" : "1d2d", types, extent(product.getM()), product.getN(),
                    extent(product.getK()), layout(product.getAScale()), layout(product.getBScale()), facts.tileM,
                    facts.tileN, config.getStages(), config.getConsumers(), config.getRasterGroup());
  if (GroupsAttr groups = facts.groups())
    name += llvm::formatv("_{0}_groups_{1}{2}_align{3}", groups.getCount(), stringifyGrouping(groups.getBy()),
                          facts.isFlat() ? "_flat" : "", groups.getAlign());
  if (facts.problem.weights)
    name += llvm::formatv("_weights{0}", facts.problem.weights);
  if (config.getSplitK() > 1)
    name += "_split" + std::to_string(config.getSplitK());
  else if (facts.cluster > 1)
    name += llvm::formatv("_cluster{0}x{1}", config.getClusterM(), config.getClusterN());
  if (config.getPartials() > 1)
    name += "_partials" + std::to_string(config.getPartials());
  if (facts.swap)
    name += "_swap";
  // The remaining fields are appended if they differ from their defaults, so no two schedules share a name.
  for (const config::Field &field : config::kFields)
    if (!llvm::is_contained(kFieldsOfShortNames, field.member))
      if (int64_t value = schedule.*field.member; value != config::usualValue(facts.problem, schedule, field))
        name += llvm::formatv("_{0}{1}", field.name, value);
  return name;
}
