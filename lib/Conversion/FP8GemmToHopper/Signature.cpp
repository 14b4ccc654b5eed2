// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kDynamic = ShapedType::kDynamic, kTensorMapBytes = 128;

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
    add(Operand::sfd,
        globalMatrix({kDynamic, product.getColumnsOfD() / kBlockK}, builder.getF32Type(), ofD, !isKMajor));
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
  if (config.getSplitK() > 1 && problem.isQuantised())
    shared.push_back(sharedMemory({results, facts.storedColumns / 8, kThreadsPerWarpgroup, 4}, builder.getF32Type()));
  if (problem.isTabulated())
    shared.push_back(sharedMemory({problem.groups + 1, 4}, builder.getI32Type()));
  kernel = KernelOp::create(builder, product->getLoc(), nameOfKernel(facts), types, operands, shared);
  named("staging", staging());
  if (shared.size() > 1)
    named(problem.isTabulated() ? "table" : "exchange", table());
  if (shared.size() > 2)
    named("largest", largest());

  // What the launcher needs to know.
  auto layout = [&](ScaleAttr scale) { return builder.getStringAttr(stringifyScaleLayout(scale.getLayout())); };
  NamedAttrList vectors;
  for (const format::OperandRow &row : format::kOperands)
    if (Value vector = isOptionalVector(row) ? vectorOf(product, row) : Value())
      vectors.set(row.name, TypeAttr::get(getElementTypeOrSelf(vector.getType())));
  StringAttr activation; // only of an epilogue that a problem can name
  if (std::optional<format::Activation> known = activationOf(product);
      known && product.getEpilogueBody() && !addsBiasAndC(product))
    activation = builder.getStringAttr(nameOf(format::kActivationWords, *known));
  CUse c = !matrixOf(product) ? CUse::none : product.isInPlace() ? CUse::in_place : CUse::apart;
  kernel.setProblemAttr(
      ProblemAttr::get(context, builder.getStringAttr(product->getName().stripDialect()), product.getM(),
                       product.getN(), product.getK(), product.getAElement(), product.getBElement(), c,
                       product.getDElement(), layout(product.getAScale()), layout(product.getBScale()), problem.sfbRows,
                       facts.groups(), vectors.empty() ? DictionaryAttr() : vectors.getDictionary(context),
                       product.isGated(), product.getEpilogueBody() && !addsBiasAndC(product), activation,
                       product.getSfd() ? layout(product.getDScaleAttr()) : StringAttr(), product.getPowerOfTwo()));
  kernel.setConfigAttr(cast<ConfigInterface>(Attribute(config)));
  int64_t workspaceBytes = facts.isGroupedByK() ? 2 * problem.groups * kTensorMapBytes : 0;
  kernel.setLaunchAttr(LaunchAttr::get(context, kThreadsPerWarpgroup * (1 + config.getConsumers()), facts.tileM,
                                       facts.tileColumns, config.getClusterM(), config.getClusterN(),
                                       config.getSplitK(), workspaceBytes));
}

/// The parameter that is `of`, and a tensor map or not.
Value Signature::parameter(Operand of, bool isMap) const {
  return *llvm::find_if(kernel.getParameters(), [&](BlockArgument argument) {
    return kernel.getOperandOf(argument) == of && isa<nvgpu::TensorMapDescriptorType>(argument.getType()) == isMap;
  });
}

Value Signature::epilogueOperand(size_t i) const { return memory(kindOfEpilogueOperand(product, i)); }
