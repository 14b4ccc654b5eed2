// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles a CTA computes, and where each of them is.

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Form = config::Grouping;


Value KernelBuilder::ceilDiv(Value extent, int64_t divisor) {
  return arith::DivUIOp::create(builder, arith::AddIOp::create(builder, extent, index(divisor - 1)), index(divisor));
}

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

Value KernelBuilder::mapOf(Value map, int64_t slot, const Tile &tile) {
  if (problem.grouping != Form::KCount)
    return map;
  return GroupMapOp::create(builder, map.getType(), tile.group, workspace, problem.groups, slot, /*slots=*/2);
}

Value KernelBuilder::scaleBlock(const Tile &tile, Value i) {
  return problem.grouping == Form::KCount ? arith::AddIOp::create(builder, tile.blocksBefore, i) : i;
}

/// The last tile of rows ends with A (or starts where TMA can address its scales): what it has of the tile before
/// it comes out with the same bits. Rows outside A cost more than rows: TMA is slow to fill them with zeros.
void KernelBuilder::endTilesWithA() {
  bool surelyDoes = problem.m && *problem.m % (tileM * config.getClusterM()) == 0;
  if (!problem.endsTilesWithA() || surelyDoes)
    return;
  int64_t step = problem.sfaByTma() ? config::kScalesAligned : 1;
  if (problem.m) {
    lastRow = index(std::max<int64_t>(llvm::alignTo(*problem.m, step) - tileM, 0));
    return;
  }
  Value end = extentM;
  if (step > 1)
    end = arith::MulIOp::create(builder, ceilDiv(extentM, step), index(step));
  lastRow = restFrom(end, index(tileM));
}

/// Tiles are dealt out to clusters. Beyond the edge of D a cluster's further tiles are
/// its last one again, or empty: their loads bring zeros, their stores write nothing.
void KernelBuilder::scheduleTiles() {
  int64_t clusterRows = tileM * config.getClusterM(), clusterColumns = tileN * config.getClusterN();
  endTilesWithA();
  blockColumns = index(llvm::divideCeil(product.getN(), clusterColumns));
  if (table && problem.grouping != Form::KCount) {
    Value all = memref::LoadOp::create(builder, table, ValueRange{index(problem.groups), index(0)});
    blockRows = arith::IndexCastUIOp::create(builder, builder.getIndexType(), all);
  } else if (problem.m) {
    blockRows = index(llvm::divideCeil(*problem.m, clusterRows));
  } else {
    blockRows = ceilDiv(extentM, clusterRows);
  }
  if (!problem.storesParts() || problem.grouping == Form::RowIndex)
    rasterDivisor = RasterDivisorOp::create(builder, builder.getI32Type(), blockRows, config.getRasterGroup());
  tiles = arith::MulIOp::create(builder, blockRows, blockColumns);
  if (problem.grouping == Form::Batched || problem.grouping == Form::KCount) {
    tilesPerGroup = tiles;
    tiles = arith::MulIOp::create(builder, tiles, index(problem.groups));
  }
  blockCount = index(kBlocks);
  constexpr auto x = gpu::Dimension::x;
  if (cluster == 1) {
    firstTile = gpu::BlockIdOp::create(builder, x);
    tileStep = gpu::GridDimOp::create(builder, x);
    return;
  }
  firstTile = gpu::ClusterIdOp::create(builder, x);
  tileStep = gpu::ClusterDimOp::create(builder, x);
  rank = gpu::ClusterBlockIdOp::create(builder, x);
  if (config.getSplitK() == 1)
    return;
  auto blocksBefore = [&](Value rank) -> Value {
    Value scaled = arith::MulIOp::create(builder, rank, index(kBlocks));
    return arith::DivUIOp::create(builder, scaled, index(config.getSplitK()));
  };
  firstBlock = blocksBefore(rank);
  if (kBlocks % config.getSplitK() == 0) {
    blockCount = index(kBlocks / config.getSplitK());
    return;
  }
  Value endBlock = blocksBefore(arith::AddIOp::create(builder, rank, index(1)));
  blockCount = arith::SubIOp::create(builder, endBlock, firstBlock);
}

Value KernelBuilder::kBlock(Value i) {
  return config.getSplitK() == 1 ? i : arith::AddIOp::create(builder, firstBlock, i);
}

void KernelBuilder::forEachTile(function_ref<void(Value)> body, function_ref<void(Value)> otherwise) {
  OpBuilder::InsertionGuard guard(builder);
  Value tile = firstTile;
  // With split K every cluster has one tile.
  if (config.getSplitK() == 1) {
    auto loop = scf::ForOp::create(builder, firstTile, tiles, tileStep);
    builder.setInsertionPointToStart(loop.getBody());
    tile = loop.getInductionVar();
  }
  if (Value hasWork = start(tile)) {
    auto branch = scf::IfOp::create(builder, hasWork, /*withElseRegion=*/bool(otherwise));
    if (otherwise) {
      builder.setInsertionPointToStart(&branch.getElseRegion().front());
      otherwise(tile);
    }
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
  }
  body(tile);
}

Value KernelBuilder::start(Value tile) {
  started = Tile();
  if (problem.grouping == Form::RowIndex) {
    // Tiles whose first row is of no group, or of one that is not there, are nobody's.
    started = locateByIndex(tile);
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, started.group, index(problem.groups));
  }
  if (problem.shiftsScales())
    started = findGroup(tile);
  if (problem.grouping != Form::KCount)
    return Value();
  started.group = arith::DivUIOp::create(builder, tile, tilesPerGroup);
  auto entry = [&](int64_t column) -> Value {
    Value value = memref::LoadOp::create(builder, table, ValueRange{started.group, index(column)});
    return arith::IndexCastUIOp::create(builder, builder.getIndexType(), value);
  };
  started.blocksBefore = entry(0);
  Value begin = entry(1);
  blockCount = ceilDiv(arith::SubIOp::create(builder, entry(2), begin), kBlockK);
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, blockCount, index(0));
}

KernelBuilder::Tile KernelBuilder::locate(Value tile) {
  switch (problem.grouping) {
  case Form::RowIndex:
    return started;
  case Form::RowEnd:
  case Form::RowCount: {
    Tile found = started.group ? started : findGroup(tile);
    Value length = arith::SubIOp::create(builder, found.end, found.begin);
    Value before = arith::MulIOp::create(builder, found.blocksBefore, blockColumns);
    Tile in = locateIn(arith::SubIOp::create(builder, tile, before), ceilDiv(length, tileM * config.getClusterM()));
    found.row = arith::AddIOp::create(builder, found.begin, in.row), found.column = in.column;
    return found;
  }
  case Form::Batched:
  case Form::KCount: {
    Tile in = locateIn(arith::RemUIOp::create(builder, tile, tilesPerGroup), blockRows);
    in.group = started.group ? started.group : arith::DivUIOp::create(builder, tile, tilesPerGroup);
    in.blocksBefore = started.blocksBefore;
    return in;
  }
  case Form::None:
    break;
  }
  return locateIn(tile, blockRows);
}

KernelBuilder::Tile KernelBuilder::findGroup(Value tile) {
  auto found = FindGroupOp::create(builder, arith::DivUIOp::create(builder, tile, blockColumns), table);
  Tile group;
  group.group = found.getGroup(), group.blocksBefore = found.getBlocksBefore();
  group.begin = found.getBegin(), group.end = found.getEnd();
  return group;
}

KernelBuilder::Tile KernelBuilder::locateByIndex(Value tile) {
  Tile located = locateIn(tile, blockRows);
  // One group for all tiles of a cluster: that of its first row.
  Value first = located.row;
  if (config.getClusterM() > 1)
    first = arith::SubIOp::create(builder, first, arith::MulIOp::create(builder, rank, index(tileM)));
  Value entry = memref::LoadOp::create(builder, groups, first);
  located.group = arith::IndexCastUIOp::create(builder, builder.getIndexType(), entry);
  return located;
}

KernelBuilder::Tile KernelBuilder::locateIn(Value tile, Value blockRows) {
  auto raster = RasterOp::create(builder, tile, blockRows, blockColumns, config.getRasterGroup(), rasterDivisor);
  auto first = [&](Value block, int64_t tileExtent, int64_t clusterExtent) -> Value {
    Value position = arith::MulIOp::create(builder, block, index(tileExtent * clusterExtent));
    if (clusterExtent == 1)
      return position;
    return arith::AddIOp::create(builder, position, arith::MulIOp::create(builder, rank, index(tileExtent)));
  };
  Tile located;
  located.row = first(raster.getBlockRow(), tileM, config.getClusterM());
  if (lastRow)
    located.row = arith::MinUIOp::create(builder, located.row, lastRow);
  located.column = first(raster.getBlockColumn(), tileN, config.getClusterN());
  return located;
}

Value KernelBuilder::storedRows(const Tile &tile) {
  if (tile.end)
    return restFrom(tile.end, tile.row); // none, if the group ends before this CTA's tile
  if (problem.grouping != Form::RowIndex)
    return Value();
  Value group = arith::IndexCastUIOp::create(builder, builder.getI32Type(), tile.group);
  return CountRowsOp::create(builder, groups, tile.row, group, extentM, tileM);
}

Value KernelBuilder::shiftOfScales(const Tile &tile) {
  // Tiles have multiples of 8 rows, so the group's begin says it.
  return arith::RemUIOp::create(builder, tile.begin, index(config::kScalesAligned));
}

Value KernelBuilder::firstScale(const Tile &tile) {
  return problem.shiftsScales() ? arith::SubIOp::create(builder, tile.row, shiftOfScales(tile)) : tile.row;
}

Value KernelBuilder::restFrom(Value rows, Value first) {
  Value atLeast = arith::MaxUIOp::create(builder, rows, first);
  return arith::SubIOp::create(builder, atLeast, first);
}
