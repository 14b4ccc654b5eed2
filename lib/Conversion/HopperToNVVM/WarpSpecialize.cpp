// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roles: which warps run which region, and with how many registers.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

/// hopper.warp_specialize -> one scf.if on the warpgroup: the producer's warpgroup
/// gives registers away and splits by warp, the consumers take them.
struct LowerWarpSpecialize : OpConversionPattern<WarpSpecializeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(WarpSpecializeOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getUnroll() != 1)
      return rewriter.notifyMatchFailure(op, "has loops to unroll: run hopper-unroll first");
    Emitter emit{rewriter, op.getLoc()};
    // Uniform over the warp; the shuffle makes this known to the compiler.
    Value allLanes = emit.i32(-1), ownWarp = emit.div(emit.thread(), kThreadsPerWarp);
    Value firstLane = emit.i32(0), lastLane = emit.i32(kThreadsPerWarp - 1);
    Value warp = NVVM::ShflOp::create(rewriter, op.getLoc(), rewriter.getI32Type(), allLanes, ownWarp, firstLane,
                                      lastLane, NVVM::ShflKind::idx, UnitAttr());
    Value warpgroup = emit.div(warp, kThreadsPerWarpgroup / kThreadsPerWarp);
    auto roles = scf::IfOp::create(rewriter, op.getLoc(), emit.equals(warpgroup, 0), /*withElseRegion=*/true);

    rewriter.setInsertionPointToStart(&roles.getThenRegion().front());
    setRegisters(rewriter, op.getLoc(), op.getProducerRegisters(), NVVM::SetMaxRegisterAction::decrease);
    emit.when(emit.equals(warp, 0), [&] {
      Value elected = NVVM::ElectSyncOp::create(rewriter, op.getLoc(), rewriter.getI1Type(), Value());
      emit.when(elected, [&] { moveRole(op.getProducer(), {}, rewriter); });
    });
    if (!op.getHelper().empty())
      emit.when(emit.equals(warp, 1), [&] { moveRole(op.getHelper(), {}, rewriter); });

    rewriter.setInsertionPointToStart(&roles.getElseRegion().front());
    setRegisters(rewriter, op.getLoc(), op.getConsumerRegisters(), NVVM::SetMaxRegisterAction::increase);
    Value consumer = arith::SubIOp::create(rewriter, op.getLoc(), warpgroup, emit.i32(1));
    consumer = arith::IndexCastUIOp::create(rewriter, op.getLoc(), rewriter.getIndexType(), consumer);
    moveRole(op.getConsumer(), consumer, rewriter);
    rewriter.eraseOp(op);
    return success();
  }

  static void setRegisters(OpBuilder &builder, Location loc, int64_t count, NVVM::SetMaxRegisterAction action) {
    NVVM::SetMaxRegisterOp::create(builder, loc, count, action);
  }

  /// Moves the body of a role to the insertion point.
  static void moveRole(Region &role, ValueRange arguments, ConversionPatternRewriter &rewriter) {
    Block &body = role.front();
    rewriter.eraseOp(body.getTerminator());
    rewriter.inlineBlockBefore(&body, rewriter.getInsertionBlock(), rewriter.getInsertionPoint(), arguments);
  }
};

} // namespace

void fp8gemm::hopper::populateWarpSpecializePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerWarpSpecialize>(converter, patterns.getContext());
}
