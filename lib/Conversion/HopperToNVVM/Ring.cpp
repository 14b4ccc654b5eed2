// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ring: mbarriers and the addresses of a stage's buffers.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// How long one try_wait may sleep before it looks again (ns): PTX ISA,
/// "mbarrier.try_wait". Correctness does not depend on it.
static constexpr int64_t kTryWaitNanoseconds = 10000000;

/// full or empty barrier of `stage`.
static Value barrierAddress(Emitter emit, Value ring, int64_t offsetOfStage0, Value stage) {
  return emit.offset(emit.offset(ring, offsetOfStage0), emit.mul(stage, emit.i32(8)));
}

/// {full, empty} of `stage`: what a slot becomes.
static SmallVector<Value> slotBarriers(Emitter emit, RingType type, Value ring, Value stage) {
  return {barrierAddress(emit, ring, type.getFullOffset(), stage),
          barrierAddress(emit, ring, type.getEmptyOffset(), stage)};
}

static Value bufferAddress(Emitter emit, RingType type, Value ring, unsigned buffer, Value stage) {
  return emit.offset(emit.offset(ring, type.getBufferOffset(buffer)),
                     emit.mul(stage, emit.i32(type.getBufferStride(buffer))));
}

/// Blocks until the barrier's phase of this parity has completed.
static void waitForPhase(Emitter emit, Value barrier, Value phase) {
  Value parity = arith::ExtUIOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), phase);
  NVVM::MBarrierTryWaitParityOp::create(emit.builder, emit.loc, barrier, parity, emit.i32(kTryWaitNanoseconds));
}

namespace {

/// ring.init -> thread 0 initialises every full and empty barrier.
struct LowerRingInit : OpConversionPattern<RingInitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingInitOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    RingType type = op.getRing().getType();
    Value ring = adaptor.getRing().front();
    emit.when(emit.equals(emit.thread(), 0), [&] {
      for (int64_t stage = 0; stage < type.getStages(); ++stage) {
        NVVM::MBarrierInitOp::create(rewriter, op.getLoc(), emit.offset(ring, type.getFullOffset() + 8 * stage),
                                     emit.i32(type.getFullArrivals()), Value());
        NVVM::MBarrierInitOp::create(rewriter, op.getLoc(), emit.offset(ring, type.getEmptyOffset() + 8 * stage),
                                     emit.i32(type.getEmptyArrivals()), Value());
      }
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// fence.mbarrier_init -> nvvm.fence.mbarrier.init.
struct LowerFenceMbarrierInit : OpConversionPattern<FenceMbarrierInitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FenceMbarrierInitOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::FenceMbarrierInitOp>(op);
    return success();
  }
};

/// ring.acquire -> wait for empty; by TMA: arrive at full with the expected bytes.
struct LowerRingAcquire : OpConversionPattern<RingAcquireOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingAcquireOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getStage())
      return rewriter.notifyMatchFailure(op, "has no position: run hopper-assign-stages first");
    Emitter emit{rewriter, op.getLoc()};
    RingType type = op.getRing().getType();
    Value ring = adaptor.getRing().front(), stage = emit.toI32(adaptor.getStage().front());
    SmallVector<Value> slot = slotBarriers(emit, type, ring, stage);
    waitForPhase(emit, slot[1], adaptor.getPhase().front());
    bool byTma = op.getFiller() == Filler::tma;
    if (byTma)
      NVVM::MBarrierArriveExpectTxOp::create(rewriter, op.getLoc(), Type(), slot[0], emit.i32(type.getExpectedBytes()),
                                             NVVM::MemScopeKind::CTA, /*relaxed=*/false, Value());
    SmallVector<SmallVector<Value>> results{slot};
    unsigned first = byTma ? 0 : type.getTma().size();
    for (unsigned i = 0; i < op.getBuffers().size(); ++i)
      results.push_back({bufferAddress(emit, type, ring, first + i, stage)});
    rewriter.replaceOpWithMultiple(op, std::move(results));
    return success();
  }
};

/// ring.commit -> by warps: each lane arrives at full, behind its own stores; by
/// TMA: nothing, the engine completes the armed bytes.
struct LowerRingCommit : OpConversionPattern<RingCommitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingCommitOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto acquire = op.getSlot().getDefiningOp<RingAcquireOp>();
    if (!acquire)
      return rewriter.notifyMatchFailure(op, "slot is not made by ring.acquire");
    if (acquire.getFiller() == Filler::warps)
      NVVM::MBarrierArriveOp::create(rewriter, op.getLoc(), Type(), adaptor.getSlot()[0], Value());
    rewriter.eraseOp(op);
    return success();
  }
};

/// ring.wait -> wait for full.
struct LowerRingWait : OpConversionPattern<RingWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingWaitOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getStage())
      return rewriter.notifyMatchFailure(op, "has no position: run hopper-assign-stages first");
    Emitter emit{rewriter, op.getLoc()};
    RingType type = op.getRing().getType();
    Value ring = adaptor.getRing().front(), stage = emit.toI32(adaptor.getStage().front());
    SmallVector<Value> slot = slotBarriers(emit, type, ring, stage);
    waitForPhase(emit, slot[0], adaptor.getPhase().front());
    SmallVector<SmallVector<Value>> results{slot};
    for (unsigned i = 0; i < op.getBuffers().size(); ++i)
      results.push_back({bufferAddress(emit, type, ring, i, stage)});
    rewriter.replaceOpWithMultiple(op, std::move(results));
    return success();
  }
};

/// ring.release -> each thread arrives at empty, behind its own reads. One arrival a
/// warp would need a branch and a warp barrier, and is no faster
/// (docs/performance-log.md).
struct LowerRingRelease : OpConversionPattern<RingReleaseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingReleaseOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    NVVM::MBarrierArriveOp::create(rewriter, op.getLoc(), Type(), adaptor.getSlot()[1], Value());
    rewriter.eraseOp(op);
    return success();
  }
};

/// ring.advance -> stage + 1, wrapped; the phase flips with the wrap.
struct LowerRingAdvance : OpConversionPattern<RingAdvanceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingAdvanceOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value stage = adaptor.getStage().front(), phase = adaptor.getPhase().front();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value stages = arith::ConstantIndexOp::create(rewriter, loc, op.getRing().getType().getStages());
    Value next = arith::AddIOp::create(rewriter, loc, stage, one);
    Value wraps = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, next, stages);
    Value nextStage = arith::SelectOp::create(rewriter, loc, wraps, zero, next);
    Value nextPhase = arith::XOrIOp::create(rewriter, loc, phase, wraps);
    rewriter.replaceOp(op, {nextStage, nextPhase});
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateRingPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerRingInit, LowerFenceMbarrierInit, LowerRingAcquire, LowerRingCommit, LowerRingWait,
               LowerRingRelease, LowerRingAdvance>(converter, patterns.getContext());
}
