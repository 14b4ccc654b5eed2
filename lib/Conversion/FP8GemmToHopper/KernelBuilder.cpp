// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kBlockK = config::kBlockK, kFragmentRows = 64, kThreadsPerWarp = 32;
static constexpr int64_t kThreadsPerWarpgroup = 128;

KernelBuilder::KernelBuilder(GemmOp gemm, ConfigAttr config)
    : gemm(gemm), config(config), problem(problemOf(gemm)), tileM(config.getTileM()), tileN(config.getTileN()),
      kBlocks(llvm::divideCeil(gemm.getK(), kBlockK)), blocks(tileM / (kFragmentRows * config.getConsumers())),
      panelWidth(config::panelColumns(problem, tileN)), columnsPerScale(config::scaleColumnsPerBlock(problem, tileN)),
      builder(gemm.getLoc(), gemm.getContext()) {}

static CUse cUseOf(GemmOp gemm) { return !gemm.getC() ? CUse::none : gemm.isInPlace() ? CUse::in_place : CUse::apart; }

std::string KernelBuilder::name() {
  auto layout = [](ScaleAttr scale) { return scale.getLayout() == ScaleLayout::k_major ? "k" : "mn"; };
  auto f8 = [](Type element) { return isa<Float8E4M3FNType>(element) ? "e4m3" : "e5m2"; };
  std::string m = ShapedType::isDynamic(gemm.getM()) ? "any" : std::to_string(gemm.getM());
  std::string types = f8(gemm.getAElement());
  if (gemm.getAElement() != gemm.getBElement())
    types += std::string("_") + f8(gemm.getBElement());
  types += gemm.getDElement().isF32() ? "_f32" : "_bf16";
  if (gemm.getC())
    types += gemm.isInPlace() ? "_in_place" : "_plus_c";
  return llvm::formatv("fp8gemm_{0}_{1}_m{2}_n{3}_k{4}_sfa_{5}_sfb_{6}_tile{7}x{8}_stages{9}_consumers{10}_raster{11}",
                       gemm.isBScaledByRows() ? "1d1d" : "1d2d", types, m, gemm.getN(), gemm.getK(),
                       layout(gemm.getAScale()), layout(gemm.getBScale()), tileM, tileN, config.getStages(),
                       config.getConsumers(), config.getRasterGroup())
      .str();
}

//===----------------------------------------------------------------------===//
// The kernel and its roles
//===----------------------------------------------------------------------===//

/// A map whose box is a `rows` x `columns` tile in shared memory, swizzled by
/// `swizzleBytes`.
static Type tensorMap(Type element, int64_t rows, int64_t columns, nvgpu::TensorMapSwizzleKind swizzle) {
  MLIRContext *context = element.getContext();
  auto shared = IntegerAttr::get(IntegerType::get(context, 64), 3);
  auto box = MemRefType::get({rows, columns}, element, MemRefLayoutAttrInterface(), shared);
  return nvgpu::TensorMapDescriptorType::get(context, box, swizzle, nvgpu::TensorMapL2PromoKind::L2PROMO_256B,
                                             nvgpu::TensorMapOOBKind::OOB_ZERO,
                                             nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
}

static MemRefType inShared(ArrayRef<int64_t> shape, Type element) {
  auto shared = IntegerAttr::get(IntegerType::get(element.getContext(), 64), 3);
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), shared);
}

/// Scales as a logical matrix, one row a block of rows, one column a K block;
/// the strides are those of the storage.
static MemRefType scaleMatrix(int64_t rows, int64_t columns, ScaleLayout layout, MLIRContext *context) {
  int64_t dynamic = ShapedType::kDynamic;
  SmallVector<int64_t> strides =
      layout == ScaleLayout::k_major ? SmallVector<int64_t>{dynamic, 1} : SmallVector<int64_t>{1, dynamic};
  return MemRefType::get({rows, columns}, Float32Type::get(context), StridedLayoutAttr::get(context, 0, strides));
}

static nvgpu::TensorMapSwizzleKind swizzleOfRow(int64_t bytes) {
  using Kind = nvgpu::TensorMapSwizzleKind;
  return bytes == 128 ? Kind::SWIZZLE_128B : bytes == 64 ? Kind::SWIZZLE_64B : Kind::SWIZZLE_32B;
}

RingType KernelBuilder::ringType() {
  Type f32 = builder.getF32Type();
  SmallVector<MemRefType> tma{inShared({tileM, kBlockK}, gemm.getAElement()),
                              inShared({tileN, kBlockK}, gemm.getBElement())},
      warps;
  (problem.sfaByTma() ? tma : warps).push_back(inShared({tileM}, f32));
  (problem.sfbByTma() ? tma : warps).push_back(inShared({tileN / columnsPerScale}, f32));
  return RingType::get(builder.getContext(), config.getStages(), tma, warps, config.getConsumers());
}

MemRefType KernelBuilder::panels(int64_t rows) {
  return inShared({tileN / panelWidth, rows, panelWidth}, gemm.getDElement());
}

/// One stage: a tile's C arrives while its last products are computed.
RingType KernelBuilder::cRingType() {
  return RingType::get(builder.getContext(), /*stages=*/1, panels(tileM), /*warps=*/{}, config.getConsumers());
}

gpu::GPUFuncOp KernelBuilder::createFunction(gpu::GPUModuleOp module) {
  MLIRContext *context = builder.getContext();
  Type f32 = builder.getF32Type(), dElement = gemm.getDElement();
  auto swizzled = nvgpu::TensorMapSwizzleKind::SWIZZLE_128B;
  auto panelSwizzle = swizzleOfRow(problem.dBytes * panelWidth);

  struct Parameter {
    Type type;
    ParamKind kind;
    Operand operand;
    Value &value;
  };
  auto scales = [&](bool byTma, int64_t box, int64_t rows, ScaleAttr scale, Operand operand, Value &value) {
    return byTma ? Parameter{tensorMap(f32, 1, box, nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE), ParamKind::tensor_map,
                             operand, value}
                 : Parameter{scaleMatrix(rows, kBlocks, scale.getLayout(), context), ParamKind::matrix, operand, value};
  };
  SmallVector<Parameter> parameters = {
      {tensorMap(gemm.getAElement(), tileM, kBlockK, swizzled), ParamKind::tensor_map, Operand::a, mapA},
      {tensorMap(gemm.getBElement(), tileN, kBlockK, swizzled), ParamKind::tensor_map, Operand::b, mapB},
      scales(problem.sfaByTma(), tileM, ShapedType::kDynamic, gemm.getAScale(), Operand::sfa, sfa),
      scales(problem.sfbByTma(), tileN, llvm::divideCeil(gemm.getN(), problem.sfbRows), gemm.getBScale(), Operand::sfb,
             sfb)};
  if (problem.loadsC())
    parameters.push_back(
        {tensorMap(dElement, tileM, panelWidth, panelSwizzle), ParamKind::tensor_map, Operand::c, mapC});
  parameters.push_back(
      {tensorMap(dElement, kFragmentRows, panelWidth, panelSwizzle), ParamKind::tensor_map, Operand::d, mapD});
  parameters.push_back({builder.getIndexType(), ParamKind::extent_m, Operand::none, extentM});

  SmallVector<Type> types;
  for (const Parameter &parameter : parameters)
    types.push_back(parameter.type);
  Type tile = inShared({blocks * config.getConsumers(), tileN / panelWidth, kFragmentRows, panelWidth}, dElement);
  builder.setInsertionPointToEnd(module.getBody());
  auto func = gpu::GPUFuncOp::create(builder, name(), builder.getFunctionType(types, {}), tile);
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    func.setArgAttr(i, "hopper.param", ParamAttr::get(context, parameter.kind, parameter.operand));
    parameter.value = func.getArgument(i);
  }
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  auto layout = [&](ScaleAttr scale) { return builder.getStringAttr(stringifyScaleLayout(scale.getLayout())); };
  func->setAttr("hopper.problem",
                ProblemAttr::get(context, builder.getStringAttr("gemm"), gemm.getM(), gemm.getN(), gemm.getK(),
                                 gemm.getAElement(), gemm.getBElement(), cUseOf(gemm), dElement,
                                 layout(gemm.getAScale()), layout(gemm.getBScale()), problem.sfbRows));
  func->setAttr("hopper.launch", LaunchAttr::get(context, kThreadsPerWarpgroup * (1 + config.getConsumers()), tileM,
                                                 tileN, config.getStages(), config.getConsumers()));
  return func;
}

void KernelBuilder::build(gpu::GPUModuleOp module) {
  gpu::GPUFuncOp func = createFunction(module);
  staging = func.getWorkgroupAttributions().front();

  builder.setInsertionPointToStart(&func.getBody().front());
  if (problem.loadsC())
    cRing = RingCreateOp::create(builder, cRingType());
  ring = RingCreateOp::create(builder, ringType());
  afterConstants = &func.getBody().front().front();
  RingInitOp::create(builder, ring);
  if (cRing)
    RingInitOp::create(builder, cRing);
  FenceMbarrierInitOp::create(builder);
  gpu::BarrierOp::create(builder);
  scheduleTiles();

  auto roles = WarpSpecializeOp::create(builder, config.getProducerRegisters(), config.getConsumers(),
                                        config.getConsumerRegisters());
  gpu::ReturnOp::create(builder);

  builder.createBlock(&roles.getProducer());
  buildProducer();
  if (!problem.sfaByTma() || !problem.sfbByTma()) {
    builder.createBlock(&roles.getHelper());
    buildHelper();
  }
  Block *consumer = builder.createBlock(&roles.getConsumer(), {}, builder.getIndexType(), builder.getLoc());
  buildConsumer(consumer->getArgument(0));
}

void KernelBuilder::buildProducer() {
  forEachTile([&](Tile tile) {
    auto loop = scf::ForOp::create(builder, index(0), index(kBlocks), index(1));
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      Value k = loop.getInductionVar();
      Value column = arith::MulIOp::create(builder, k, index(kBlockK));
      auto acquire = RingAcquireOp::create(builder, ring, Filler::tma, Value(), Value());
      ValueRange buffers = acquire.getBuffers();
      TmaLoadOp::create(builder, mapA, tile.row, column, buffers[0], acquire.getSlot());
      TmaLoadOp::create(builder, mapB, tile.column, column, buffers[1], acquire.getSlot());
      if (problem.sfaByTma())
        TmaLoadOp::create(builder, sfa, k, tile.row, buffers[2], acquire.getSlot());
      if (problem.sfbByTma())
        TmaLoadOp::create(builder, sfb, k, tile.column, buffers.back(), acquire.getSlot());
      RingCommitOp::create(builder, acquire.getSlot());
    }
    if (cRing)
      loadC(tile);
  });
  YieldOp::create(builder);
}

/// The scales of a K block are fetched one block ahead, so that their latency
/// passes while the warp waits for an empty stage.
void KernelBuilder::buildHelper() {
  forEachTile([&](Tile tile) {
    auto fetch = [&](Value k) {
      SmallVector<Value> values;
      if (!problem.sfaByTma())
        values.push_back(fetchRowScales(tile, k));
      if (!problem.sfbByTma())
        values.push_back(fetchColumnScales(tile, k));
      return values;
    };
    SmallVector<Value> first = fetch(index(0));
    auto loop = scf::ForOp::create(builder, index(0), index(kBlocks), index(1), first);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value next = arith::AddIOp::create(builder, loop.getInductionVar(), index(1));
    SmallVector<Value> ahead = fetch(arith::MinUIOp::create(builder, next, index(kBlocks - 1)));
    auto acquire = RingAcquireOp::create(builder, ring, Filler::warps, Value(), Value());
    for (auto [values, buffer] : llvm::zip_equal(loop.getRegionIterArgs(), acquire.getBuffers()))
      PutScalesOp::create(builder, values, buffer);
    RingCommitOp::create(builder, acquire.getSlot());
    scf::YieldOp::create(builder, ahead);
  });
  YieldOp::create(builder);
}

void KernelBuilder::buildConsumer(Value group) {
  forEachTile([&](Tile tile) {
    Value zero = ZeroOp::create(builder, FragmentType::get(builder.getContext(), kFragmentRows, tileN));
    SmallVector<Value> zeros(blocks, zero);
    auto loop = scf::ForOp::create(builder, index(0), index(kBlocks), index(1), zeros);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      scf::YieldOp::create(builder, accumulate(wait(), group, loop.getRegionIterArgs()));
    }
    SmallVector<Value> sums = loop.getResults();
    store(tile, group, cRing ? addC(group, sums) : sums);
  });
  // Shared memory must outlive the last store's reads.
  TmaStoreWaitOp::create(builder, 0, /*read=*/true);
  YieldOp::create(builder);
}

//===----------------------------------------------------------------------===//
// Parts of the roles
//===----------------------------------------------------------------------===//

void KernelBuilder::scheduleTiles() {
  Value rowsRounded = arith::AddIOp::create(builder, extentM, index(tileM - 1));
  blockRows = arith::DivUIOp::create(builder, rowsRounded, index(tileM));
  blockColumns = index(llvm::divideCeil(gemm.getN(), tileN));
  tiles = arith::MulIOp::create(builder, blockRows, blockColumns);
  firstTile = gpu::BlockIdOp::create(builder, gpu::Dimension::x);
  tileStep = gpu::GridDimOp::create(builder, gpu::Dimension::x);
}

void KernelBuilder::forEachTile(function_ref<void(Tile)> body) {
  auto loop = scf::ForOp::create(builder, firstTile, tiles, tileStep);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  auto raster = RasterOp::create(builder, loop.getInductionVar(), blockRows, blockColumns, config.getRasterGroup());
  body({arith::MulIOp::create(builder, raster.getBlockRow(), index(tileM)),
        arith::MulIOp::create(builder, raster.getBlockColumn(), index(tileN))});
}

Value KernelBuilder::fetchRowScales(Tile tile, Value k) {
  auto values = VectorType::get(llvm::divideCeil(tileM, kThreadsPerWarp), builder.getF32Type());
  return FetchScalesOp::create(builder, values, sfa, tile.row, k, extentM, /*count=*/tileM, /*step=*/1, /*per=*/1);
}

Value KernelBuilder::fetchColumnScales(Tile tile, Value k) {
  int64_t count = tileN / columnsPerScale;
  auto values = VectorType::get(llvm::divideCeil(count, kThreadsPerWarp), builder.getF32Type());
  return FetchScalesOp::create(builder, values, sfb, tile.column, k, index(gemm.getN()), count, columnsPerScale,
                               problem.sfbRows);
}

KernelBuilder::Stage KernelBuilder::wait() {
  auto wait = RingWaitOp::create(builder, ring, Value(), Value());
  ValueRange buffers = wait.getBuffers();
  // Those that TMA fills are first: sfb, where only it is, is before sfa.
  bool sfbFirst = problem.sfbByTma() && !problem.sfaByTma();
  return {wait.getSlot(), buffers[0], buffers[1], buffers[sfbFirst ? 3 : 2], buffers[sfbFirst ? 2 : 3]};
}

void KernelBuilder::loadC(Tile tile) {
  auto acquire = RingAcquireOp::create(builder, cRing, Filler::tma, Value(), Value());
  TmaLoadOp::create(builder, mapC, tile.row, tile.column, acquire.getBuffers()[0], acquire.getSlot());
  RingCommitOp::create(builder, acquire.getSlot());
}

SmallVector<Value> KernelBuilder::addC(Value group, ValueRange accumulators) {
  auto wait = RingWaitOp::create(builder, cRing, Value(), Value());
  SmallVector<Value> sums;
  for (auto [i, accumulator] : llvm::enumerate(accumulators)) {
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    SmallVector<OpFoldResult> sizes;
    for (int64_t size : panels(kFragmentRows).getShape())
      sizes.push_back(builder.getIndexAttr(size));
    Value rows =
        memref::SubViewOp::create(builder, wait.getBuffers()[0], ArrayRef<OpFoldResult>{zero, blockRow(group, i), zero},
                                  sizes, ArrayRef<OpFoldResult>{one, one, one});
    Value c = LoadFragmentOp::create(builder, accumulator.getType(), rows);
    if (i + 1 == accumulators.size())
      RingReleaseOp::create(builder, wait.getSlot());
    sums.push_back(AddOp::create(builder, c, accumulator));
  }
  return sums;
}

SmallVector<Value> KernelBuilder::accumulate(Stage stage, Value group, ValueRange accumulators) {
  MLIRContext *context = builder.getContext();
  auto rowsType = ScalesType::get(context, kFragmentRows, Axis::rows, 1);
  auto columnsType = ScalesType::get(context, tileN, Axis::columns, columnsPerScale);
  SmallVector<Value> sums;
  Value columns, done;
  for (int64_t i = 0; i < blocks; ++i) {
    Value row = blockRow(group, i);
    auto cut = [&](Value buffer, ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> shape) -> Value {
      SmallVector<OpFoldResult> sizes, strides(shape.size(), builder.getIndexAttr(1));
      for (int64_t size : shape)
        sizes.push_back(builder.getIndexAttr(size));
      return memref::SubViewOp::create(builder, buffer, offsets, sizes, strides);
    };
    Value a = cut(stage.a, {row, builder.getIndexAttr(0)}, {kFragmentRows, kBlockK});
    Value sfaRows = cut(stage.sfa, {row}, {kFragmentRows});
    // Before the product: behind it, ptxas puts the loads and the scales' products
    // between the wgmmas, which then wait for them (docs/performance-log.md).
    Value rows = LoadScalesOp::create(builder, rowsType, sfaRows);
    if (!columns)
      columns = LoadScalesOp::create(builder, columnsType, stage.sfb);
    WgmmaFenceOp::create(builder);
    Value partial = MmaOp::create(builder, FragmentType::get(context, kFragmentRows, tileN), a, stage.b,
                                  /*reused=*/done);
    done = MmaWaitOp::create(builder, partial, 0);
    if (i + 1 == blocks)
      RingReleaseOp::create(builder, stage.slot);
    sums.push_back(PromoteOp::create(builder, done, rows, columns, accumulators[i]));
  }
  return sums;
}

void KernelBuilder::store(Tile tile, Value group, ValueRange accumulators) {
  // Named barrier 0 is gpu.barrier's.
  Value barrier = arith::AddIOp::create(builder, group, index(1));
  auto synchronize = [&] { NamedBarrierOp::create(builder, barrier, kThreadsPerWarpgroup); };
  auto panels = cast<MemRefType>(staging.getType());
  SmallVector<Value> blockPanels;
  for (int64_t i = 0; i < blocks; ++i) {
    Value block = group;
    if (blocks > 1)
      block = arith::AddIOp::create(builder, arith::MulIOp::create(builder, group, index(blocks)), index(i));
    SmallVector<OpFoldResult> offsets(4, builder.getIndexAttr(0)), sizes, strides(4, builder.getIndexAttr(1));
    offsets[0] = block;
    for (int64_t size : panels.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    sizes[0] = builder.getIndexAttr(1);
    auto type =
        memref::SubViewOp::inferRankReducedResultType(panels.getShape().drop_front(), panels, offsets, sizes, strides);
    blockPanels.push_back(memref::SubViewOp::create(builder, cast<MemRefType>(type), staging, offsets, sizes, strides));
  }

  // The previous tile's store must have read the staging.
  TmaStoreWaitOp::create(builder, 0, /*read=*/true);
  synchronize();
  for (auto [accumulator, panel] : llvm::zip_equal(accumulators, blockPanels))
    StoreFragmentOp::create(builder, accumulator, panel);
  FenceAsyncSharedOp::create(builder);
  synchronize();
  for (auto [i, panel] : llvm::enumerate(blockPanels))
    TmaStoreOp::create(builder, panel, mapD, arith::AddIOp::create(builder, tile.row, blockRow(group, i)), tile.column,
                       /*add=*/problem.addsInMemory());
}

Value KernelBuilder::index(int64_t value) {
  Value &constant = constants[value];
  if (!constant) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(afterConstants);
    constant = arith::ConstantIndexOp::create(builder, value);
  }
  return constant;
}

Value KernelBuilder::blockRow(Value group, int64_t i) {
  Value first = arith::MulIOp::create(builder, group, index(blocks * kFragmentRows));
  return i == 0 ? first : arith::AddIOp::create(builder, first, index(i * kFragmentRows));
}
