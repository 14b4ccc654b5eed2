// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tasks, and how they access memory and barriers.

#include "Machine.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

static int threadsOf(Task::Role role, const Machine &machine) {
  switch (role) {
  case Task::Role::Top:
    return int(machine.launchAttr.getThreads());
  case Task::Role::Producer:
    return 1;
  case Task::Role::Helper:
    return kThreadsPerWarp;
  case Task::Role::Consumer:
    return kThreadsPerWarpgroup;
  }
  return 0;
}

static int firstThreadOf(Task::Role role, int number) {
  if (role == Task::Role::Helper)
    return kThreadsPerWarp;
  return role == Task::Role::Consumer ? (number + 1) * kThreadsPerWarpgroup : 0;
}

Task::Task(Cta &cta, Role role, int number, const Code &code, const std::vector<Cell> &cells, const Clock &clock)
    : cta(cta), role(role), number(number), firstThread(firstThreadOf(role, number)),
      threads(threadsOf(role, cta.machine)), code(&code), cells(cells), agent(cta.machine.agentOf(cta, role, number)),
      clock(clock) {}

std::string Task::name() const {
  static constexpr const char *names[] = {"all threads", "the producer", "the helper", "consumer "};
  std::string text = names[size_t(role)];
  if (role == Role::Consumer)
    text += std::to_string(number);
  return text + " of CTA " + std::to_string(cta.index);
}

InFlightDiagnostic Task::fail(Operation *op) {
  cta.machine.failed = true;
  return hopper::emitWithoutRegions(op);
}

//===----------------------------------------------------------------------===//
// CTAs
//===----------------------------------------------------------------------===//

Cta::Cta(Machine &machine, int rank, int64_t index)
    : machine(machine), rank(rank), index(index),
      memory(machine.layout.getTotalBytes(), machine.agentsPerCta, machine.firstAsyncAgent) {
  machine.kernel.walk([&](hopper::RingCreateOp create) {
    auto ring = std::make_unique<RingState>();
    ring->type = create.getRing().getType();
    ring->cta = this;
    ring->number = int(rings.size());
    ring->offset = machine.layout.getRingOffset(create);
    ring->full.resize(ring->type.getStages());
    ring->empty.resize(ring->type.getStages());
    rings.push_back(std::move(ring));
  });
}

bool Cta::startRoles(Task &top) {
  auto start = [&](Task::Role role, int number, const Code &code) -> Task & {
    tasks.push_back(std::make_unique<Task>(*this, role, number, code, top.cells, top.clock));
    return *tasks.back();
  };
  Operation *op = (*top.code)[top.next].op;
  if (tasks.size() > 1) {
    top.fail(op) << "starts roles a second time";
    return false;
  }
  start(Task::Role::Producer, 0, machine.program.producer);
  if (!machine.program.helper.empty())
    start(Task::Role::Helper, 0, machine.program.helper);
  auto roles = cast<hopper::WarpSpecializeOp>(op);
  int32_t slot = const_cast<Program &>(machine.program).slotOf(roles.getConsumer().getArgument(0));
  for (int i = 0; i < int(roles.getConsumers()); ++i)
    start(Task::Role::Consumer, i, machine.program.consumer).cells[slot].number = i;
  top.isReady = [this] {
    return llvm::all_of(llvm::drop_begin(tasks), [](const std::unique_ptr<Task> &task) { return task->ended; });
  };
  return true;
}

void Cta::noteForeign(const Access &access) {
  auto known = llvm::find_if(foreign, [&](const Access &other) { return other.agent == access.agent; });
  if (known == foreign.end())
    foreign.push_back(access);
  else
    *known = access;
}

bool Cta::checkForeign() {
  Clock known;
  for (auto &task : tasks)
    known.join(task->clock);
  for (const Access &access : foreign)
    if (access.step > known.seen[access.agent]) {
      tasks.front()->fail(access.op) << "may access shared memory of CTA " << index
                                     << " after its end: expected a hopper.cluster_barrier after the last access";
      return false;
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Accessor Task::accessor(Operation *op, Thread thread) const {
  Accessor by;
  by.access = {agent, thread, step, op};
  by.clock = &clock;
  by.issuer = agent;
  by.thread = thread;
  by.fencedStep = fencedStep;
  by.agentsPerCta = cta.machine.agentsPerCta;
  return by;
}

bool Task::read(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, Thread thread) {
  return access(i, where, offset, bytes, accessor(i.op, thread), /*isWrite=*/false);
}

bool Task::write(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, Thread thread) {
  return access(i, where, offset, bytes, accessor(i.op, thread), /*isWrite=*/true);
}

bool Task::access(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, const Accessor &by, bool isWrite) {
  if (&where != &cta && where.hasEnded()) {
    fail(i.op) << "accesses shared memory of CTA " << where.index << ", which has ended, in " << name();
    return false;
  }
  if (&where != &cta)
    where.noteForeign(by.access);
  std::optional<Conflict> conflict =
      isWrite ? where.memory.write(offset, bytes, by) : where.memory.read(offset, bytes, by);
  if (!conflict)
    return true;
  InFlightDiagnostic error = fail(i.op);
  switch (conflict->kind) {
  case Conflict::Kind::OutOfBounds:
    error << "accesses shared memory at byte " << offset << ", outside of the kernel's " << where.memory.size()
          << " bytes";
    break;
  case Conflict::Kind::Unwritten:
    error << "reads shared memory that was never written";
    break;
  case Conflict::Kind::NotArrived:
    error << "reads shared memory before its data has arrived";
    break;
  case Conflict::Kind::UnorderedRead:
    error << "reads shared memory that may not be written yet, or not be visible";
    break;
  case Conflict::Kind::UnorderedOver:
    error << "writes shared memory that was written before, without an order between the two";
    break;
  case Conflict::Kind::StillRead:
    error << "writes shared memory that may still be read";
    break;
  }
  error << ", in " << name() << " (byte " << conflict->offset << " of CTA " << where.index << ")";
  if (Operation *previous = conflict->previous.op)
    error.attachNote(previous->getLoc()) << "the other access is '" << previous->getName() << "'";
  return false;
}

bool Task::global(const Instruction &i, const Matrix &operand, const uint8_t *address, int64_t bytes) {
  if (cta.machine.program.waitsForPrevious && !cta.waitedForPrevious) {
    fail(i.op) << "accesses global memory before hopper.griddepcontrol wait, in " << name();
    return false;
  }
  if (address && (address < operand.data || address + bytes > operand.data + operand.bytes)) {
    fail(i.op) << "accesses byte " << address - operand.data << " of an operand of " << operand.bytes << " bytes, in "
               << name();
    return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

Clock Task::publish() {
  Clock known = clock;
  known.seen[agent] = step;
  known.fenced[agent] = fencedStep;
  if (role == Role::Consumer) {
    uint32_t &stores = known.seen[cta.machine.storesOf(*this)];
    stores = std::max(stores, knownCopied);
  }
  ++step;
  return known;
}

bool Task::checkInitialised(Operation *op, const Mbarrier &barrier) {
  bool isKnown = barrier.init.agent != kNobody &&
                 accessor(op, Thread(firstThread)).isBehind(barrier.init, true, /*previousIsAsync=*/false);
  if (isKnown && barrier.initFenced)
    return true;
  fail(op) << "uses an mbarrier that may not be initialised yet, in " << name()
           << (isKnown ? ": expected a hopper.fence mbarrier_init after its hopper.ring.init" : "");
  return false;
}

bool Task::arrive(Operation *op, Mbarrier &barrier, int64_t arrivals) {
  if (!checkInitialised(op, barrier))
    return false;
  if (llvm::is_contained(barrier.arrived, this) || arrivals > barrier.pending) {
    fail(op) << "arrives at an mbarrier a second time in one phase, in " << name();
    return false;
  }
  barrier.arrived.push_back(this);
  barrier.arriving.join(publish());
  barrier.pending -= arrivals;
  barrier.completeIfDone();
  return true;
}

Outcome Task::wait(Operation *op, Mbarrier &barrier, bool parity) {
  if (!checkInitialised(op, barrier))
    return Outcome::Failed;
  if (!barrier.isComplete(parity)) {
    waitingAt = op;
    isReady = [&barrier, parity] { return barrier.isComplete(parity); };
    return Outcome::Retry;
  }
  clock.join(barrier.complete);
  explain = nullptr;
  return Outcome::Next;
}
