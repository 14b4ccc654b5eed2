// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filling a stage: by TMA, and by the helper warp.

#include "Machine.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

/// Where TMA copies to or from starts at a multiple of (bytes).
static constexpr int64_t kTmaAlignment = 128;

namespace {
/// One box on its way to one CTA.
struct Box {
  Task *task;
  Operation *op;
  std::shared_ptr<const TensorMap> map;
  Cta *target;
  int64_t offset; ///< in its shared memory
  int32_t row, column, group;
  Mbarrier *barrier;
  AgentId agent; ///< in whose name it is written
  uint32_t step;
};
} // namespace

/// The box is in shared memory, and its bytes count.
static bool land(const Box &box) {
  Cta &target = *box.target;
  if (target.hasEnded()) {
    box.task->fail(box.op) << "brings data to CTA " << target.index << ", which has ended";
    return false;
  }
  int64_t outside = 0;
  bool inMemory = box.map->forEach(box.row, box.column, box.group, [&](uint8_t *from, int64_t offset, int64_t bytes) {
    auto *to = target.memory.at<uint8_t>(swizzled(box.offset + offset, box.map->swizzleBytes));
    if (from)
      memcpy(to, from, size_t(bytes));
    else
      memset(to, 0, size_t(bytes));
    return ++outside > 0;
  });
  if (!inMemory) {
    box.task->fail(box.op) << "reads a box at [" << box.row << ", " << box.column
                           << "] outside of the operand's memory, in " << box.task->name();
    return false;
  }
  target.memory.finishLoad(box.offset, box.op);
  Clock landed(box.task->clock.seen.size());
  landed.seen[box.agent] = box.step;
  box.barrier->arriving.join(landed);
  box.barrier->bytes -= box.map->boxBytes();
  box.barrier->completeIfDone();
  return true;
}

static bool startBox(Task &task, const Instruction &i, const Box &box) {
  Accessor by = task.accessor(i.op, Thread(task.firstThread));
  by.access.agent = box.agent;
  by.access.thread = kManyThreads;
  by.access.step = box.step;
  by.isAsync = true;
  if (!task.access(i, *box.target, box.offset, box.map->boxBytes(), by, /*isWrite=*/true))
    return false;
  box.target->memory.startLoad(box.offset, box.map->boxBytes(), i.op);
  task.cta.machine.events.push_back([box] { return land(box); });
  return true;
}

/// map, row, column, (group), buffer, slot.
static Outcome tmaLoad(Task &task, const Instruction &i) {
  auto op = cast<TmaLoadOp>(i.op);
  Machine &machine = task.cta.machine;
  const Cell &slot = task.in(i, int(i.in.size()) - 1);
  std::shared_ptr<const TensorMap> map = task.in(i, 0).map;
  int64_t buffer = task.in(i, int(i.in.size()) - 2).number;
  if (!task.global(i, Matrix(), nullptr, 0))
    return Outcome::Failed;
  if (buffer % kTmaAlignment != 0) {
    task.fail(i.op) << "expected a buffer that starts at a multiple of " << kTmaAlignment << " bytes, got byte "
                    << buffer << ", in " << task.name();
    return Outcome::Failed;
  }
  auto type = cast<MemRefType>(op.getBuffer().getType());
  int64_t panels = type.getNumElements() / (map->boxRows * map->boxColumns);
  for (auto &cta : machine.ctas) {
    if (!op.getMulticast() && cta.get() != &task.cta)
      continue;
    RingState &ring = *cta->rings[slot.ring->number];
    Mbarrier &barrier = ring.full[slot.number];
    if (!task.checkInitialised(i.op, barrier))
      return Outcome::Failed;
    Box box{&task,
            i.op,
            map,
            cta.get(),
            buffer,
            int32_t(task.in(i, 1).number),
            int32_t(task.in(i, 2).number),
            op.getGroup() ? int32_t(task.in(i, 3).number) : 0,
            &barrier,
            machine.loadsOf(ring, slot.number),
            barrier.phases + 1};
    for (int64_t panel = 0; panel < panels; ++panel) {
      if (!startBox(task, i, box))
        return Outcome::Failed;
      box.offset += map->boxBytes();
      box.column += int32_t(map->boxColumns);
    }
  }
  return Outcome::Next;
}

/// map, row, column, (group). L2 is not simulated.
static Outcome tmaPrefetch(Task &task, const Instruction &i) {
  return task.global(i, Matrix(), nullptr, 0) ? Outcome::Next : Outcome::Failed;
}

/// source, first, k_block, (group), limit.
static Outcome fetchScales(Task &task, const Instruction &i) {
  auto op = cast<FetchScalesOp>(i.op);
  const Matrix &source = *task.in(i, 0).operand;
  int64_t first = task.in(i, 1).number, kBlock = task.in(i, 2).number;
  int64_t group = op.getGroup() ? task.in(i, 3).number : 0;
  int64_t last = task.in(i, int(i.in.size()) - 1).number - 1;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(cast<MemRefType>(op.getSource().getType()).getStridesAndOffset(strides, offset))) {
    task.fail(i.op) << "expected a strided source";
    return Outcome::Failed;
  }
  auto values = std::make_shared<Registers>(kThreadsPerWarp, cast<VectorType>(op.getValues().getType()).getDimSize(0));
  for (int64_t lane = 0; lane < kThreadsPerWarp; ++lane)
    for (int64_t element = 0; element < values->perThread; ++element) {
      int64_t index = first + (lane + element * kThreadsPerWarp) * int64_t(op.getStep());
      int64_t row = std::min<uint32_t>(uint32_t(index), uint32_t(last)) / int64_t(op.getPer());
      bool rowIsOuter = strides.back() == 1;
      int64_t position = (rowIsOuter ? row : kBlock) * source.leadingDimension + (rowIsOuter ? kBlock : row) +
                         group * source.groupStride;
      const uint8_t *address = source.data + position * int64_t(sizeof(float));
      if (!task.global(i, source, address, sizeof(float)))
        return Outcome::Failed;
      memcpy(values->of(lane) + element, address, sizeof(float));
    }
  task.out(i, 0).registers = std::move(values);
  return Outcome::Next;
}

static Outcome putScales(Task &task, const Instruction &i) {
  auto op = cast<PutScalesOp>(i.op);
  const std::shared_ptr<Registers> &values = task.in(i, 0).registers;
  int64_t buffer = task.in(i, 1).number, size = cast<MemRefType>(op.getBuffer().getType()).getDimSize(0);
  for (int64_t lane = 0; lane < kThreadsPerWarp; ++lane)
    for (int64_t element = 0; element < values->perThread; ++element) {
      int64_t index = lane + element * kThreadsPerWarp;
      if (index >= size)
        continue;
      int64_t offset = buffer + index * int64_t(sizeof(float));
      if (!task.write(i, task.cta, offset, sizeof(float), Thread(task.firstThread + lane)))
        return Outcome::Failed;
      *task.cta.memory.at<float>(offset) = values->of(lane)[element];
    }
  return Outcome::Next;
}

Handler fp8gemm::simulator::fillHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<TmaLoadOp>([](auto) { return tmaLoad; })
      .Case<TmaPrefetchOp>([](auto) { return tmaPrefetch; })
      .Case<FetchScalesOp>([](auto) { return fetchScales; })
      .Case([](PutScalesOp op) { return op.isOfAccumulator() ? nullptr : putScales; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
