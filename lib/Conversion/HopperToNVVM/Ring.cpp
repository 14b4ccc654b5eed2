// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ring: mbarriers and the addresses of a stage's buffers.

#include "DebugRings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {
/// The stage that an access names, as addresses.
struct Stage {
  template <typename Op, typename Adaptor>
  Stage(Emitter emit, Op op, Adaptor adaptor)
      : emit(emit), type(op.getRing().getType()), ring(adaptor.getRing().front()),
        index(emit.toI32(adaptor.getStage().front())), full(at(type.getFullOffset(), 8)),
        empty(at(type.getEmptyOffset(), 8)) {}

  /// The address of an object at `offset` in stage 0, and `stride` bytes further in each next stage.
  Value at(int64_t offset, int64_t stride) {
    Value first = emit.offset(ring, offset);
    return emit.offset(first, emit.mul(index, stride));
  }

  /// Results of an access that returns `count` buffers from `first`: the slot, then
  /// their addresses.
  SmallVector<SmallVector<Value>> results(unsigned first, unsigned count) {
    SmallVector<SmallVector<Value>> values{{full, empty}};
    for (unsigned buffer = first; buffer < first + count; ++buffer)
      values.push_back({at(type.getBufferOffset(buffer), type.getBufferStride(buffer))});
    return values;
  }

  Emitter emit;
  RingType type;
  Value ring, index, full, empty;
};
} // namespace

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
        auto initialise = [&](int64_t offset, int64_t arrivals) {
          Value barrier = emit.offset(ring, offset + 8 * stage);
          NVVM::MBarrierInitOp::create(rewriter, op.getLoc(), barrier, emit.i32(arrivals), Value());
        };
        initialise(type.getFullOffset(), type.getFullArrivals());
        initialise(type.getEmptyOffset(), type.getEmptyArrivals());
      }
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// A pattern for an operation that waits for a stage.
template <typename Op> struct LowerRingAccess : OpConversionPattern<Op> {
  LowerRingAccess(NVVMTypeConverter &converter, MLIRContext *context, const DebugWaits *waits)
      : OpConversionPattern<Op>(converter, context), waits(waits) {}

  /// Blocks until the barrier's phase of this parity has completed.
  void waitForPhase(Emitter emit, Op op, Value barrier, Value phase, Value stage) const {
    Value parity = arith::ExtUIOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), phase);
    if (waits)
      waitWithLimit(emit, op, barrier, parity, stage, *waits);
    else
      NVVM::MBarrierTryWaitParityOp::create(emit.builder, emit.loc, barrier, parity, emit.i32(kTryWaitNanoseconds));
  }

  const DebugWaits *waits;
};

/// ring.acquire -> wait for empty; by TMA: arrive at full with the expected bytes.
struct LowerRingAcquire : LowerRingAccess<RingAcquireOp> {
  using LowerRingAccess::LowerRingAccess;
  LogicalResult matchAndRewrite(RingAcquireOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getStage())
      return rewriter.notifyMatchFailure(op, "has no position: run hopper-assign-stages first");
    Emitter emit{rewriter, op.getLoc()};
    Stage stage(emit, op, adaptor);
    waitForPhase(emit, op, stage.empty, adaptor.getPhase().front(), stage.index);
    bool byTma = op.getFiller() == Filler::tma;
    if (byTma)
      NVVM::MBarrierArriveExpectTxOp::create(rewriter, op.getLoc(), Type(), stage.full,
                                             emit.i32(stage.type.getExpectedBytes()), NVVM::MemScopeKind::CTA,
                                             /*relaxed=*/false, Value());
    rewriter.replaceOpWithMultiple(op, stage.results(byTma ? 0 : stage.type.getTma().size(), op.getBuffers().size()));
    return success();
  }
};

/// ring.commit -> by warps: each lane arrives at full, after its own stores; by
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
struct LowerRingWait : LowerRingAccess<RingWaitOp> {
  using LowerRingAccess::LowerRingAccess;
  LogicalResult matchAndRewrite(RingWaitOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getStage())
      return rewriter.notifyMatchFailure(op, "has no position: run hopper-assign-stages first");
    Emitter emit{rewriter, op.getLoc()};
    Stage stage(emit, op, adaptor);
    waitForPhase(emit, op, stage.full, adaptor.getPhase().front(), stage.index);
    rewriter.replaceOpWithMultiple(op, stage.results(0, op.getBuffers().size()));
    return success();
  }
};

/// ring.release -> each thread arrives at empty, after its own reads. One arrival per
/// warp would need a branch and a warp barrier, and is no faster
/// (docs/performance-log.md). In a cluster it is: lane r of each warp arrives at CTA r's.
struct LowerRingRelease : OpConversionPattern<RingReleaseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RingReleaseOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto wait = op.getSlot().getDefiningOp<RingWaitOp>();
    if (!wait)
      return rewriter.notifyMatchFailure(op, "slot is not made by ring.wait");
    int64_t cluster = wait.getRing().getType().getCluster();
    Value empty = adaptor.getSlot()[1];
    if (cluster == 1)
      NVVM::MBarrierArriveOp::create(rewriter, op.getLoc(), Type(), empty, Value());
    else
      arriveAtCluster(Emitter{rewriter, op.getLoc()}, empty, cluster);
    rewriter.eraseOp(op);
    return success();
  }

  /// Not at cluster scope: that would be a memory fence of the whole GPU. The data that the
  /// next filler overwrites was read before: by wgmmas waited for, and by loads whose values
  /// the wgmmas' promotion needs.
  /// Predicated, since a branch would let LLVM move the promotion after it, past the next
  /// product.
  static void arriveAtCluster(Emitter emit, Value barrier, int64_t cluster) {
    NVVM::SyncWarpOp::create(emit.builder, emit.loc, emit.i32(-1));
    Value address = LLVM::PtrToIntOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), barrier);
    Value lane = emit.lane();
    Value operands[] = {address, lane, emit.lessThan(lane, cluster)};
    constexpr char kAssembly[] = "{.reg .b32 remote;\n"
                                 "@$2 mapa.shared::cluster.u32 remote, $0, $1;\n"
                                 "@$2 mbarrier.arrive.shared::cluster.b64 _, [remote];}";
    LLVM::InlineAsmOp::create(emit.builder, emit.loc, TypeRange(), operands, kAssembly, "r,r,b,~{memory}",
                              /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                              LLVM::AsmDialectAttr::get(emit.builder.getContext(), LLVM::AsmDialect::AD_ATT),
                              ArrayAttr());
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

void fp8gemm::hopper::populateRingPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns,
                                           const DebugWaits *waits) {
  patterns.add<LowerRingInit, LowerRingCommit, LowerRingRelease, LowerRingAdvance>(converter, patterns.getContext());
  patterns.add<LowerRingAcquire, LowerRingWait>(converter, patterns.getContext(), waits);
}
