// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of hopper-check-rings. Rule numbers are those of docs/RingProtocol.md.

#ifndef FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H
#define FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseSet.h"

namespace fp8gemm::hopper {

enum class Role { producer, helper, consumers };

/// What the checks look at.
struct Kernel {
  mlir::Operation *func;
  llvm::SmallVector<RingCreateOp> rings;
  WarpSpecializeOp roles;

  /// The role's block, null if the role is empty.
  mlir::Block *getBlock(Role role) {
    mlir::Region &region = roles->getRegion(static_cast<unsigned>(role));
    return region.empty() ? nullptr : &region.front();
  }
};

inline llvm::StringRef getName(Role role) {
  switch (role) {
  case Role::producer:
    return "producer";
  case Role::helper:
    return "helper";
  case Role::consumers:
    return "consumers";
  }
  return "";
}

constexpr Role kRoles[] = {Role::producer, Role::helper, Role::consumers};

/// Reports broken rules, each once an operation.
class Reporter {
public:
  /// Starts the message of a broken rule; inactive if `op` is known to break it.
  /// `other`, if any, is pointed at with `note`.
  mlir::InFlightDiagnostic report(mlir::Operation *op, unsigned rule, mlir::Operation *other = nullptr,
                                  llvm::StringRef note = "") {
    anyBroken = true;
    if (!reported.insert({op, rule}).second)
      return mlir::InFlightDiagnostic();
    mlir::InFlightDiagnostic error = op->emitOpError();
    if (other)
      error.attachNote(other->getLoc()) << note;
    error << "breaks R" << rule << ": ";
    return error;
  }
  bool failed() const { return anyBroken; }

private:
  bool anyBroken = false;
  llvm::DenseSet<std::pair<mlir::Operation *, unsigned>> reported;
};

/// The ring that an access is made to; null for other operations.
inline mlir::Value getAccessedRing(mlir::Operation *op) {
  if (auto acquire = llvm::dyn_cast<RingAcquireOp>(op))
    return acquire.getRing();
  if (auto wait = llvm::dyn_cast<RingWaitOp>(op))
    return wait.getRing();
  return {};
}

/// The users of `value`, in the order in which they were written down.
inline llvm::SmallVector<mlir::Operation *> getUsers(mlir::Value value) {
  llvm::SmallVector<mlir::Operation *> users(value.getUsers()); // from the last to the first
  std::reverse(users.begin(), users.end());
  return users;
}

/// Follows every path through `block`: visit(op, state) changes the state at each
/// operation. Where paths meet, State::join(other) merges the other's state and
/// returns true if that changed it. Loops are followed until nothing changes.
template <typename State, typename Visit> void followPaths(mlir::Block &block, State &state, Visit visit) {
  for (mlir::Operation &op : block) {
    visit(&op, state);
    if (op.getNumRegions() == 0)
      continue;
    bool isCondition = llvm::isa<mlir::scf::IfOp>(op), changed = true;
    bool mayBeSkipped = !isCondition || op.getRegion(1).empty();
    std::optional<State> after;
    if (mayBeSkipped)
      after = state;
    while (changed) {
      changed = false;
      for (mlir::Region &region : op.getRegions()) {
        if (region.empty())
          continue;
        // A loop's next iteration starts where any earlier path ends.
        State inside = isCondition ? state : *after;
        followPaths(region.front(), inside, visit);
        if (!after) {
          after = inside;
          continue;
        }
        changed |= after->join(inside);
      }
      changed &= !isCondition;
    }
    state = *after;
  }
}

/// R1 to R7, R31 to R34: rings are made, initialised and published before the roles start, and
/// each operation stands in a role that may do it.
void checkSetup(Kernel &kernel, Reporter &reporter);
/// R8 to R14: slots, their buffers and what fills them.
void checkSlots(Kernel &kernel, Reporter &reporter);
/// R15 to R18: products in flight.
void checkMmas(Kernel &kernel, Reporter &reporter);
/// R19 to R22: stages and phases, where they are assigned.
void checkPositions(Kernel &kernel, Reporter &reporter);
/// R23 and R24: roles access a ring equally often.
void checkTraffic(Kernel &kernel, Reporter &reporter);
/// R25 to R30: staging, named barriers and TMA stores.
void checkStores(Kernel &kernel, Reporter &reporter);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H
