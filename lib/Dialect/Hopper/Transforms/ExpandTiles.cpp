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
  /// hopper.for_tiles -> scf.for over tile numbers, and scf.if where a tile may have no work
  void expand(ForTilesOp op) {
    builder.setLoc(op.getLoc());
    builder.setInsertionPoint(op);
    Value tile = schedule->first;
    if (schedule->isLoop()) {
      auto loop = scf::ForOp::create(builder, schedule->first, schedule->end, schedule->step);
      builder.setInsertionPointToStart(loop.getBody());
      tile = loop.getInductionVar();
    }
    auto usesBegin = [](Region &region) { return !region.empty() && !region.getArgument(1).use_empty(); };
    Started started = schedule->start(tile, usesBegin(op.getBody()) || usesBegin(op.getEmpty()));
    if (started.hasWork) {
      bool hasElse = !op.getEmpty().empty();
      auto branch = scf::IfOp::create(builder, started.hasWork, hasElse);
      if (hasElse) {
        builder.setInsertionPointToStart(branch.elseBlock());
        inlineBody(op.getEmpty().front(), tile, started);
      }
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    inlineBody(op.getBody().front(), tile, started);
    op.erase();
  }

  /// Moves the operations of `body` to the insertion point.
  void inlineBody(Block &body, Value tile, const Started &started) {
    for (Operation *user : llvm::make_early_inc_range(body.getArgument(0).getUsers())) {
      auto locate = cast<LocateOp>(user);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(locate);
      Place place = schedule->locate(tile);
      locate->replaceAllUsesWith(ValueRange{place.row, place.column, place.group, place.end});
      locate.erase();
    }
    Value values[] = {started.begin, started.kBegin, started.kCount};
    for (auto [argument, value] : llvm::zip_equal(body.getArguments().drop_front(), values))
      argument.replaceAllUsesWith(value);
    body.getTerminator()->erase();
    builder.getInsertionBlock()->getOperations().splice(builder.getInsertionPoint(), body.getOperations());
  }

  TilesOp tiles;
  ImplicitLocOpBuilder builder;
  KernelEmitter emit;
  std::function<Value(int64_t)> index;
  std::unique_ptr<TileSchedule> schedule;
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
