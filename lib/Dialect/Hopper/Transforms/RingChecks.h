// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of hopper-check-rings. Rule numbers are those of docs/RingProtocol.md.

#ifndef FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H
#define FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Checks.h"

namespace fp8gemm::hopper {

enum class Role { producer, helper, consumers };

/// What the checks look at.
struct Kernel {
  KernelOp func;
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

/// `value` in consumer `warpgroup`, if it is index arithmetic on constants and `warpgroupArgument`, its number.
std::optional<int64_t> evaluate(mlir::Value value, mlir::Value warpgroupArgument, int64_t warpgroup);

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

/// True unless `a` and `b` are different buffers, or parts of one that are kept apart, in each warpgroup, by offsets
/// computed from constants and the warpgroup's number.
bool mayOverlap(Kernel &kernel, mlir::Value a, mlir::Value b);

/// What a view is a view of.
mlir::Value getRoot(mlir::Value buffer);

/// R1 to R7, R31 to R34, R42: rings are made, initialised and published before the roles start, and
/// each operation stands in a role that may do it.
void checkSetup(Kernel &kernel, Reporter &reporter);
/// R8 to R14: slots, their buffers and what fills them.
void checkSlots(Kernel &kernel, Reporter &reporter);
/// R15 to R18: products in flight.
void checkMmas(Kernel &kernel, Reporter &reporter);
/// R19 to R22: stages and phases, where they are assigned.
void checkPositions(Kernel &kernel, Reporter &reporter);
/// R23, R24, R35: roles access a ring equally often, and rings in one order.
void checkTraffic(Kernel &kernel, Reporter &reporter);
/// R36: what roles hold while they wait.
void checkHolds(Kernel &kernel, Reporter &reporter);
/// R25 to R30, R43: staging, named barriers and TMA stores.
void checkStores(Kernel &kernel, Reporter &reporter);
/// R37, R38: tables and tensor maps of groups are there before they are used.
void checkGroups(Kernel &kernel, Reporter &reporter);
/// R39: accumulators that meet in distributed shared memory.
void checkExchange(Kernel &kernel, Reporter &reporter);
/// R40, R41: what warpgroups share.
void checkSharing(Kernel &kernel, Reporter &reporter);

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_RINGCHECKS_H
