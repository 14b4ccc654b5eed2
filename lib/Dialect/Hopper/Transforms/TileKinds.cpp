// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kinds of tile schedules.

#include "TileSchedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// K elements of a K block.
static constexpr int64_t kBlockK = 128;

namespace {

/// plain -> the tile's number in raster order.
struct Plain : TileSchedule {
  using TileSchedule::TileSchedule;
  Place locate(Value tile) override { return locateIn(tile, tileRows); }
};

/// split_k -> one tile a cluster; the K blocks of a CTA follow from its rank.
struct SplitK : Plain {
  using Plain::Plain;

  void prepare() override {
    Plain::prepare();
    int64_t blocks = schedule.getKBlocks(), ranks = schedule.getSplitK();
    firstBlock = blocksBefore(rank);
    if (blocks % ranks == 0) {
      blockCount = index(blocks / ranks);
      return;
    }
    Value endBlock = blocksBefore(arith::AddIOp::create(builder, rank, index(1)));
    blockCount = arith::SubIOp::create(builder, endBlock, firstBlock);
  }

  Started start(Value, ValueRange, bool) override { return {Value(), index(0), firstBlock, blockCount}; }

private:
  Value blocksBefore(Value rank) {
    Value scaled = arith::MulIOp::create(builder, rank, index(schedule.getKBlocks()));
    return arith::DivUIOp::create(builder, scaled, index(schedule.getSplitK()));
  }

  Value firstBlock, blockCount;
};

/// batched -> a division by the tiles of a group.
struct Batched : TileSchedule {
  using TileSchedule::TileSchedule;

  Value countTiles(Value inMatrix) override {
    tilesPerGroup = inMatrix;
    return arith::MulIOp::create(builder, inMatrix, index(schedule.getGroups()));
  }

  Place locate(Value tile) override {
    Place place = locateIn(arith::RemUIOp::create(builder, tile, tilesPerGroup), tileRows);
    place.group = groupOf(tile);
    return place;
  }

protected:
  virtual Value groupOf(Value tile) { return groupAt(arith::DivUIOp::create(builder, tile, tilesPerGroup)); }

  Value tilesPerGroup;
};

/// rows_by_table -> hopper.find_group; tiles are those of the group's own rows.
struct RowsByTable : TileSchedule {
  using TileSchedule::TileSchedule;

  Value countTileRows() override {
    Value all = memref::LoadOp::create(builder, op.getGroups(), ValueRange{index(schedule.getGroups()), index(0)});
    return arith::IndexCastUIOp::create(builder, builder.getIndexType(), all);
  }
  bool hasDivisor() override { return false; }

  Started start(Value tile, ValueRange lookedUp, bool usesBegin) override {
    Started started = TileSchedule::start(tile, lookedUp, usesBegin);
    found = nullptr;
    if (usesBegin) {
      found = findGroup(tile);
      started.begin = found.getBegin();
    }
    return started;
  }

  Place locate(Value tile) override {
    FindGroupOp group = found ? found : findGroup(tile);
    Value length = arith::SubIOp::create(builder, group.getEnd(), group.getBegin());
    Value before = arith::MulIOp::create(builder, group.getChunksBefore(), tileColumns);
    Value inGroup = arith::SubIOp::create(builder, tile, before);
    Place place = locateIn(inGroup, ceilDiv(length, schedule.getTileM() * schedule.getClusterM()));
    place.row = arith::AddIOp::create(builder, group.getBegin(), place.row);
    place.group = groupAt(group.getGroup()), place.end = group.getEnd();
    return place;
  }

private:
  FindGroupOp findGroup(Value tile) {
    return FindGroupOp::create(builder, arith::DivUIOp::create(builder, tile, tileColumns), op.getGroups());
  }

  FindGroupOp found; ///< if the role has found it at the tile's start
};

/// rows_by_index -> a load at the tile's first row, a tile ahead. Tiles whose index is no group are skipped.
struct RowsByIndex : TileSchedule {
  using TileSchedule::TileSchedule;

  void prepare() override {
    TileSchedule::prepare();
    last = arith::SubIOp::create(builder, end, index(1));
  }

  SmallVector<Value> lookUp(Value tile) override {
    Value existing = arith::MinUIOp::create(builder, tile, last);
    Place at = locateIn(existing, tileRows);
    // One group for all tiles of a cluster: that of its first row.
    Value first = at.row;
    if (schedule.getClusterM() > 1)
      first = arith::SubIOp::create(builder, first, arith::MulIOp::create(builder, rank, index(schedule.getTileM())));
    Value entry = memref::LoadOp::create(builder, op.getGroups(), first);
    return {at.row, at.column, entry};
  }

  Started start(Value tile, ValueRange lookedUp, bool usesBegin) override {
    Started started = TileSchedule::start(tile, lookedUp, usesBegin);
    Value group = arith::IndexCastUIOp::create(builder, builder.getIndexType(), lookedUp[2]);
    place = {lookedUp[0], lookedUp[1], group, op.getRows()};
    started.hasWork = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, group, index(schedule.getGroups()));
    return started;
  }

  Place locate(Value) override { return place; }

private:
  Value last; ///< tile
  Place place;
};

/// k_by_table -> a division; the K blocks of the group, and how many are before it, are looked up in the table.
struct KByTable : Batched {
  using Batched::Batched;

  Started start(Value tile, ValueRange, bool) override {
    group = arith::DivUIOp::create(builder, tile, tilesPerGroup);
    auto entry = [&](int64_t column) -> Value {
      Value value = memref::LoadOp::create(builder, op.getGroups(), ValueRange{group, index(column)});
      return arith::IndexCastUIOp::create(builder, builder.getIndexType(), value);
    };
    Value before = entry(0), begin = entry(1);
    Value count = ceilDiv(arith::SubIOp::create(builder, entry(2), begin), kBlockK);
    Value hasWork = arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, count, index(0));
    return {hasWork, before, index(0), count};
  }

protected:
  Value groupOf(Value) override { return group; }

private:
  Value group;
};

} // namespace

std::unique_ptr<TileSchedule> TileSchedule::create(TilesOp tiles, ImplicitLocOpBuilder &builder,
                                                   function_ref<Value(int64_t)> index) {
  switch (tiles.getSchedule().getKind()) {
  case TileKind::plain:
    return std::make_unique<Plain>(tiles, builder, index);
  case TileKind::split_k:
    return std::make_unique<SplitK>(tiles, builder, index);
  case TileKind::batched:
    return std::make_unique<Batched>(tiles, builder, index);
  case TileKind::rows_by_table:
    return std::make_unique<RowsByTable>(tiles, builder, index);
  case TileKind::rows_by_index:
    return std::make_unique<RowsByIndex>(tiles, builder, index);
  case TileKind::k_by_table:
    return std::make_unique<KByTable>(tiles, builder, index);
  }
  return nullptr;
}
