// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kinds of tile schedules share: the grid, the tiles of a matrix and their raster order.

#include "TileSchedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// What x / r multiplies by, and shifts the product right by: exact where x * r < 2^31.
static constexpr int64_t kDivisorOne = int64_t(1) << 31, kDivisorBits = 31;

Value TileSchedule::ceilDiv(Value extent, int64_t divisor) {
  Value up = arith::AddIOp::create(builder, extent, index(divisor - 1));
  return arith::DivUIOp::create(builder, up, index(divisor));
}

/// Groups that share a matrix of B follow each other: their numbers are as far apart as there are matrices.
Value TileSchedule::groupAt(Value position) {
  int64_t sharing = schedule.getSharing();
  if (sharing == 1)
    return position;
  Value matrix = arith::DivUIOp::create(builder, position, index(sharing));
  Value inMatrix = arith::RemUIOp::create(builder, position, index(sharing));
  Value before = arith::MulIOp::create(builder, inMatrix, index(schedule.getGroups() / sharing));
  return arith::AddIOp::create(builder, before, matrix);
}

void TileSchedule::prepare() {
  prepareLastRow();
  tileColumns = index(llvm::divideCeil(schedule.getN(), schedule.getTileN() * schedule.getClusterN()));
  tileRows = countTileRows();
  if (hasDivisor() && schedule.getRaster() > 1)
    prepareDivisor();
  end = countTiles(arith::MulIOp::create(builder, tileRows, tileColumns));
  constexpr auto x = gpu::Dimension::x;
  if (schedule.getClusterM() * schedule.getClusterN() * schedule.getSplitK() == 1) {
    first = gpu::BlockIdOp::create(builder, x);
    step = gpu::GridDimOp::create(builder, x);
    return;
  }
  // Beyond the edge of D a cluster's further tiles are its last one again, or empty: their loads bring zeros, their
  // stores write nothing.
  first = gpu::ClusterIdOp::create(builder, x);
  step = gpu::ClusterDimOp::create(builder, x);
  rank = gpu::ClusterBlockIdOp::create(builder, x);
}

/// The last tile of rows ends with M (or starts where TMA can address its scales): what it has of the tile before
/// it comes out with the same bits. Rows outside M cost more than rows: TMA is slow to fill them with zeros.
void TileSchedule::prepareLastRow() {
  int64_t unit = schedule.getEndsAt(), tile = schedule.getTileM();
  if (unit == 0)
    return;
  if (std::optional<int64_t> rows = getConstantIntValue(op.getRows())) {
    if (*rows % (tile * schedule.getClusterM()) != 0)
      lastRow = index(std::max<int64_t>(llvm::alignTo(*rows, unit) - tile, 0));
    return;
  }
  Value end = op.getRows();
  if (unit > 1) {
    end = ceilDiv(end, unit);
    end = arith::MulIOp::create(builder, end, index(unit));
  }
  Value atLeast = arith::MaxUIOp::create(builder, end, index(tile));
  lastRow = arith::SubIOp::create(builder, atLeast, index(tile));
}

Value TileSchedule::countTileRows() {
  int64_t rows = schedule.getTileM() * schedule.getClusterM();
  if (std::optional<int64_t> all = getConstantIntValue(op.getRows()))
    return index(llvm::divideCeil(*all, rows));
  return ceilDiv(op.getRows(), rows);
}

Started TileSchedule::start(Value, ValueRange, bool) { return {Value(), index(0), index(0), index(schedule.getKBlocks())}; }

//===----------------------------------------------------------------------===//
// Raster order
//===----------------------------------------------------------------------===//

namespace {
/// Arithmetic of 32 bits.
struct Arithmetic {
  Value i32(int64_t value) { return arith::ConstantIntOp::create(builder, value, 32); }
  Value toI32(Value value) { return arith::IndexCastUIOp::create(builder, builder.getI32Type(), value); }
  Value toIndex(Value value) { return arith::IndexCastUIOp::create(builder, builder.getIndexType(), value); }
  Value wide(Value value) { return arith::ExtUIOp::create(builder, builder.getI64Type(), value); }
  ImplicitLocOpBuilder &builder;
};
} // namespace

/// A division once a kernel, before its roles start, so that finding a tile takes a multiplication.
void TileSchedule::prepareDivisor() {
  Arithmetic emit{builder};
  int64_t rasterRows = schedule.getRaster();
  Value rows = emit.toI32(tileRows);
  rows = arith::RemUIOp::create(builder, rows, emit.i32(rasterRows));
  Value isNone = arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, rows, emit.i32(0));
  rows = arith::SelectOp::create(builder, isNone, emit.i32(rasterRows), rows); // no smaller last raster: a whole one
  Value quotient = arith::DivUIOp::create(builder, emit.i32(int32_t(kDivisorOne)), rows);
  divisor = arith::AddIOp::create(builder, quotient, emit.i32(1));
}

/// The row and the column of tiles that a tile is in.
std::pair<Value, Value> TileSchedule::raster(Value tile, Value tileRows) {
  int64_t rasterRows = schedule.getRaster();
  Value tilesInRaster = arith::MulIOp::create(builder, index(rasterRows), tileColumns);
  Value firstRow = arith::DivUIOp::create(builder, tile, tilesInRaster);
  Value inRaster = arith::RemUIOp::create(builder, tile, tilesInRaster);
  if (rasterRows == 1)
    return {firstRow, inRaster};
  Arithmetic emit{builder};
  firstRow = emit.toI32(firstRow);
  firstRow = arith::MulIOp::create(builder, firstRow, emit.i32(rasterRows));
  Value rowsLeft = arith::SubIOp::create(builder, emit.toI32(tileRows), firstRow);
  Value isWhole = arith::CmpIOp::create(builder, arith::CmpIPredicate::uge, rowsLeft, emit.i32(rasterRows));
  Value rows = arith::SelectOp::create(builder, isWhole, emit.i32(rasterRows), rowsLeft);
  Value number = emit.toI32(inRaster), column;
  if (divisor) {
    Value by = arith::SelectOp::create(builder, isWhole, emit.i32(kDivisorOne / rasterRows + 1), divisor);
    Value wideNumber = emit.wide(number), wideBy = emit.wide(by);
    Value product = arith::MulIOp::create(builder, wideNumber, wideBy);
    Value bits = arith::ConstantIntOp::create(builder, kDivisorBits, 64);
    Value shifted = arith::ShRUIOp::create(builder, product, bits);
    column = arith::TruncIOp::create(builder, builder.getI32Type(), shifted);
  } else {
    column = arith::DivUIOp::create(builder, number, rows);
  }
  Value before = arith::MulIOp::create(builder, column, rows);
  Value row = arith::SubIOp::create(builder, number, before);
  Value tileRow = emit.toIndex(arith::AddIOp::create(builder, firstRow, row));
  return {tileRow, emit.toIndex(column)};
}

Place TileSchedule::locateIn(Value tile, Value tileRows) {
  auto [tileRow, tileColumn] = raster(tile, tileRows);
  auto first = [&](Value number, int64_t tileExtent, int64_t clusterExtent) -> Value {
    Value position = arith::MulIOp::create(builder, number, index(tileExtent * clusterExtent));
    if (clusterExtent == 1)
      return position;
    return arith::AddIOp::create(builder, position, arith::MulIOp::create(builder, rank, index(tileExtent)));
  };
  Place place;
  place.row = first(tileRow, schedule.getTileM(), schedule.getClusterM());
  if (lastRow)
    place.row = arith::MinUIOp::create(builder, place.row, lastRow);
  place.column = first(tileColumn, schedule.getTileN(), schedule.getClusterN());
  place.group = index(0);
  place.end = op.getRows();
  return place;
}
