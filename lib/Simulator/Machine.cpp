// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler: which task runs next, and how a simulation ends.

#include "Machine.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

/// Agents of a CTA: all threads, producer, helper, consumers, then who works beside them.
static constexpr int kFirstConsumer = 3;

Machine::Machine(hopper::KernelOp kernel, const Program &program, const hopper::SmemLayout &layout,
                 const Launch &launch)
    : kernel(kernel), program(program), layout(layout), launch(launch), launchAttr(kernel.getLaunchAttr()),
      arguments(program.slots), random(launch.seed) {
  kernel.walk([&](hopper::WarpSpecializeOp roles) { consumers = std::max(consumers, int(roles.getConsumers())); });
  firstAsyncAgent = AgentId(kFirstConsumer + consumers);
  kTensorCore = consumers, kStores = 2 * consumers;
  int agents = kFirstConsumer + 3 * consumers;
  kernel.walk([&](hopper::RingCreateOp create) {
    firstStageOfRing.push_back(agents);
    agents += int(create.getRing().getType().getStages());
  });
  agentsPerCta = agents;
}

AgentId Machine::agentOf(const Cta &cta, Task::Role role, int number) const {
  return AgentId(cta.rank * agentsPerCta + int(role) + number);
}

AgentId Machine::loadsOf(const RingState &ring, int64_t stage) const {
  return AgentId(ring.cta->rank * agentsPerCta + firstStageOfRing[ring.number] + stage);
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

bool Machine::runCluster(int64_t cluster) {
  ctas.clear();
  events.clear();
  clusterWaiting.clear();
  int64_t size = launchAttr.getCluster();
  for (int64_t rank = 0; rank < size; ++rank) {
    ctas.push_back(std::make_unique<Cta>(*this, int(rank), cluster * size + rank));
    Cta &cta = *ctas.back();
    cta.tasks.push_back(
        std::make_unique<Task>(cta, Task::Role::Top, 0, program.top, arguments, Clock(size_t(size) * agentsPerCta)));
  }
  while (step()) {
  }
  return !failed && checkEnd();
}

/// Lets one task or event go on, chosen at random. Adversarial: mostly the same one as long as it can, so
/// that roles run far ahead of each other, and what is in flight is late.
bool Machine::step() {
  std::vector<Task *> ready;
  bool allEnded = true;
  for (auto &cta : ctas)
    for (size_t i = 0; i < cta->tasks.size(); ++i) {
      Task &task = *cta->tasks[i];
      allEnded &= task.ended;
      if (task.ended || (task.isReady && !task.isReady()))
        continue;
      task.isReady = nullptr;
      ready.push_back(&task);
    }
  std::vector<Task *> working; // whose tensor core or stores have something to do
  for (auto &cta : ctas)
    for (auto &task : cta->tasks)
      if (!task->products.empty() || !task->bulkGroups.empty())
        working.push_back(task.get());
  size_t choices = ready.size() + events.size() + working.size();
  if (choices == 0)
    return allEnded ? false : reportDeadlock();
  if (launch.watchdog && launch.watchdog->isOver())
    return reportTimeout(ready);
  size_t choice = random() % choices;
  if (choice < ready.size())
    return runTask(*ready[choice]);
  choice -= ready.size();
  if (choice < events.size()) {
    Event event = std::move(events[choice]);
    events.erase(events.begin() + choice);
    return event();
  }
  Task &task = *working[choice - events.size()];
  if (task.bulkGroups.empty() || (!task.products.empty() && random() % 2 == 0)) {
    Product product = std::move(task.products.front());
    task.products.pop_front();
    product.compute();
    ++task.computed;
    return true;
  }
  BulkGroup group = std::move(task.bulkGroups.front());
  task.bulkGroups.pop_front();
  ++task.copied;
  return llvm::all_of(group, [](const std::function<bool()> &copy) { return copy(); });
}

bool Machine::runTask(Task &task) {
  int64_t budget = int64_t(1) << (random() % 10);
  while (budget-- > 0) {
    if (task.next == task.code->size()) {
      task.ended = true;
      if (task.role == Task::Role::Consumer && task.knownCopied < task.committed) {
        task.fail(task.code->back().op) << "is the end of " << task.name()
                                        << " before TMA has read what it stores from "
                                        << "shared memory: expected a hopper.tma_store.wait";
        return false;
      }
      completeClusterBarrier();
      return !task.cta.hasEnded() || task.cta.checkForeign();
    }
    const Instruction &instruction = (*task.code)[task.next];
    if (++operations > launch.maxOperations) {
      task.fail(instruction.op) << "runs in " << task.name() << " after " << launch.maxOperations
                                << " operations: expected the kernel to end";
      return false;
    }
    task.idle = instruction.isAccess ? 0 : task.idle + 1;
    if (task.idle > launch.maxIdleOperations) {
      task.fail(instruction.op) << "runs in " << task.name() << " after " << launch.maxIdleOperations
                                << " operations without an access to memory, a barrier or a ring: expected it to end";
      return false;
    }
    switch (instruction.handler(task, instruction)) {
    case Outcome::Next:
      ++task.next;
      break;
    case Outcome::Jump:
      task.next = size_t(instruction.target);
      break;
    case Outcome::Wait:
      ++task.next;
      return true;
    case Outcome::Retry:
      return true;
    case Outcome::Failed:
      failed = true;
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

/// The first role that waits, and in notes all others. If none is there yet: what all threads of a CTA wait for.
bool Machine::reportDeadlock() {
  SmallVector<Task *> waiting;
  for (auto &cta : ctas)
    for (auto &task : cta->tasks)
      if (!task->ended && task->explain)
        waiting.push_back(task.get());
  if (waiting.empty()) {
    failed = true;
    hopper::emitWithoutRegions(kernel) << "waits for ever, for no known reason";
    return false;
  }
  InFlightDiagnostic error = waiting.front()->fail(waiting.front()->waitingAt);
  error << "waits for ever: " << waiting.front()->name() << " ";
  waiting.front()->explain(*error.getUnderlyingDiagnostic());
  for (Task *task : ArrayRef(waiting).drop_front()) {
    Diagnostic &note = error.attachNote(task->waitingAt->getLoc());
    note << task->name() << " ";
    task->explain(note);
  }
  return false;
}

/// At what runs, or else at what waits.
bool Machine::reportTimeout(ArrayRef<Task *> ready) {
  Task &task = ready.empty() ? *ctas.front()->tasks.front() : *ready.front();
  const Code &code = *task.code;
  task.fail(task.next < code.size() ? code[task.next].op : kernel.getOperation())
      << "is as far as " << task.name() << " came in " << int64_t(launch.watchdog->seconds)
      << " s: expected the simulation to end by then (watchdog)";
  return false;
}

/// A schedule that fits leaves nothing half done.
bool Machine::checkEnd() {
  for (auto &cta : ctas)
    for (auto &ring : cta->rings) {
      hopper::RingCreateOp create;
      int number = 0;
      kernel.walk([&](hopper::RingCreateOp op) {
        if (number++ == ring->number)
          create = op;
      });
      for (int64_t stage = 0; stage < ring->type.getStages(); ++stage)
        for (bool isFull : {true, false}) {
          const Mbarrier &barrier = (isFull ? ring->full : ring->empty)[stage];
          if (barrier.pending == barrier.count && barrier.bytes == 0)
            continue;
          cta->tasks.front()->fail(create)
              << "is left with " << barrier.count - barrier.pending << " of " << barrier.count << " arrivals"
              << (isFull ? " and " : "") << (isFull ? std::to_string(barrier.bytes) + " bytes to come" : "")
              << " at the " << (isFull ? "full" : "empty") << " barrier of stage " << stage << " in CTA " << cta->index
              << ": expected as many arrivals as waits";
          return false;
        }
    }
  return true;
}

bool Cta::hasEnded() const {
  return llvm::all_of(tasks, [](const std::unique_ptr<Task> &task) { return task->ended; });
}

//===----------------------------------------------------------------------===//
// Barriers of many threads
//===----------------------------------------------------------------------===//

/// All threads learn what all know.
static void joinClocks(ArrayRef<Task *> tasks) {
  Clock all = tasks.front()->publish();
  for (Task *task : tasks.drop_front())
    all.join(task->publish());
  for (Task *task : tasks) {
    task->clock.join(all);
    task->isReady = nullptr;
    task->explain = nullptr;
  }
}

void Cta::meet(Task &task, NamedBarrier &barrier) {
  barrier.arrived += llvm::alignTo(task.threads, kThreadsPerWarp);
  barrier.waiting.push_back(&task);
  task.isReady = [] { return false; };
  if (barrier.arrived < barrier.threads)
    return;
  joinClocks(barrier.waiting);
  barrier.arrived = 0;
  barrier.waiting.clear();
}

void Machine::meetInCluster(Task &task) {
  clusterWaiting.push_back(&task);
  task.isReady = [] { return false; };
  completeClusterBarrier();
}

/// Over when every thread that has not ended is there.
void Machine::completeClusterBarrier() {
  if (clusterWaiting.empty())
    return;
  for (auto &cta : ctas)
    for (auto &task : cta->tasks) {
      bool waitsForRoles = task->role == Task::Role::Top && cta->tasks.size() > 1;
      if (!task->ended && !waitsForRoles && !llvm::is_contained(clusterWaiting, task.get()))
        return;
    }
  joinClocks(clusterWaiting);
  clusterWaiting.clear();
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

bool Machine::store(const Task &task, Operation *op, uint8_t *address, const uint8_t *value, int64_t bytes, bool add) {
  const Matrix &d = launch.operands[size_t(hopper::Operand::d)];
  if (address < d.data || address + bytes > d.data + d.bytes) {
    const_cast<Task &>(task).fail(op) << "writes outside of D, in " << task.name();
    return false;
  }
  uint8_t scratch = 0, &count = launch.writes ? (*launch.writes)[(address - d.data) / bytes] : scratch;
  bool differs = memcmp(address, value, size_t(bytes)) != 0;
  if (count > 0 && (add || differs)) {
    const_cast<Task &>(task).fail(op) << (add ? "adds to" : "writes") << " element " << (address - d.data) / bytes
                                      << " of D's memory a second time" << (add ? "" : ", with other bits") << ", in "
                                      << task.name();
    return false;
  }
  count = uint8_t(std::min(count + 1, 255));
  if (add) {
    float sum, addend;
    memcpy(&sum, address, sizeof(float));
    memcpy(&addend, value, sizeof(float));
    sum += addend;
    memcpy(address, &sum, sizeof(float));
  } else {
    memcpy(address, value, size_t(bytes));
  }
  return true;
}
