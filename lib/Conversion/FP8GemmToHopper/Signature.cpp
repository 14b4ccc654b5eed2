// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kDynamic = ShapedType::kDynamic;

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

static void addParameters(KernelOp kernel, const Facts &facts) {
  const config::Problem &problem = facts.problem;
  ProductOpInterface product = facts.product;
  ConfigAttr config = facts.config;
  Builder builder(config.getContext());
  Type aElement = product.getAElement(), bElement = product.getBElement(), dElement = product.getDElement();
  Type f32 = builder.getF32Type();
  int64_t kBlocks = facts.isGroupedByK() ? kDynamic : facts.kBlocks, columnsOfD = product.getColumnsOfD();

  auto map = [&](Operand of, int64_t rows, int64_t columns, Type element, bool plain = false) {
    kernel.addParameter(of, tensorMap(rows, columns, element, facts.hasGroups(of), plain));
  };
  // One row for each block of rows, one column for each block of columns; the strides are those of the storage.
  auto scales = [&](Operand of, ScaleAttr scale, int64_t rows, int64_t blocks) {
    bool blocksFirst = scale.getLayout() != ScaleLayout::k_major;
    kernel.addParameter(of, globalMatrix({rows, blocks}, f32, facts.hasGroups(of), blocksFirst));
  };
  map(Operand::a, facts.tileM / config.getClusterN(), kBlockK, aElement);
  map(Operand::b, facts.tileColumns / config.getClusterM(), kBlockK, bElement);
  if (problem.sfaByTma())
    map(Operand::sfa, 1, config::scalesOfA(problem, facts.tileM) / config::boxesOfScales(problem, facts.tileM), f32,
        /*plain=*/true);
  else
    scales(Operand::sfa, product.getAScale(), kDynamic, kBlocks);
  if (problem.sfbByTma())
    map(Operand::sfb, 1, facts.tileN, f32, /*plain=*/true);
  else
    scales(Operand::sfb, product.getBScale(), llvm::divideCeil(product.getN(), problem.sfbRows), kBlocks);
  if (problem.loadsC())
    map(Operand::c, facts.tileM, facts.panelWidth, dElement);
  map(Operand::d, facts.swap ? facts.storedColumns : kFragmentRows, facts.panelWidth, dElement);
  if (problem.storesParts())
    kernel.addParameter(Operand::d, globalMatrix({kDynamic, columnsOfD}, dElement, facts.hasGroups(Operand::d)));
  if (product.getSfd())
    scales(Operand::sfd, product.getDScaleAttr(), kDynamic, columnsOfD / kBlockK);
  Value likeC = addsBiasAndC(product) ? matrixOf(product) : Value();
  for (auto [i, operand] : llvm::enumerate(product.getEpilogueOperands()))
    if (operand != likeC)
      kernel.addParameter(kindOfEpilogueOperand(product, i), epilogueParameter(product, operand));
  if (facts.isGroupedByK()) {
    // Each group's tensor maps are made on the device, of where A and B are.
    auto storage = [&](Type element) {
      return facts.isFlat() ? MemRefType::get(kDynamic, element) : globalMatrix({kDynamic, kDynamic}, element);
    };
    kernel.addParameter(Operand::a, storage(aElement));
    kernel.addParameter(Operand::b, storage(bElement));
    kernel.addParameter(Operand::workspace, MemRefType::get(kDynamic, builder.getI8Type()));
    kernel.addParameter(Operand::k, builder.getIndexType());
  }
  if (product.getGroups())
    kernel.addParameter(Operand::groups,
                        MemRefType::get(problem.isTabulated() ? problem.groups : kDynamic, builder.getI32Type()));
  kernel.addParameter(Operand::m, builder.getIndexType());
}

static void addSharedBuffers(KernelOp kernel, const Facts &facts) {
  const config::Problem &problem = facts.problem;
  Builder builder(kernel.getContext());
  int64_t results = facts.results * facts.config.getConsumers();
  int64_t rows = facts.swap ? facts.storedColumns : kFragmentRows;
  int64_t panels = facts.swap ? 1 : facts.storedColumns / facts.panelWidth;
  kernel.addSharedBuffer("staging",
                         sharedMemory({results, panels, rows, facts.panelWidth}, facts.product.getDElement()));
  auto fragments = [&](StringRef name, int64_t count, int64_t columns) {
    kernel.addSharedBuffer(name, sharedMemory({count, columns / 8, kThreadsPerWarpgroup, 4}, builder.getF32Type()));
  };
  if (facts.config.getSplitK() > 1)
    fragments("exchange", results * facts.sums, facts.columns);
  if (facts.config.getSplitK() > 1 && problem.isQuantised())
    fragments("largest", results, facts.storedColumns);
  if (problem.isTabulated())
    kernel.addSharedBuffer("table", sharedMemory({problem.groups + 1, 4}, builder.getI32Type()));
}

Signature::Signature(const Facts &facts, gpu::GPUModuleOp module) : product(facts.product) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  kernel = KernelOp::create(builder, product->getLoc(), nameOfKernel(facts));
  addParameters(kernel, facts);
  addSharedBuffers(kernel, facts);
  kernel.setProblemAttr(facts.described());
  kernel.setConfigAttr(cast<ConfigInterface>(Attribute(facts.config)));
  kernel.setLaunchAttr(facts.launch());
}

/// The parameter that is `of`, and a tensor map or not.
Value Signature::parameter(Operand of, bool isMap) const {
  return *llvm::find_if(kernel.getParameters(), [&](BlockArgument argument) {
    return kernel.getOperandOf(argument) == of && isa<nvgpu::TensorMapDescriptorType>(argument.getType()) == isMap;
  });
}

Value Signature::epilogueOperand(size_t i) const { return memory(kindOfEpilogueOperand(product, i)); }
