// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel and its roles.

#include "KernelBuilder.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static void buildConsumer(const Facts &facts, KernelEmitter emit, Tiles &tiles, MainLoop &mainLoop, Epilogue &epilogue,
                          Value number) {
  ImplicitLocOpBuilder &builder = emit.builder;
  Warpgroup warpgroup{number, {}};
  for (int64_t i = 0; i < facts.results; ++i) {
    Value first = emit.mul(number, facts.results * kFragmentRows);
    warpgroup.firstRows.push_back(named("first_row", emit.add(first, i * kFragmentRows)));
  }
  auto zeros = [&] { return SmallVector<Value>(facts.fragments, emit.zero(facts.accumulator())); };
  auto compute = [&](const Tile &tile) {
    SmallVector<Value> sums = mainLoop.accumulate(tile, warpgroup, zeros());
    LocateOp place = tiles.locate(tile); // not before: the first product need not wait for it
    epilogue.finish(place, warpgroup, std::move(sums));
  };
  auto storeZeros = [&](const Tile &tile) {
    LocateOp place = tiles.locate(tile);
    epilogue.finish(place, warpgroup, zeros());
  };
  if (facts.storesEmptyGroups())
    tiles.forEach(compute, storeZeros);
  else
    tiles.forEach(compute);
  // Not before: CTAs of the next kernel would take the first SMs to be free, and consecutive CTAs,
  // which read the same rows of B, would not be neighbours.
  GriddepcontrolOp::create(builder, Dependence::launch_dependents);
  // Shared memory must outlive the last store's reads, and what the cluster reads and writes there.
  TmaStoreWaitOp::create(builder, 0, /*read=*/true);
  if (facts.cluster > 1)
    ClusterBarrierOp::create(builder);
  YieldOp::create(builder);
}

void fp8gemm::buildKernel(const Facts &facts, gpu::GPUModuleOp module) {
  const config::Problem &problem = facts.problem;
  ProductOpInterface product = facts.product;
  ConfigAttr config = facts.config;
  Signature signature(facts, module);
  ImplicitLocOpBuilder builder(product->getLoc(), OpBuilder::atBlockEnd(signature.body()));
  KernelEmitter emit(builder, signature.body());

  std::optional<Value> ringOfC;
  if (problem.loadsC())
    ringOfC = RingCreateOp::create(builder, facts.ringOfC());
  Value ring = RingCreateOp::create(builder, facts.ring());
  RingInitOp::create(builder, ring);
  if (ringOfC)
    RingInitOp::create(builder, *ringOfC);
  // Kernels before this one may have written what is read from here on.
  if (problem.isTabulated()) {
    GriddepcontrolOp::create(builder, Dependence::wait);
    Tiles::tabulate(facts, signature, emit);
  }
  FenceOp::create(builder, FenceKind::mbarrier_init);
  if (facts.sharesRing())
    ClusterBarrierOp::create(builder);
  else
    gpu::BarrierOp::create(builder);
  if (!problem.isTabulated())
    GriddepcontrolOp::create(builder, Dependence::wait);

  Tiles tiles(facts, signature, emit);
  MainLoop mainLoop(facts, signature, tiles, emit, ring);
  Epilogue epilogue(facts, signature, tiles, emit, ringOfC);
  auto roles = WarpSpecializeOp::create(builder, config.getProducerRegisters(), config.getConsumers(),
                                        config.getConsumerRegisters());
  roles.setUnroll(facts.unroll);
  YieldOp::create(builder);

  builder.createBlock(&roles.getProducer());
  auto load = [&](const Tile &tile) {
    LocateOp place = tiles.locate(tile);
    mainLoop.load(tile, place);
    epilogue.load(place);
  };
  auto loadOnlyC = [&](const Tile &tile) { epilogue.load(tiles.locate(tile)); };
  if (ringOfC && facts.storesEmptyGroups())
    tiles.forEach(load, loadOnlyC);
  else
    tiles.forEach(load);
  YieldOp::create(builder);

  if (!problem.sfaByTma() || !problem.sfbByTma()) {
    builder.createBlock(&roles.getHelper());
    tiles.forEach([&](const Tile &tile) {
      LocateOp place = tiles.locate(tile);
      mainLoop.fetchScales(tile, place);
    });
    YieldOp::create(builder);
  }
  Block *consumer = builder.createBlock(&roles.getConsumer(), {}, builder.getIndexType(), builder.getLoc());
  buildConsumer(facts, emit, tiles, mainLoop, epilogue, consumer->getArgument(0));
}
