// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ways to break which tiles a CTA works on: what hopper-expand-tiles makes arithmetic of.

#include "Mutations.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fp8gemm::hopper;
using fp8gemm::schedule::Level;
using fp8gemm::schedule::Mutation;

namespace {

TileScheduleAttr withNumbers(TileScheduleAttr s, int64_t n, int64_t kBlocks, int64_t raster, int64_t groups) {
  return TileScheduleAttr::get(s.getContext(), s.getKind(), s.getTileM(), s.getTileN(), n, kBlocks, raster, groups,
                               s.getClusterM(), s.getClusterN(), s.getSplitK(), s.getEndsAt(), s.getSharing());
}

/// A role walks the tiles in an order of its own.
bool walkInOtherOrder(Operation *op) {
  auto loop = cast<ForTilesOp>(op);
  auto tiles = loop.getWork().getDefiningOp<TilesOp>();
  OpBuilder builder(tiles);
  TileScheduleAttr schedule = tiles.getSchedule();
  auto own = cast<TilesOp>(builder.clone(*tiles));
  own.setScheduleAttr(withNumbers(schedule, schedule.getN(), schedule.getKBlocks(), schedule.getRaster() == 1 ? 2 : 1,
                                  schedule.getGroups()));
  loop.getWorkMutable().assign(own.getWork());
  return true;
}

bool swapPlace(Operation *op) {
  auto locate = cast<LocateOp>(op);
  Value row = locate.getRow(), column = locate.getColumn();
  llvm::SmallVector<OpOperand *> ofRow, ofColumn;
  for (auto [value, uses] : {std::pair(row, &ofRow), std::pair(column, &ofColumn)})
    for (OpOperand &use : value.getUses())
      uses->push_back(&use);
  for (OpOperand *use : ofRow)
    use->set(column);
  for (OpOperand *use : ofColumn)
    use->set(row);
  return !ofRow.empty() || !ofColumn.empty();
}

TileScheduleAttr scheduleOf(LocateOp locate) {
  auto loop = cast<ForTilesOp>(cast<BlockArgument>(locate.getTile()).getOwner()->getParentOp());
  return loop.getWork().getDefiningOp<TilesOp>().getSchedule();
}

/// All tiles are of the first group.
bool locateInFirstGroup(Operation *op) {
  auto locate = cast<LocateOp>(op);
  if (locate.getGroup().use_empty() || scheduleOf(locate).getGroups() == 1)
    return false;
  OpBuilder builder(op);
  locate.getGroup().replaceAllUsesWith(arith::ConstantIndexOp::create(builder, op->getLoc(), 0));
  return true;
}

/// Groups whose rows follow each other in D end where D does.
bool locateUntilEnd(Operation *op) {
  auto locate = cast<LocateOp>(op);
  if (locate.getEnd().use_empty() || scheduleOf(locate).getKind() != TileKind::rows_by_table)
    return false;
  auto loop = cast<ForTilesOp>(cast<BlockArgument>(locate.getTile()).getOwner()->getParentOp());
  locate.getEnd().replaceAllUsesWith(loop.getWork().getDefiningOp<TilesOp>().getRows());
  return true;
}

} // namespace

void fp8gemm::schedule::addTileMutations(std::vector<Mutation> &all) {
  auto add = [&](StringRef op, StringRef what, std::function<bool(Operation *)> apply) {
    all.push_back({op.str(), what.str(), std::move(apply), Level::Written});
  };
  add("hopper.for_tiles", "dropped", [](Operation *op) {
    op->erase();
    return true;
  });
  add("hopper.for_tiles", "in another raster order", walkInOtherOrder);
  add("hopper.locate", "row and column swapped", swapPlace);
  add("hopper.locate", "group = 0", locateInFirstGroup);
  add("hopper.locate", "end = rows", locateUntilEnd);
  add("hopper.tiles", "n - tile_n", [](Operation *op) {
    TileScheduleAttr s = cast<TilesOp>(op).getSchedule();
    if (s.getKind() == TileKind::split_k) // has no loop: the launcher says how many tiles there are
      return false;
    int64_t n = s.getN() - s.getTileN();
    cast<TilesOp>(op).setScheduleAttr(withNumbers(s, n, s.getKBlocks(), s.getRaster(), s.getGroups()));
    return true;
  });
  add("hopper.tiles", "k_blocks - 1", [](Operation *op) {
    TileScheduleAttr s = cast<TilesOp>(op).getSchedule();
    if (s.getKBlocks() < 2) // one has to be left, and k_by_table has none
      return false;
    cast<TilesOp>(op).setScheduleAttr(withNumbers(s, s.getN(), s.getKBlocks() - 1, s.getRaster(), s.getGroups()));
    return true;
  });
  add("hopper.tiles", "groups - 1", [](Operation *op) {
    TileScheduleAttr s = cast<TilesOp>(op).getSchedule();
    if (s.getGroups() == 1 || s.getSharing() > 1)
      return false;
    cast<TilesOp>(op).setScheduleAttr(withNumbers(s, s.getN(), s.getKBlocks(), s.getRaster(), s.getGroups() - 1));
    return true;
  });
}
