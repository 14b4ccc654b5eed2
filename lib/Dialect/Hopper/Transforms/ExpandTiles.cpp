// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-expand-tiles: loops over tiles become arithmetic.

#include "TileSchedules.h"

#include "fp8gemm/Dialect/Hopper/IR/Emitter.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_EXPANDTILESPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// Expands one hopper.tiles and the loops over it.
class Expansion {
public:
  Expansion(TilesOp tiles, KernelOp kernel)
      : tiles(tiles), builder(tiles.getLoc(), tiles), emit(builder, &kernel.getBody().front()),
        index([this](int64_t value) { return emit.constant(value); }),
        schedule(TileSchedule::create(tiles, builder, index)) {}

  void run() {
    schedule->prepare();
    SmallVector<Operation *> users(tiles->getUsers()); // from the last to the first
    for (Operation *user : llvm::reverse(users))
      expand(cast<ForTilesOp>(user));
    tiles.erase();
  }

private:
  /// hopper.for_tiles -> scf.for over tile numbers, and scf.if where a tile may have no work. What is looked up of the
  /// next tile is carried by both.
  void expand(ForTilesOp op) {
    builder.setLoc(op.getLoc());
    builder.setInsertionPoint(op);
    Value tile = schedule->first;
    SmallVector<Value> lookedUp = schedule->lookUp(tile);
    looksAhead = !lookedUp.empty();
    if (schedule->isLoop()) {
      auto loop = scf::ForOp::create(builder, schedule->first, schedule->end, schedule->step, lookedUp);
      builder.setInsertionPointToStart(loop.getBody());
      tile = loop.getInductionVar();
      lookedUp.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    }
    auto usesBegin = [](Region &region) { return !region.empty() && !region.getArgument(1).use_empty(); };
    Started started = schedule->start(tile, lookedUp, usesBegin(op.getBody()) || usesBegin(op.getEmpty()));
    scf::IfOp branch;
    if (started.hasWork) {
      bool hasEmpty = !op.getEmpty().empty();
      branch = scf::IfOp::create(builder, ValueRange(lookedUp).getTypes(), started.hasWork, /*addThenBlock=*/true,
                                 /*addElseBlock=*/hasEmpty || looksAhead);
      if (branch.elseBlock()) {
        builder.setInsertionPointToStart(branch.elseBlock());
        SmallVector<Value> ahead = hasEmpty ? inlineBody(op.getEmpty().front(), tile, started) : lookAhead(tile);
        scf::YieldOp::create(builder, ahead);
      }
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    SmallVector<Value> ahead = inlineBody(op.getBody().front(), tile, started);
    if (branch)
      scf::YieldOp::create(builder, ahead);
    if (looksAhead) {
      builder.setInsertionPointAfter(branch);
      scf::YieldOp::create(builder, branch.getResults());
    }
    op.erase();
  }

  SmallVector<Value> lookAhead(Value tile) {
    if (!looksAhead)
      return {};
    return schedule->lookUp(arith::AddIOp::create(builder, tile, schedule->step));
  }

  /// Moves the operations of `body` to the insertion point; returns what is looked up of the next tile. That is done
  /// where this tile is located: consumers do it before they store D, while no sum waits for it.
  SmallVector<Value> inlineBody(Block &body, Value tile, const Started &started) {
    SmallVector<Value> ahead;
    for (Operation *user : llvm::make_early_inc_range(body.getArgument(0).getUsers())) {
      auto locate = cast<LocateOp>(user);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(locate);
      if (ahead.empty() && locate->getBlock() == &body)
        ahead = lookAhead(tile);
      Place place = schedule->locate(tile);
      locate->replaceAllUsesWith(ValueRange{place.row, place.column, place.group, place.end});
      locate.erase();
    }
    Value values[] = {started.begin, started.kBegin, started.kCount};
    for (auto [argument, value] : llvm::zip_equal(body.getArguments().drop_front(), values))
      argument.replaceAllUsesWith(value);
    body.getTerminator()->erase();
    builder.getInsertionBlock()->getOperations().splice(builder.getInsertionPoint(), body.getOperations());
    return ahead.empty() ? lookAhead(tile) : ahead;
  }

  TilesOp tiles;
  ImplicitLocOpBuilder builder;
  KernelEmitter emit;
  std::function<Value(int64_t)> index;
  std::unique_ptr<TileSchedule> schedule;
  bool looksAhead = false;
};

/// Where a launch attribute says how large tiles and clusters are, both say the same.
LogicalResult checkLaunch(TilesOp tiles, KernelOp kernel) {
  TileScheduleAttr schedule = tiles.getSchedule();
  auto launch = kernel.getLaunchAttr();
  if (!launch || (launch.getTileM() == schedule.getTileM() && launch.getTileN() == schedule.getTileN() &&
                  launch.getClusterM() == schedule.getClusterM() && launch.getClusterN() == schedule.getClusterN() &&
                  launch.getSplitK() == schedule.getSplitK()))
    return success();
  return tiles.emitOpError() << "expected the tiles and clusters of the kernel's launch, " << launch << ", got "
                             << schedule;
}

/// What is expanded away has no other users.
LogicalResult checkUsers(TilesOp tiles) {
  auto check = [](Value value, auto isKnown, StringRef name) -> LogicalResult {
    for (Operation *user : value.getUsers())
      if (!isKnown(user))
        return user->emitOpError() << "expected " << value.getType() << " to be used by " << name << " only";
    return success();
  };
  if (failed(check(tiles.getWork(), [](Operation *op) { return isa<ForTilesOp>(op); }, "hopper.for_tiles")))
    return failure();
  for (Operation *user : tiles->getUsers())
    for (Region &region : user->getRegions())
      if (!region.empty() &&
          failed(check(region.getArgument(0), [](Operation *op) { return isa<LocateOp>(op); }, "hopper.locate")))
        return failure();
  return success();
}

class ExpandTiles : public OnEach<KernelOp, fp8gemm::hopper::impl::ExpandTilesPassBase<ExpandTiles>> {
  LogicalResult runOn(KernelOp kernel) override {
    SmallVector<TilesOp> all;
    kernel.walk([&](TilesOp tiles) { all.push_back(tiles); });
    for (TilesOp tiles : all) {
      if (tiles->getBlock() != &kernel.getBody().front())
        return tiles.emitOpError() << "expected to be at the kernel's top level, before the roles";
      if (failed(checkUsers(tiles)) || failed(checkLaunch(tiles, kernel)))
        return failure();
      Expansion(tiles, kernel).run();
    }
    return success();
  }
};

} // namespace
