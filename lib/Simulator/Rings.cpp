// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rings, and barriers of many threads.

#include "Machine.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

static Outcome create(Task &task, const Instruction &i) {
  for (auto &ring : task.cta.rings)
    if (ring->offset == task.cta.machine.layout.getRingOffset(cast<RingCreateOp>(i.op)))
      task.out(i, 0).ring = ring.get();
  return Outcome::Next;
}

static Outcome init(Task &task, const Instruction &i) {
  RingState &ring = *task.in(i, 0).ring;
  auto start = [&](Mbarrier &barrier, int64_t arrivals) {
    bool isFresh = barrier.init.agent == kNobody;
    barrier = Mbarrier();
    barrier.count = barrier.pending = arrivals;
    barrier.init = {task.agent, /*thread=*/0, task.step, i.op};
    return isFresh;
  };
  for (int64_t stage = 0; stage < ring.type.getStages(); ++stage)
    if (!start(ring.full[stage], ring.type.getFullArrivals()) ||
        !start(ring.empty[stage], ring.type.getEmptyArrivals())) {
      task.fail(i.op) << "initialises an mbarrier a second time, in " << task.name();
      return Outcome::Failed;
    }
  return Outcome::Next;
}

static Outcome fenceInit(Task &task, const Instruction &) {
  for (auto &ring : task.cta.rings)
    for (auto *barriers : {&ring->full, &ring->empty})
      for (Mbarrier &barrier : *barriers)
        barrier.initFenced |= barrier.init.agent != kNobody;
  return Outcome::Next;
}

/// "stage 3 of ring 0 (memref<..>, ..) is full: 1 of 33 arrivals and 16384 bytes are missing".
static std::function<void(Diagnostic &)> explainWait(const RingState &ring, int64_t stage, const Mbarrier &barrier,
                                                     bool isFull, bool phase) {
  return [&ring, stage, &barrier, isFull, phase](Diagnostic &text) {
    text << "waits until stage " << stage << " of ring " << ring.number << " is " << (isFull ? "full" : "empty")
         << " (phase " << (phase ? "true" : "false") << "): " << barrier.pending << " of " << barrier.count
         << " arrivals";
    if (isFull)
      text << " and " << barrier.bytes << " bytes";
    text << " are missing";
  };
}

/// The position of an access, or a negative one and an error.
static int64_t position(Task &task, const Instruction &i, const RingState &ring) {
  if (i.in.size() < 3) {
    task.fail(i.op) << "expected a position, got none: run hopper-complete-schedule first";
    return -1;
  }
  int64_t stage = task.in(i, 1).number;
  if (stage < ring.type.getStages())
    return stage;
  task.fail(i.op) << "expected a stage below " << ring.type.getStages() << ", got " << stage << ", in " << task.name();
  return -1;
}

/// Results of an access: the slot, then buffers from `first` on.
static void setResults(Task &task, const Instruction &i, RingState &ring, int64_t stage, unsigned first) {
  task.out(i, 0).ring = &ring;
  task.out(i, 0).number = stage;
  for (unsigned k = 1; k < i.out.size(); ++k)
    task.out(i, k).number =
        ring.offset + ring.type.getBufferOffset(first + k - 1) + stage * ring.type.getBufferStride(first + k - 1);
}

static Outcome acquire(Task &task, const Instruction &i) {
  auto op = cast<RingAcquireOp>(i.op);
  RingState &ring = *task.in(i, 0).ring;
  int64_t stage = position(task, i, ring);
  if (stage < 0)
    return Outcome::Failed;
  bool phase = task.in(i, 2).number, byTma = op.getFiller() == Filler::tma;
  Outcome outcome = task.wait(i.op, ring.empty[stage], phase);
  if (outcome == Outcome::Retry)
    task.explain = explainWait(ring, stage, ring.empty[stage], /*isFull=*/false, phase);
  if (outcome != Outcome::Next)
    return outcome;
  if (byTma) {
    ring.full[stage].bytes += ring.type.getExpectedBytes();
    if (!task.arrive(i.op, ring.full[stage], 1))
      return Outcome::Failed;
  }
  setResults(task, i, ring, stage, byTma ? 0 : unsigned(ring.type.getTma().size()));
  return Outcome::Next;
}

/// Each lane of the helper arrives; by TMA the bytes complete the barrier.
static Outcome commit(Task &task, const Instruction &i) {
  auto made = cast<RingCommitOp>(i.op).getSlot().getDefiningOp<RingAcquireOp>();
  if (!made || made.getFiller() == Filler::tma)
    return Outcome::Next;
  Mbarrier &barrier = task.in(i, 0).ring->full[task.in(i, 0).number];
  return task.arrive(i.op, barrier, task.threads) ? Outcome::Next : Outcome::Failed;
}

static Outcome wait(Task &task, const Instruction &i) {
  RingState &ring = *task.in(i, 0).ring;
  int64_t stage = position(task, i, ring);
  if (stage < 0)
    return Outcome::Failed;
  bool phase = task.in(i, 2).number;
  Outcome outcome = task.wait(i.op, ring.full[stage], phase);
  if (outcome == Outcome::Retry)
    task.explain = explainWait(ring, stage, ring.full[stage], /*isFull=*/true, phase);
  if (outcome == Outcome::Next)
    setResults(task, i, ring, stage, 0);
  return outcome;
}

/// Each thread arrives; in a cluster each warp, at every CTA's barrier.
static Outcome release(Task &task, const Instruction &i) {
  RingState &ring = *task.in(i, 0).ring;
  int64_t stage = task.in(i, 0).number;
  if (ring.type.getCluster() == 1)
    return task.arrive(i.op, ring.empty[stage], task.threads) ? Outcome::Next : Outcome::Failed;
  for (auto &cta : task.cta.machine.ctas) {
    if (cta.get() != &task.cta && cta->hasEnded()) {
      task.fail(i.op) << "arrives at an mbarrier of CTA " << cta->index << ", which has ended, in " << task.name();
      return Outcome::Failed;
    }
    if (cta.get() != &task.cta)
      cta->noteForeign(task.accessor(i.op, kManyThreads).access);
    if (!task.arrive(i.op, cta->rings[ring.number]->empty[stage], task.threads / kThreadsPerWarp))
      return Outcome::Failed;
  }
  return Outcome::Next;
}

static Outcome advance(Task &task, const Instruction &i) {
  const RingState &ring = *task.in(i, 0).ring;
  int64_t next = task.in(i, 1).number + 1;
  bool wraps = next == ring.type.getStages();
  task.out(i, 0).number = wraps ? 0 : next;
  task.out(i, 1).number = (task.in(i, 2).number != 0) != wraps;
  return Outcome::Next;
}

//===----------------------------------------------------------------------===//
// Many threads
//===----------------------------------------------------------------------===//

static Outcome meet(Task &task, const Instruction &i, int64_t id, int64_t threads) {
  NamedBarrier &barrier = task.cta.barriers[id];
  if (barrier.arrived == 0)
    barrier.threads = threads;
  if (barrier.threads != threads || barrier.arrived + int64_t(llvm::alignTo(task.threads, kThreadsPerWarp)) > threads) {
    task.fail(i.op) << "expected the " << barrier.threads << " threads that barrier " << id << " waits for, got "
                    << barrier.arrived + task.threads << " of " << threads << ", in " << task.name();
    return Outcome::Failed;
  }
  task.waitingAt = i.op;
  task.explain = [id, &barrier](Diagnostic &text) {
    text << "waits at barrier " << id << ": " << barrier.arrived << " of " << barrier.threads << " threads are there";
  };
  task.cta.meet(task, barrier);
  return Outcome::Wait;
}

static Outcome barrierOfAll(Task &task, const Instruction &i) {
  return meet(task, i, 0, task.cta.machine.launchAttr.getThreads());
}

static Outcome namedBarrier(Task &task, const Instruction &i) {
  int64_t id = task.in(i, 0).number;
  if (id < 1 || id >= kNamedBarriers) {
    task.fail(i.op) << "expected 'id' to be in [1, 15], got " << id << ", in " << task.name();
    return Outcome::Failed;
  }
  return meet(task, i, id, cast<NamedBarrierOp>(i.op).getThreads());
}

static Outcome clusterBarrier(Task &task, const Instruction &i) {
  task.waitingAt = i.op;
  task.explain = [](Diagnostic &text) { text << "waits for all threads of the cluster"; };
  task.cta.machine.meetInCluster(task);
  return Outcome::Wait;
}

Handler fp8gemm::simulator::ringHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<RingCreateOp>([](auto) { return create; })
      .Case<RingInitOp>([](auto) { return init; })
      .Case([](FenceOp op) -> Handler { return op.getKind() == FenceKind::mbarrier_init ? fenceInit : nullptr; })
      .Case<RingAcquireOp>([](auto) { return acquire; })
      .Case<RingCommitOp>([](auto) { return commit; })
      .Case<RingWaitOp>([](auto) { return wait; })
      .Case<RingReleaseOp>([](auto) { return release; })
      .Case<RingAdvanceOp>([](auto) { return advance; })
      .Case<gpu::BarrierOp>([](auto) { return barrierOfAll; })
      .Case<NamedBarrierOp>([](auto) { return namedBarrier; })
      .Case<ClusterBarrierOp>([](auto) { return clusterBarrier; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
