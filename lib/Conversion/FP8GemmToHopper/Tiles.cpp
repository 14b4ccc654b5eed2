// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel's tiles: how they are shared, and what follows from where one is.

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Form = config::Grouping;

void KernelBuilder::tabulateGroups() {
  if (problem.grouping != Form::KCount) {
    auto by = problem.grouping == Form::RowEnd ? hopper::Grouping::row_end : hopper::Grouping::row_count;
    ScanGroupsOp::create(builder, groups, by, extentM, tileM * config.getClusterM(), problem.groupAlign, table);
    return;
  }
  ScanGroupsOp::create(builder, groups, hopper::Grouping::k_count, extentK, kBlockK, /*align=*/1, table);
  gpu::BarrierOp::create(builder);
  MakeGroupMapsOp::create(builder, mapA, a, extentM, table, workspace, /*slot=*/0, /*slots=*/2);
  MakeGroupMapsOp::create(builder, mapB, b, index(product.getN()), table, workspace, /*slot=*/1, /*slots=*/2);
}

TileKind KernelBuilder::tileKind() {
  switch (problem.grouping) {
  case Form::None:
    return config.getSplitK() > 1 ? TileKind::split_k : TileKind::plain;
  case Form::Batched:
    return TileKind::batched;
  case Form::RowEnd:
  case Form::RowCount:
    return TileKind::rows_by_table;
  case Form::RowIndex:
    return TileKind::rows_by_index;
  case Form::KCount:
    return TileKind::k_by_table;
  }
  return TileKind::plain;
}

void KernelBuilder::scheduleTiles() {
  // The last tile ends where TMA can address its scales.
  int64_t endsAt = !problem.endsTilesWithA() ? 0 : problem.sfaByTma() ? config::kScalesAligned : 1;
  auto schedule = TileScheduleAttr::get(builder.getContext(), tileKind(), tileM, tileN, product.getN(), kBlocks,
                                        config.getRasterGroup(), problem.isGrouped() ? problem.groups : 1,
                                        config.getClusterM(), config.getClusterN(), config.getSplitK(), endsAt);
  work = TilesOp::create(builder, problem.m ? index(*problem.m) : extentM, schedule, table ? table : groups);
  if (cluster > 1)
    rank = gpu::ClusterBlockIdOp::create(builder, gpu::Dimension::x);
}

void KernelBuilder::forEachTile(function_ref<void(Value)> body, function_ref<void(Value)> empty) {
  OpBuilder::InsertionGuard guard(builder);
  auto loop = ForTilesOp::create(builder, work);
  auto build = [&](Region &region, function_ref<void(Value)> fill) {
    Type index = builder.getIndexType();
    Type types[] = {TileType::get(builder.getContext()), index, index, index};
    Block *block = builder.createBlock(&region, {}, types, SmallVector<Location>(4, builder.getLoc()));
    begin = block->getArgument(1), firstBlock = block->getArgument(2), blockCount = block->getArgument(3);
    bool isCountKnown = problem.grouping != Form::KCount && kBlocks % config.getSplitK() == 0;
    if (isCountKnown)
      blockCount = this->index(kBlocks / config.getSplitK());
    fill(block->getArgument(0));
    builder.setInsertionPointToEnd(block);
    YieldOp::create(builder);
  };
  if (empty)
    build(loop.getEmpty(), empty);
  build(loop.getBody(), body);
}

KernelBuilder::Tile KernelBuilder::locate(Value tile) {
  auto place = LocateOp::create(builder, tile);
  return {place.getRow(), place.getColumn(), problem.isGrouped() ? place.getGroup() : Value(), place.getEnd()};
}

Value KernelBuilder::mapOf(Value map, int64_t slot, const Tile &tile) {
  if (problem.grouping != Form::KCount)
    return map;
  return GroupMapOp::create(builder, map.getType(), tile.group, workspace, problem.groups, slot, /*slots=*/2);
}

Value KernelBuilder::kBlock(Value i) {
  return config.getSplitK() == 1 ? i : arith::AddIOp::create(builder, firstBlock, i);
}

Value KernelBuilder::scaleBlock(Value i) {
  return problem.grouping == Form::KCount ? arith::AddIOp::create(builder, begin, i) : i;
}

Value KernelBuilder::storedRows(const Tile &tile) {
  if (!problem.storesParts())
    return Value();
  if (problem.grouping != Form::RowIndex)
    return restFrom(tile.end, tile.row); // none, if the group ends before this CTA's tile
  Value group = arith::IndexCastUIOp::create(builder, builder.getI32Type(), tile.group);
  return CountRowsOp::create(builder, groups, tile.row, group, extentM, tileM);
}

Value KernelBuilder::shiftOfScales() {
  // Tiles have multiples of 8 rows, so the group's begin says it.
  return arith::RemUIOp::create(builder, begin, index(config::kScalesAligned));
}

Value KernelBuilder::firstScale(const Tile &tile) {
  return problem.shiftsScales() ? arith::SubIOp::create(builder, tile.row, shiftOfScales()) : tile.row;
}

Value KernelBuilder::restFrom(Value rows, Value first) {
  Value atLeast = arith::MaxUIOp::create(builder, rows, first);
  return arith::SubIOp::create(builder, atLeast, first);
}
