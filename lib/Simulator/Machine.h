// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A cluster of CTAs at work: tasks, which run instructions, and what goes on beside them.

#ifndef FP8GEMM_LIB_SIMULATOR_MACHINE_H
#define FP8GEMM_LIB_SIMULATOR_MACHINE_H

#include "Barriers.h"
#include "Program.h"
#include "SharedMemory.h"
#include "Values.h"
#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/SmemLayout.h"

#include <deque>
#include <functional>
#include <random>

namespace fp8gemm::simulator {

constexpr int kThreadsPerWarp = 32, kThreadsPerWarpgroup = 128;

struct Machine;
struct Cta;

/// A ring in a CTA's shared memory.
struct RingState {
  hopper::RingType type;
  Cta *cta;
  int number; ///< among the kernel's rings
  int64_t offset;
  std::vector<Mbarrier> full, empty;
};

/// A tensor map of a group, in the workspace.
struct GroupMap {
  std::shared_ptr<const TensorMap> map;
  Access made;
};

/// A product that the tensor core has been given.
struct Product {
  std::shared_ptr<Registers> result;
  std::function<void()> compute;
};

/// Copies of one bulk group, which TMA is still to make.
using BulkGroup = std::vector<std::function<bool()>>;

/// Threads that run the same instructions: all of a CTA before the roles, then each role. They share control flow and
/// most of what they know; what only thread 0 of a consumer knows is apart.
struct Task {
  enum class Role { Top, Producer, Helper, Consumer };

  Task(Cta &cta, Role role, int number, const Code &code, const std::vector<Cell> &cells, const Clock &clock);

  const Cell &in(const Instruction &i, int k) const { return cells[i.in[k]]; }
  Cell &out(const Instruction &i, int k) { return cells[i.out[k]]; }

  /// An error at `op`: the simulation ends. The text goes on in the diagnostic that is returned.
  mlir::InFlightDiagnostic fail(mlir::Operation *op);
  std::string name() const; ///< "consumer 1 of CTA 3"

  /// Accesses to shared memory, by one thread or by many: false, and an error, if they are not in order.
  bool read(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, Thread thread = kManyThreads);
  bool write(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, Thread thread = kManyThreads);
  bool access(const Instruction &i, Cta &where, int64_t offset, int64_t bytes, const Accessor &by, bool isWrite);
  Accessor accessor(mlir::Operation *op, Thread thread) const;
  /// An access to global memory, which must come after hopper.griddepcontrol wait and be inside the operand.
  bool global(const Instruction &i, const Matrix &operand, const uint8_t *address, int64_t bytes);

  /// A fragment's registers, which must not be in flight; null, and an error, if they are.
  Registers *fragment(const Instruction &i, int k);

  /// The clock that others receive when they meet all threads of this task now; a new step begins.
  Clock publish();
  bool arrive(mlir::Operation *op, Mbarrier &barrier, int64_t threads);
  /// An mbarrier may be used once it is initialised, and fenced for TMA.
  bool checkInitialised(mlir::Operation *op, const Mbarrier &barrier);
  Outcome wait(mlir::Operation *op, Mbarrier &barrier, bool parity);

  Cta &cta;
  Role role;
  int number; ///< of a consumer
  int firstThread, threads;
  const Code *code;
  size_t next = 0;
  std::vector<Cell> cells;
  bool ended = false;
  int64_t idle = 0; ///< operations since the last access

  // Its knowledge of others.
  AgentId agent;
  Clock clock;
  uint32_t step = 1, fencedStep = 0;

  // The condition that it waits for; `isReady` null: it can continue.
  std::function<bool()> isReady;
  std::function<void(mlir::Diagnostic &)> explain; ///< continues "consumer 1 of CTA 3 "
  mlir::Operation *waitingAt = nullptr;

  // The tensor core and the TMA stores of a consumer.
  std::deque<Product> products;
  uint32_t issued = 0, computed = 0; ///< products
  bool accessedRegisters = true;     ///< of an accumulator, since the last `fence wgmma`
  std::deque<BulkGroup> bulkGroups;
  uint32_t committed = 0, copied = 0, knownCopied = 0; ///< bulk groups
};

struct Cta {
  Cta(Machine &machine, int rank, int64_t index);

  bool startRoles(Task &top);
  void meet(Task &task, NamedBarrier &barrier);
  bool hasEnded() const;
  /// Notes that another CTA's task accesses this one's shared memory: it must not end before.
  void noteForeign(const Access &access);
  /// False, and an error, if it ends without knowing that all such accesses are over.
  bool checkForeign();

  Machine &machine;
  int rank;      ///< in the cluster
  int64_t index; ///< in the grid
  SharedMemory memory;
  std::vector<std::unique_ptr<Task>> tasks; ///< the first one is that of all threads
  std::vector<std::unique_ptr<RingState>> rings;
  NamedBarrier barriers[kNamedBarriers];
  std::vector<std::vector<GroupMap>> groupMaps; ///< of each slot, then of each group
  bool waitedForPrevious = false;
  std::vector<Access> foreign; ///< the last one of each agent
};

/// An event in the future: a box that lands.
using Event = std::function<bool()>;

struct Machine {
  Machine(hopper::KernelOp kernel, const Program &program, const hopper::SmemLayout &layout, const Launch &launch);

  /// Runs one cluster to its end. False after an error.
  bool runCluster(int64_t cluster);

  AgentId agentOf(const Cta &cta, Task::Role role, int number) const;
  AgentId tensorCoreOf(const Task &consumer) const { return consumer.agent + kTensorCore; }
  AgentId storesOf(const Task &consumer) const { return consumer.agent + kStores; }
  AgentId loadsOf(const RingState &ring, int64_t stage) const;

  bool store(const Task &task, mlir::Operation *op, uint8_t *address, const uint8_t *value, int64_t bytes, bool add);
  void meetInCluster(Task &task);
  void completeClusterBarrier();

  hopper::KernelOp kernel;
  const Program &program;
  const hopper::SmemLayout &layout;
  const Launch &launch;
  hopper::LaunchAttr launchAttr;
  std::vector<Cell> arguments; ///< the program's slots with what is known before a CTA starts

  std::vector<std::unique_ptr<Cta>> ctas;
  std::vector<Event> events;
  std::vector<Task *> clusterWaiting;
  std::mt19937_64 random;
  int64_t operations = 0;
  bool failed = false;

  int consumers = 1;
  int agentsPerCta;
  std::vector<int> firstStageOfRing;
  AgentId firstAsyncAgent;
  /// From a consumer's agent to those that work for it.
  int kTensorCore, kStores;

private:
  bool step();
  bool runTask(Task &task);
  bool reportDeadlock();
  bool reportTimeout(llvm::ArrayRef<Task *> ready);
  bool checkEnd();
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_MACHINE_H
