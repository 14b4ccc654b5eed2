// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows from the product and its config before there is a schedule, and the kernel
// seen from outside: name, parameters, shared memory, launch attributes.

#include "KernelBuilder.h"

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

KernelBuilder::KernelBuilder(ProductOpInterface product, ConfigAttr config)
    : product(product), config(config), problem(problemOf(product)), tileM(config.getTileM()), tileN(config.getTileN()),
      kBlocks(llvm::divideCeil(problem.k, kBlockK)), swap(config.getSwapAb()), columns(swap ? tileM : tileN),
      blocks((swap ? tileN : tileM) / (kFragmentRows * config.getConsumers())),
      columnsPerScale(config::scaleColumnsPerBlock(problem, configOf(config))),
      late(config::promotesLate(problem, configOf(config))),
      cluster(config.getClusterM() * config.getClusterN() * config.getSplitK()),
      storedColumns(columns / config::storingRanks(configOf(config))),
      panelWidth(swap ? kFragmentRows : config::panelColumns(problem, storedColumns)),
      builder(product->getLoc(), product->getContext()) {}

static CUse cUseOf(ProductOpInterface product) {
  return !product.getC() ? CUse::none : product.isInPlace() ? CUse::in_place : CUse::apart;
}

/// The fields that a kernel's name has words of its own for.
static constexpr int64_t config::Config::*kFieldsOfShortNames[] = {
    &config::Config::tileM,       &config::Config::tileN,    &config::Config::stages,   &config::Config::consumers,
    &config::Config::rasterGroup, &config::Config::clusterM, &config::Config::clusterN, &config::Config::splitK,
    &config::Config::partials,    &config::Config::swapAb};

std::string KernelBuilder::name() {
  const config::Config schedule = configOf(config);
  auto layout = [](ScaleAttr scale) { return scale.getLayout() == ScaleLayout::k_major ? "k" : "mn"; };
  auto f8 = [](Type element) { return isa<Float8E4M3FNType>(element) ? "e4m3" : "e5m2"; };
  auto extent = [](int64_t size) { return ShapedType::isDynamic(size) ? "any" : std::to_string(size); };
  std::string types = f8(product.getAElement());
  if (product.getAElement() != product.getBElement())
    types += std::string("_") + f8(product.getBElement());
  types += product.getDElement().isF32() ? "_f32" : "_bf16";
  if (product.getC())
    types += product.isInPlace() ? "_in_place" : "_plus_c";
  std::string name =
      llvm::formatv("fp8gemm_{0}_{1}_m{2}_n{3}_k{4}_sfa_{5}_sfb_{6}_tile{7}x{8}_stages{9}_consumers{10}_raster{11}",
                    product.isBScaledByRows() ? "1d1d" : "1d2d", types, extent(product.getM()), product.getN(),
                    extent(product.getK()), layout(product.getAScale()), layout(product.getBScale()), tileM, tileN,
                    config.getStages(), config.getConsumers(), config.getRasterGroup());
  if (GroupsAttr groups = groupsAttr())
    name += llvm::formatv("_{0}_groups_{1}{2}_align{3}", groups.getCount(), stringifyGrouping(groups.getBy()),
                          isFlat() ? "_flat" : "", groups.getAlign());
  if (config.getSplitK() > 1)
    name += "_split" + std::to_string(config.getSplitK());
  else if (cluster > 1)
    name += llvm::formatv("_cluster{0}x{1}", config.getClusterM(), config.getClusterN());
  if (config.getPartials() > 1)
    name += "_partials" + std::to_string(config.getPartials());
  if (swap)
    name += "_swap";
  // The remaining fields are appended if they differ from their defaults, so no two schedules share a name.
  for (const config::Field &field : config::kFields)
    if (!llvm::is_contained(kFieldsOfShortNames, field.member))
      if (int64_t value = schedule.*field.member; value != config::usualValue(problem, schedule, field))
        name += llvm::formatv("_{0}{1}", field.name, value);
  return name;
}

bool KernelBuilder::isFlat() { return cast<ShapedType>(product.getA().getType()).getRank() == 1; }

GroupsAttr KernelBuilder::groupsAttr() {
  if (!problem.isGrouped())
    return GroupsAttr();
  return GroupsAttr::get(builder.getContext(), problem.groups,
                         *hopper::symbolizeGrouping(nameOf(format::kGroupingWords, problem.grouping)),
                         problem.groupAlign);
}

/// A map whose box is a `rows` x `columns` tile in shared memory, of one of `grouped` matrices, swizzled by
/// `swizzleBytes`.
static Type tensorMap(Type element, int64_t rows, int64_t columns, nvgpu::TensorMapSwizzleKind swizzle,
                      bool grouped = false) {
  MLIRContext *context = element.getContext();
  auto shared = IntegerAttr::get(IntegerType::get(context, 64), 3);
  SmallVector<int64_t> shape{rows, columns};
  if (grouped)
    shape.insert(shape.begin(), 1);
  auto box = MemRefType::get(shape, element, MemRefLayoutAttrInterface(), shared);
  return nvgpu::TensorMapDescriptorType::get(context, box, swizzle, nvgpu::TensorMapL2PromoKind::L2PROMO_256B,
                                             nvgpu::TensorMapOOBKind::OOB_ZERO,
                                             nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
}

static MemRefType inShared(ArrayRef<int64_t> shape, Type element) {
  auto shared = IntegerAttr::get(IntegerType::get(element.getContext(), 64), 3);
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), shared);
}

/// A matrix in global memory; with groups, as many as there are, one after the other.
static MemRefType matrix(SmallVector<int64_t> shape, SmallVector<int64_t> strides, Type element, bool grouped) {
  if (grouped)
    for (SmallVector<int64_t> *sizes : {&shape, &strides})
      sizes->insert(sizes->begin(), ShapedType::kDynamic);
  return MemRefType::get(shape, element, StridedLayoutAttr::get(element.getContext(), 0, strides));
}

/// Scales as a logical matrix, one row a block of rows, one column a K block;
/// the strides are those of the storage.
static MemRefType scaleMatrix(int64_t rows, int64_t columns, ScaleLayout layout, bool grouped, MLIRContext *context) {
  int64_t dynamic = ShapedType::kDynamic;
  SmallVector<int64_t> strides =
      layout == ScaleLayout::k_major ? SmallVector<int64_t>{dynamic, 1} : SmallVector<int64_t>{1, dynamic};
  return matrix({rows, columns}, strides, Float32Type::get(context), grouped);
}

static nvgpu::TensorMapSwizzleKind swizzleOfRow(int64_t bytes) {
  using Kind = nvgpu::TensorMapSwizzleKind;
  return bytes == 128 ? Kind::SWIZZLE_128B : bytes == 64 ? Kind::SWIZZLE_64B : Kind::SWIZZLE_32B;
}

RingType KernelBuilder::ringType() {
  Type f32 = builder.getF32Type();
  SmallVector<MemRefType> tma{inShared({tileM, kBlockK}, product.getAElement()),
                              inShared({tileN, kBlockK}, product.getBElement())},
      warps;
  int64_t boxes = config::boxesOfScales(problem, tileM), scales = config::scalesOfA(problem, tileM);
  MemRefType sfaBuffer = boxes == 1 ? inShared({scales}, f32) : inShared({boxes, 1, scales / boxes}, f32);
  (problem.sfaByTma() ? tma : warps).push_back(sfaBuffer);
  (problem.sfbByTma() ? tma : warps).push_back(inShared({tileN / columnsPerScale}, f32));
  return RingType::get(builder.getContext(), config.getStages(), tma, warps, config.getConsumers(),
                       config.getClusterM() * config.getClusterN());
}

MemRefType KernelBuilder::panels(int64_t rows) {
  return inShared({storedColumns / panelWidth, rows, panelWidth}, product.getDElement());
}

/// One stage: a tile's C arrives while its last products are computed.
RingType KernelBuilder::cRingType() {
  return RingType::get(builder.getContext(), /*stages=*/1, panels(tileM), /*warps=*/{}, config.getConsumers(),
                       /*cluster=*/1);
}

gpu::GPUFuncOp KernelBuilder::createFunction(gpu::GPUModuleOp module) {
  MLIRContext *context = builder.getContext();
  Type f32 = builder.getF32Type(), dElement = product.getDElement();
  auto swizzled = nvgpu::TensorMapSwizzleKind::SWIZZLE_128B;
  int64_t panelRows = swap ? storedColumns : kFragmentRows, panelCount = swap ? 1 : storedColumns / panelWidth;
  auto panelSwizzle = swizzleOfRow(problem.dBytes * panelWidth);

  struct Parameter {
    Type type;
    ParamKind kind;
    Operand operand;
    Value &value;
  };
  int64_t storedBlocks = problem.grouping == config::Grouping::KCount ? ShapedType::kDynamic : kBlocks;
  bool groupsOfA = problem.hasGroupsOfA(), groupsOfB = problem.hasGroupsOfB();
  auto scales = [&](bool byTma, int64_t box, int64_t rows, ScaleAttr scale, bool grouped, Operand operand,
                    Value &value) {
    if (byTma)
      return Parameter{tensorMap(f32, 1, box, nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE, grouped),
                       ParamKind::tensor_map, operand, value};
    return Parameter{scaleMatrix(rows, storedBlocks, scale.getLayout(), grouped, context), ParamKind::matrix, operand,
                     value};
  };
  SmallVector<Parameter> parameters = {
      {tensorMap(product.getAElement(), tileM / config.getClusterN(), kBlockK, swizzled, groupsOfA),
       ParamKind::tensor_map, Operand::a, mapA},
      {tensorMap(product.getBElement(), tileN / config.getClusterM(), kBlockK, swizzled, groupsOfB),
       ParamKind::tensor_map, Operand::b, mapB},
      scales(problem.sfaByTma(), config::scalesOfA(problem, tileM) / config::boxesOfScales(problem, tileM),
             ShapedType::kDynamic, product.getAScale(), groupsOfA, Operand::sfa, sfa),
      scales(problem.sfbByTma(), tileN, llvm::divideCeil(product.getN(), problem.sfbRows), product.getBScale(),
             groupsOfB, Operand::sfb, sfb)};
  if (problem.loadsC())
    parameters.push_back({tensorMap(dElement, tileM, panelWidth, panelSwizzle, problem.hasGroupsOfD()),
                          ParamKind::tensor_map, Operand::c, mapC});
  parameters.push_back({tensorMap(dElement, panelRows, panelWidth, panelSwizzle, problem.hasGroupsOfD()),
                        ParamKind::tensor_map, Operand::d, mapD});
  int64_t dynamic = ShapedType::kDynamic;
  if (problem.storesParts())
    parameters.push_back(
        {matrix({dynamic, product.getN()}, {dynamic, 1}, dElement, groupsOfA), ParamKind::matrix, Operand::d, d});
  if (problem.grouping == config::Grouping::KCount) {
    // Each group's tensor maps are made on the device, of where A and B are.
    auto storage = [&](Type element) {
      return isFlat() ? MemRefType::get(dynamic, element) : matrix({dynamic, dynamic}, {dynamic, 1}, element, false);
    };
    parameters.push_back({storage(product.getAElement()), ParamKind::matrix, Operand::a, a});
    parameters.push_back({storage(product.getBElement()), ParamKind::matrix, Operand::b, b});
    parameters.push_back(
        {MemRefType::get(dynamic, builder.getI8Type()), ParamKind::matrix, Operand::workspace, workspace});
    parameters.push_back({builder.getIndexType(), ParamKind::extent_k, Operand::none, extentK});
  }
  if (product.getGroups()) {
    int64_t entries = problem.isTabulated() ? problem.groups : dynamic;
    parameters.push_back({MemRefType::get(entries, builder.getI32Type()), ParamKind::matrix, Operand::groups, groups});
  }
  parameters.push_back({builder.getIndexType(), ParamKind::extent_m, Operand::none, extentM});

  SmallVector<Type> types;
  for (const Parameter &parameter : parameters)
    types.push_back(parameter.type);
  int64_t fragments = blocks * config.getConsumers();
  SmallVector<Type> buffers{inShared({fragments, panelCount, panelRows, panelWidth}, dElement)};
  if (config.getSplitK() > 1)
    buffers.push_back(inShared({fragments, columns / 8, kThreadsPerWarpgroup, 4}, f32));
  if (problem.isTabulated())
    buffers.push_back(inShared({problem.groups + 1, 4}, builder.getI32Type()));
  builder.setInsertionPointToEnd(module.getBody());
  auto func = gpu::GPUFuncOp::create(builder, name(), builder.getFunctionType(types, {}), buffers);
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    func.setArgAttr(i, "hopper.param", ParamAttr::get(context, parameter.kind, parameter.operand));
    parameter.value = func.getArgument(i);
  }
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  auto layout = [&](ScaleAttr scale) { return builder.getStringAttr(stringifyScaleLayout(scale.getLayout())); };
  func->setAttr("hopper.problem",
                ProblemAttr::get(context, builder.getStringAttr(product->getName().stripDialect()), product.getM(),
                                 product.getN(), product.getK(), product.getAElement(), product.getBElement(),
                                 cUseOf(product), dElement, layout(product.getAScale()), layout(product.getBScale()),
                                 problem.sfbRows, groupsAttr()));
  if (workspace)
    func->setAttr("hopper.workspace_bytes", builder.getI64IntegerAttr(2 * problem.groups * kTensorMapBytes));
  func->setAttr("hopper.launch", LaunchAttr::get(context, kThreadsPerWarpgroup * (1 + config.getConsumers()), tileM,
                                                 tileN, config.getStages(), config.getConsumers(), config.getClusterM(),
                                                 config.getClusterN(), config.getSplitK()));
  func->setAttr("hopper.config", builder.getStringAttr(config::describe(configOf(config))));
  return func;
}
