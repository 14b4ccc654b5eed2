// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kDynamic = ShapedType::kDynamic, kTensorMapBytes = 128;

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

Facts::Facts(ProductOpInterface product, ConfigAttr config)
    : product(product), config(config), problem(problemOf(product)), tileM(config.getTileM()), tileN(config.getTileN()),
      parts(problem.parts()), tileColumns(tileN / parts), kBlocks(llvm::divideCeil(problem.k, kBlockK)), swap(config.getSwapAb()),
      columns(config::accumulatorColumns(problem, configOf(config))),
      fragments(config::accumulators(problem, configOf(config))), results((swap ? tileColumns : tileM) / (kFragmentRows * config.getConsumers())), sums(fragments / results),
      columnsPerScale(config::scaleColumnsPerBlock(problem, configOf(config))),
      cluster(config.getClusterM() * config.getClusterN() * config.getSplitK()),
      storedColumns(config::resultColumns(problem, configOf(config)) /
                    config::storingRanks(problem, configOf(config))),
      panelWidth(swap ? kFragmentRows : config::panelColumns(problem, storedColumns)) {
  if (!isGroupedByK() && kBlocks % config.getSplitK() == 0)
    kCount = kBlocks / config.getSplitK();
}

bool Facts::isFlat() const { return cast<ShapedType>(product.getA().getType()).getRank() == 1; }

RingType Facts::ring() const {
  Type f32 = Float32Type::get(config.getContext());
  SmallVector<MemRefType> tma{sharedMemory({tileM, kBlockK}, product.getAElement()),
                              sharedMemory({tileN, kBlockK}, product.getBElement())},
      warps;
  int64_t boxes = config::boxesOfScales(problem, tileM), scales = config::scalesOfA(problem, tileM);
  MemRefType sfa = boxes == 1 ? sharedMemory({scales}, f32) : sharedMemory({boxes, 1, scales / boxes}, f32);
  (problem.sfaByTma() ? tma : warps).push_back(sfa);
  (problem.sfbByTma() ? tma : warps).push_back(sharedMemory({tileN / columnsPerScale}, f32));
  bool isSfaLast = !problem.sfaByTma() && problem.sfbByTma();
  Builder builder(config.getContext());
  SmallVector<StringAttr> names;
  for (StringRef name : {"a", "b", isSfaLast ? "sfb" : "sfa", isSfaLast ? "sfa" : "sfb"})
    names.push_back(builder.getStringAttr(name));
  return RingType::get(config.getContext(), config.getStages(), tma, warps, names, config.getConsumers(),
                       config.getClusterM() * config.getClusterN());
}

RingType Facts::ringOfC() const {
  auto name = StringAttr::get(config.getContext(), "c");
  return RingType::get(config.getContext(), /*stages=*/1, panels(tileM), /*warps=*/{}, name, config.getConsumers(),
                       /*cluster=*/1);
}

MemRefType Facts::panels(int64_t rows) const {
  return sharedMemory({storedColumns / panelWidth, rows, panelWidth}, product.getDElement());
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

namespace {
struct Parameter {
  Operand of;
  Type type;
};
} // namespace

/// Which of the kernel's operands the epilogue's operand `i` is.
static Operand kindOfEpilogueOperand(ProductOpInterface product, size_t i) {
  return addsBiasAndC(product) ? Operand::bias : Operand(uint32_t(Operand::epilogue_0) + i);
}

/// Its memory: a row, or as many rows and groups as it has elements for.
static MemRefType epilogueParameter(ProductOpInterface product, Value operand) {
  Broadcast broadcast = broadcastOf(operand);
  Type element = getElementTypeOrSelf(operand.getType());
  int64_t rows = broadcast.rows ? kDynamic : 1, columns = broadcast.columns ? product.getColumnsOfD() : 1;
  if (!broadcast.rows && !broadcast.groups)
    return MemRefType::get(columns, element);
  return globalMatrix({rows, columns}, element, broadcast.groups);
}

static SmallVector<Parameter> parametersOf(const Facts &facts) {
  const config::Problem &problem = facts.problem;
  ProductOpInterface product = facts.product;
  ConfigAttr config = facts.config;
  OpBuilder builder(config.getContext());
  bool ofA = problem.hasGroupsOfA(), ofB = problem.hasGroupsOfB(), ofD = problem.hasGroupsOfD();
  Type aElement = product.getAElement(), bElement = product.getBElement(), dElement = product.getDElement();

  SmallVector<Parameter> parameters;
  auto add = [&](Operand of, Type type) { parameters.push_back({of, type}); };
  auto scales = [&](Operand of, ScaleAttr scale, bool byTma, int64_t box, int64_t rows, bool grouped) {
    int64_t kBlocks = facts.isGroupedByK() ? kDynamic : facts.kBlocks;
    if (byTma)
      add(of, tensorMap(1, box, builder.getF32Type(), grouped, /*plain=*/true));
    else // one row a block of rows, one column a K block; the strides are those of the storage
      add(of, globalMatrix({rows, kBlocks}, builder.getF32Type(), grouped, scale.getLayout() != ScaleLayout::k_major));
  };

  add(Operand::a, tensorMap(facts.tileM / config.getClusterN(), kBlockK, aElement, ofA));
  add(Operand::b, tensorMap(facts.tileColumns / config.getClusterM(), kBlockK, bElement, ofB));
  scales(Operand::sfa, product.getAScale(), problem.sfaByTma(),
         config::scalesOfA(problem, facts.tileM) / config::boxesOfScales(problem, facts.tileM), kDynamic, ofA);
  scales(Operand::sfb, product.getBScale(), problem.sfbByTma(), facts.tileN,
         llvm::divideCeil(product.getN(), problem.sfbRows), ofB);
  if (problem.loadsC())
    add(Operand::c, tensorMap(facts.tileM, facts.panelWidth, dElement, ofD));
  add(Operand::d, tensorMap(facts.swap ? facts.storedColumns : kFragmentRows, facts.panelWidth, dElement, ofD));
  if (problem.storesParts())
    add(Operand::d, globalMatrix({kDynamic, product.getColumnsOfD()}, dElement, ofD));
  if (product.getSfd()) {
    bool isKMajor = product.getDScaleAttr().getLayout() == ScaleLayout::k_major;
    add(Operand::sfd, globalMatrix({kDynamic, product.getColumnsOfD() / kBlockK}, builder.getF32Type(), ofD, !isKMajor));
  }
  Value likeC = addsBiasAndC(product) ? matrixOf(product) : Value();
  for (auto [i, operand] : llvm::enumerate(product.getEpilogueOperands()))
    if (operand != likeC)
      add(kindOfEpilogueOperand(product, i), epilogueParameter(product, operand));
  if (facts.isGroupedByK()) {
    // Each group's tensor maps are made on the device, of where A and B are.
    auto storage = [&](Type element) {
      return facts.isFlat() ? MemRefType::get(kDynamic, element) : globalMatrix({kDynamic, kDynamic}, element);
    };
    add(Operand::a, storage(aElement));
    add(Operand::b, storage(bElement));
    add(Operand::workspace, MemRefType::get(kDynamic, builder.getI8Type()));
    add(Operand::k, builder.getIndexType());
  }
  if (product.getGroups())
    add(Operand::groups, MemRefType::get(problem.isTabulated() ? problem.groups : kDynamic, builder.getI32Type()));
  add(Operand::m, builder.getIndexType());
  return parameters;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// The description of the groups for the launcher; null if there are none.
static GroupsAttr groupsOf(const Facts &facts) {
  const config::Problem &problem = facts.problem;
  if (!problem.isGrouped())
    return GroupsAttr();
  return GroupsAttr::get(facts.config.getContext(), problem.groups,
                         *hopper::symbolizeGrouping(nameOf(format::kGroupingWords, problem.grouping)),
                         problem.groupAlign);
}

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

std::string Signature::name(const Facts &facts) {
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
  if (GroupsAttr groups = groupsOf(facts))
    name += llvm::formatv("_{0}_groups_{1}{2}_align{3}", groups.getCount(), stringifyGrouping(groups.getBy()),
                          facts.isFlat() ? "_flat" : "", groups.getAlign());
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

Signature::Signature(const Facts &facts, gpu::GPUModuleOp module) : product(facts.product) {
  const config::Problem &problem = facts.problem;
  ProductOpInterface product = facts.product;
  ConfigAttr config = facts.config;
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  MLIRContext *context = builder.getContext();

  SmallVector<Parameter> parameters = parametersOf(facts);
  SmallVector<Type> types;
  SmallVector<Operand> operands;
  for (const Parameter &parameter : parameters) {
    types.push_back(parameter.type);
    operands.push_back(parameter.of);
  }
  int64_t results = facts.results * config.getConsumers(), rows = facts.swap ? facts.storedColumns : kFragmentRows,
          panels = facts.swap ? 1 : facts.storedColumns / facts.panelWidth;
  SmallVector<Type> shared{sharedMemory({results, panels, rows, facts.panelWidth}, product.getDElement())};
  if (config.getSplitK() > 1)
    shared.push_back(sharedMemory({results * facts.sums, facts.columns / 8, kThreadsPerWarpgroup, 4}, builder.getF32Type()));
  if (problem.isTabulated())
    shared.push_back(sharedMemory({problem.groups + 1, 4}, builder.getI32Type()));
  kernel = KernelOp::create(builder, product->getLoc(), name(facts), types, operands, shared);
  named("staging", staging());
  if (shared.size() > 1)
    named(problem.isTabulated() ? "table" : "exchange", table());

  // What the launcher needs to know.
  auto layout = [&](ScaleAttr scale) { return builder.getStringAttr(stringifyScaleLayout(scale.getLayout())); };
  NamedAttrList vectors;
  for (const format::OperandRow &row : format::kOperands)
    if (Value vector = isOptionalVector(row) ? vectorOf(product, row) : Value())
      vectors.set(row.name, TypeAttr::get(getElementTypeOrSelf(vector.getType())));
  StringAttr activation; // only of an epilogue that a problem can name
  if (std::optional<format::Activation> known = activationOf(product); known && product.getEpilogueBody() && !addsBiasAndC(product))
    activation = builder.getStringAttr(nameOf(format::kActivationWords, *known));
  CUse c = !matrixOf(product) ? CUse::none : product.isInPlace() ? CUse::in_place : CUse::apart;
  kernel.setProblemAttr(ProblemAttr::get(context, builder.getStringAttr(product->getName().stripDialect()),
                                         product.getM(), product.getN(), product.getK(), product.getAElement(),
                                         product.getBElement(), c, product.getDElement(), layout(product.getAScale()),
                                         layout(product.getBScale()), problem.sfbRows, groupsOf(facts),
                                         vectors.empty() ? DictionaryAttr() : vectors.getDictionary(context),
                                         product.isGated(), product.getEpilogueBody() && !addsBiasAndC(product), activation,
                                         product.getSfd() ? layout(product.getDScaleAttr()) : StringAttr(),
                                         product.getPowerOfTwo()));
  kernel.setConfigAttr(cast<ConfigInterface>(Attribute(config)));
  int64_t workspaceBytes = facts.isGroupedByK() ? 2 * problem.groups * kTensorMapBytes : 0;
  kernel.setLaunchAttr(LaunchAttr::get(context, kThreadsPerWarpgroup * (1 + config.getConsumers()), facts.tileM,
                                       facts.tileColumns, config.getClusterM(), config.getClusterN(), config.getSplitK(),
                                       workspaceBytes));
}

/// The parameter that is `of`, and a tensor map or not.
Value Signature::parameter(Operand of, bool isMap) const {
  return *llvm::find_if(kernel.getParameters(), [&](BlockArgument argument) {
    return kernel.getOperandOf(argument) == of && isa<nvgpu::TensorMapDescriptorType>(argument.getType()) == isMap;
  });
}

Value Signature::epilogueOperand(size_t i) const {
  return memory(kindOfEpilogueOperand(product, i));
}
