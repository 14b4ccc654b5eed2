// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

//===----------------------------------------------------------------------===//
// The kernel and its roles
//===----------------------------------------------------------------------===//

void KernelBuilder::build(gpu::GPUModuleOp module) {
  gpu::GPUFuncOp func = createFunction(module);
  staging = func.getWorkgroupAttributions().front();
  exchange = func.getWorkgroupAttributions().back(); // used if K is split
  if (problem.isTabulated())
    table = func.getWorkgroupAttributions().back();

  builder.setInsertionPointToStart(&func.getBody().front());
  if (problem.loadsC())
    cRing = RingCreateOp::create(builder, cRingType());
  ring = RingCreateOp::create(builder, ringType());
  afterConstants = &func.getBody().front().front();
  RingInitOp::create(builder, ring);
  if (cRing)
    RingInitOp::create(builder, cRing);
  // Kernels before this one may have written what is read from here on.
  if (table) {
    GriddepcontrolWaitOp::create(builder);
    tabulateGroups();
  }
  FenceMbarrierInitOp::create(builder);
  if (cluster > 1)
    ClusterBarrierOp::create(builder);
  else
    gpu::BarrierOp::create(builder);
  if (!table)
    GriddepcontrolWaitOp::create(builder);
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
  auto loadAll = [&](Value number) {
    Tile tile = locate(number);
    Value a = mapOf(mapA, /*slot=*/0, tile), b = mapOf(mapB, /*slot=*/1, tile);
    auto loop = scf::ForOp::create(builder, index(0), blockCount, index(1));
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      Value k = kBlock(loop.getInductionVar());
      Value column = arith::MulIOp::create(builder, k, index(kBlockK));
      auto acquire = RingAcquireOp::create(builder, ring, Filler::tma, Value(), Value());
      ValueRange buffers = acquire.getBuffers();
      Value slot = acquire.getSlot();
      Value groupOfA = problem.hasGroupsOfA() ? tile.group : Value();
      Value groupOfB = problem.hasGroupsOfB() ? tile.group : Value();
      load(a, tile.row, column, groupOfA, buffers[0], slot, config.getClusterN() > 1);
      load(b, tile.column, column, groupOfB, buffers[1], slot, config.getClusterM() > 1);
      Value scales = scaleBlock(k);
      if (problem.sfaByTma())
        load(sfa, scales, firstScale(tile), groupOfA, buffers[2], slot, /*shared=*/false);
      if (problem.sfbByTma())
        load(sfb, scales, tile.column, groupOfB, buffers.back(), slot, /*shared=*/false);
      RingCommitOp::create(builder, acquire.getSlot());
    }
    if (cRing)
      loadC(tile);
  };
  auto loadCAlone = [&](Value number) { loadC(locate(number)); };
  if (cRing && writesEmptyGroups())
    forEachTile(loadAll, loadCAlone);
  else
    forEachTile(loadAll);
  YieldOp::create(builder);
}

/// The scales of a K block are fetched one block ahead, so that their latency
/// passes while the warp waits for an empty stage.
void KernelBuilder::buildHelper() {
  forEachTile([&](Value number) {
    Tile tile = locate(number);
    auto fetch = [&](Value i) {
      Value k = scaleBlock(i);
      SmallVector<Value> values;
      if (!problem.sfaByTma())
        values.push_back(fetchRowScales(tile, k));
      if (!problem.sfbByTma())
        values.push_back(fetchColumnScales(tile, k));
      return values;
    };
    SmallVector<Value> first = fetch(kBlock(index(0)));
    auto loop = scf::ForOp::create(builder, index(0), blockCount, index(1), first);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value next = kBlock(arith::AddIOp::create(builder, loop.getInductionVar(), index(1)));
    bool ownCount = problem.grouping == config::Grouping::KCount;
    Value last = ownCount ? arith::SubIOp::create(builder, blockCount, index(1)) : index(kBlocks - 1);
    SmallVector<Value> ahead = fetch(arith::MinUIOp::create(builder, next, last));
    auto acquire = RingAcquireOp::create(builder, ring, Filler::warps, Value(), Value());
    for (auto [values, buffer] : llvm::zip_equal(loop.getRegionIterArgs(), acquire.getBuffers()))
      PutScalesOp::create(builder, values, buffer);
    RingCommitOp::create(builder, acquire.getSlot());
    scf::YieldOp::create(builder, ahead);
  });
  YieldOp::create(builder);
}

void KernelBuilder::buildConsumer(Value group) {
  for (int64_t i = 0; i < blocks; ++i) {
    Value first = arith::MulIOp::create(builder, group, index(blocks * kFragmentRows));
    firstRows.push_back(i == 0 ? first : arith::AddIOp::create(builder, first, index(i * kFragmentRows)));
  }
  auto zeros = [&] {
    Value zero = ZeroOp::create(builder, FragmentType::get(builder.getContext(), kFragmentRows, columns));
    return SmallVector<Value>(blocks, zero);
  };
  auto finish = [&](Tile tile, SmallVector<Value> sums) {
    if (cRing)
      sums = addC(group, sums);
    if (config.getSplitK() > 1)
      reduceAndStore(tile, group, sums);
    else
      store(tile, group, sums);
  };
  auto compute = [&](Value number) {
    if (problem.shiftsScales())
      shift = shiftOfScales();
    SmallVector<Value> sums = mainLoop(group, zeros());
    Tile tile = locate(number); // not before: the first product need not wait for it
    finish(tile, sums);
  };
  auto finishZeros = [&](Value number) { finish(locate(number), zeros()); };
  if (writesEmptyGroups())
    forEachTile(compute, finishZeros);
  else
    forEachTile(compute);
  // Not before: CTAs of the next kernel would take the first SMs to be free, and consecutive CTAs,
  // which read the same rows of B, would not be neighbours.
  GriddepcontrolLaunchDependentsOp::create(builder);
  // Shared memory must outlive the last store's reads, and what the cluster reads and writes there.
  TmaStoreWaitOp::create(builder, 0, /*read=*/true);
  if (cluster > 1)
    ClusterBarrierOp::create(builder);
  YieldOp::create(builder);
}

//===----------------------------------------------------------------------===//
// Parts of the roles
//===----------------------------------------------------------------------===//

void KernelBuilder::load(Value map, Value row, Value column, Value group, Value buffer, Value slot, bool shared) {
  if (shared) {
    auto tile = cast<MemRefType>(buffer.getType());
    int64_t rows = tile.getDimSize(0) / cluster;
    Value firstRow = arith::MulIOp::create(builder, rank, index(rows));
    row = arith::AddIOp::create(builder, row, firstRow);
    buffer = cut(buffer, {firstRow, builder.getIndexAttr(0)}, {rows, kBlockK});
  }
  TmaLoadOp::create(builder, map, row, column, group, buffer, slot, shared);
}

Value KernelBuilder::cut(Value buffer, ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> shape) {
  SmallVector<OpFoldResult> sizes, strides(offsets.size(), builder.getIndexAttr(1));
  for (int64_t i = offsets.size() - shape.size(); i > 0; --i)
    sizes.push_back(builder.getIndexAttr(1));
  for (int64_t size : shape)
    sizes.push_back(builder.getIndexAttr(size));
  auto type =
      memref::SubViewOp::inferRankReducedResultType(shape, cast<MemRefType>(buffer.getType()), offsets, sizes, strides);
  return memref::SubViewOp::create(builder, cast<MemRefType>(type), buffer, offsets, sizes, strides);
}

Value KernelBuilder::fetchRowScales(Tile tile, Value k) {
  auto values = VectorType::get(llvm::divideCeil(tileM, kThreadsPerWarp), builder.getF32Type());
  return FetchScalesOp::create(builder, values, sfa, tile.row, k, problem.hasGroupsOfA() ? tile.group : Value(),
                               extentM, /*count=*/tileM,
                               /*step=*/1, /*per=*/1);
}

Value KernelBuilder::fetchColumnScales(Tile tile, Value k) {
  int64_t count = tileN / columnsPerScale;
  auto values = VectorType::get(llvm::divideCeil(count, kThreadsPerWarp), builder.getF32Type());
  return FetchScalesOp::create(builder, values, sfb, tile.column, k, problem.hasGroupsOfB() ? tile.group : Value(),
                               index(product.getN()), count, columnsPerScale, problem.sfbRows);
}

KernelBuilder::Stage KernelBuilder::wait() {
  auto wait = RingWaitOp::create(builder, ring, Value(), Value());
  ValueRange buffers = wait.getBuffers();
  // Those that TMA fills are first: sfb, where only it is, is before sfa.
  bool sfbFirst = problem.sfbByTma() && !problem.sfaByTma();
  Value sfa = buffers[sfbFirst ? 3 : 2], sfb = buffers[sfbFirst ? 2 : 3];
  if (cast<MemRefType>(sfa.getType()).getRank() > 1) // came in several boxes
    sfa = memref::CollapseShapeOp::create(builder, sfa, ArrayRef<ReassociationIndices>{{0, 1, 2}});
  return {wait.getSlot(), buffers[0], buffers[1], sfa, sfb};
}

void KernelBuilder::loadC(Tile tile) {
  auto acquire = RingAcquireOp::create(builder, cRing, Filler::tma, Value(), Value());
  TmaLoadOp::create(builder, mapC, tile.row, tile.column, tile.group, acquire.getBuffers()[0], acquire.getSlot());
  RingCommitOp::create(builder, acquire.getSlot());
}

SmallVector<Value> KernelBuilder::addC(Value group, ValueRange accumulators) {
  auto wait = RingWaitOp::create(builder, cRing, Value(), Value());
  SmallVector<Value> sums;
  OpFoldResult zero = builder.getIndexAttr(0);
  for (auto [i, accumulator] : llvm::enumerate(accumulators)) {
    Value rows = cut(wait.getBuffers()[0], {zero, firstRows[i], zero}, panels(kFragmentRows).getShape());
    Value c = LoadFragmentOp::create(builder, accumulator.getType(), rows);
    if (i + 1 == accumulators.size())
      RingReleaseOp::create(builder, wait.getSlot());
    sums.push_back(arith::AddFOp::create(builder, c, accumulator));
  }
  return sums;
}

void KernelBuilder::reduceAndStore(Tile tile, Value group, ValueRange accumulators) {
  OpFoldResult zero = builder.getIndexAttr(0);
  for (auto [i, accumulator] : llvm::enumerate(accumulators))
    PutFragmentOp::create(
        builder, accumulator,
        cut(exchange, {fragmentIndex(group, i), zero, zero, zero}, {columns / 8, kThreadsPerWarpgroup, 4}));
  ClusterBarrierOp::create(builder);
  OpBuilder::InsertionGuard guard(builder);
  int64_t storing = columns / storedColumns;
  if (storing < config.getSplitK()) {
    Value stores = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, rank, index(storing));
    auto branch = scf::IfOp::create(builder, stores, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
  }
  Value firstOctet = arith::MulIOp::create(builder, rank, index(storedColumns / 8));
  auto type = FragmentType::get(builder.getContext(), kFragmentRows, storedColumns);
  SmallVector<Value> sums;
  for (int64_t i = 0; i < blocks; ++i) {
    Value part =
        cut(exchange, {fragmentIndex(group, i), firstOctet, zero, zero}, {storedColumns / 8, kThreadsPerWarpgroup, 4});
    sums.push_back(SumFragmentsOp::create(builder, type, part, config.getSplitK()));
  }
  Value &first = swap ? tile.row : tile.column;
  first = arith::AddIOp::create(builder, first, arith::MulIOp::create(builder, rank, index(storedColumns)));
  store(tile, group, sums);
}

void KernelBuilder::store(Tile tile, Value group, ValueRange accumulators) {
  // Named barrier 0 is gpu.barrier's.
  Value barrier = arith::AddIOp::create(builder, group, index(1));
  auto synchronize = [&] { NamedBarrierOp::create(builder, barrier, kThreadsPerWarpgroup); };
  OpFoldResult zero = builder.getIndexAttr(0);
  SmallVector<Value> blockPanels;
  for (int64_t i = 0; i < blocks; ++i)
    blockPanels.push_back(cut(staging, {fragmentIndex(group, i), zero, zero, zero},
                              cast<MemRefType>(staging.getType()).getShape().drop_front()));

  // The previous tile's store must have read the staging; with split K there is none.
  if (config.getSplitK() == 1) {
    TmaStoreWaitOp::create(builder, 0, /*read=*/true);
    synchronize();
  }
  for (auto [accumulator, panel] : llvm::zip_equal(accumulators, blockPanels))
    StoreFragmentOp::create(builder, accumulator, panel, /*transposed=*/swap);
  FenceAsyncSharedOp::create(builder);
  synchronize();
  Value rows = storedRows(tile);
  for (auto [i, panel] : llvm::enumerate(blockPanels)) {
    Tile block = tile;
    Value &first = swap ? block.column : block.row;
    first = arith::AddIOp::create(builder, first, firstRows[i]);
    if (rows)
      storePart(block, panel, swap ? rows : restFrom(rows, firstRows[i]));
    else
      TmaStoreOp::create(builder, panel, mapD, block.row, block.column, block.group,
                         /*add=*/problem.addsInMemory());
  }
}

/// Rows of a group are followed by others in memory, which TMA would overwrite.
void KernelBuilder::storePart(Tile block, Value panel, Value rows) {
  Value group = problem.hasGroupsOfA() ? block.group : Value();
  Value whole = index(cast<MemRefType>(panel.getType()).getDimSize(1));
  Value isWhole = arith::CmpIOp::create(builder, arith::CmpIPredicate::uge, rows, whole);
  auto branch = scf::IfOp::create(builder, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  TmaStoreOp::create(builder, panel, mapD, block.row, block.column, group, /*add=*/false);
  builder.setInsertionPointToStart(&branch.getElseRegion().front());
  StoreRowsOp::create(builder, rows, panel, d, block.row, block.column, group);
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

Value KernelBuilder::fragmentIndex(Value group, int64_t i) {
  if (blocks == 1)
    return group;
  return arith::AddIOp::create(builder, arith::MulIOp::create(builder, group, index(blocks)), index(i));
}
