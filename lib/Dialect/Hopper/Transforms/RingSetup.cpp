// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of the operations before the roles, and of those that each role may contain.

#include "RingChecks.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// R2, R3: made and initialised once, at the kernel's top level, before the roles.
static RingInitOp checkInit(Kernel &kernel, RingCreateOp ring, Reporter &reporter) {
  auto precedesRoles = [&](Operation *op) {
    return op->getBlock() == kernel.roles->getBlock() && op->isBeforeInBlock(kernel.roles);
  };
  if (!precedesRoles(ring))
    reporter.report(ring, 2) << "expected a ring to be created at the kernel's top level, before the roles";
  RingInitOp first;
  bool misplaced = false;
  for (Operation *user : getUsers(ring.getRing())) {
    auto init = dyn_cast<RingInitOp>(user);
    if (!init)
      continue;
    if (!precedesRoles(init)) {
      misplaced = true;
      reporter.report(init, 3) << "expected a ring to be initialised at the kernel's top level, before the roles";
    } else if (first) {
      reporter.report(init, 3, first, "the first time") << "expected a ring to be initialised once, got a second time";
    } else {
      first = init;
    }
  }
  if (!first && !misplaced)
    reporter.report(ring, 3) << "expected a ring to be initialised before the roles, got no hopper.ring.init";
  return first;
}

/// R4: after the initialisation a fence, after the fence a barrier, then the roles. What a
/// cluster fills, the whole cluster must know to be initialised.
static void checkPublished(Kernel &kernel, RingInitOp init, Reporter &reporter) {
  bool fenced = false, ofCluster = init.getRing().getType().getCluster() > 1;
  for (Operation *op = init->getNextNode(); op && op != kernel.roles.getOperation(); op = op->getNextNode()) {
    if (isFence(op, FenceKind::mbarrier_init))
      fenced = true;
    else if (isa<ClusterBarrierOp>(op) && fenced)
      return;
    else if (isa<gpu::BarrierOp>(op) && fenced && !ofCluster)
      return;
  }
  reporter.report(init, 4) << "expected hopper.fence mbarrier_init and then "
                           << (ofCluster ? "hopper.cluster_barrier" : "gpu.barrier") << " before the roles, got no "
                           << (fenced ? "barrier after the fence" : "fence");
}

/// R6: which role may do it; nothing for what all may do.
static std::optional<Role> getRole(Operation *op) {
  if (auto acquire = dyn_cast<RingAcquireOp>(op))
    return acquire.getFiller() == Filler::tma ? Role::producer : Role::helper;
  if (isa<TmaLoadOp, TmaPrefetchOp>(op))
    return Role::producer;
  if (auto put = dyn_cast<PutScalesOp>(op))
    return put.isOfAccumulator() ? Role::consumers : Role::helper;
  if (isa<FetchScalesOp>(op))
    return Role::helper;
  if (op->hasTrait<OpTrait::ConstantLike>())
    return std::nullopt;
  if (accessesFragments(op) || isFence(op, FenceKind::wgmma) || isFence(op, FenceKind::async_shared) ||
      isa<RingWaitOp, RingReleaseOp, MmaOp, LoadScalesOp, NamedBarrierOp, TmaStoreOp, TmaStoreWaitOp>(op))
    return Role::consumers;
  return std::nullopt;
}

/// R2: what is known of a ring is known of its hopper.ring.create.
static void checkOrigin(Operation *op, Reporter &reporter) {
  if (isa<RingInitOp, RingAcquireOp, RingWaitOp, RingAdvanceOp>(op) && !op->getOperand(0).getDefiningOp<RingCreateOp>())
    reporter.report(op, 2) << "expected the ring to be the result of a hopper.ring.create, got another value";
}

/// R31: a CTA stays until its cluster is done with its shared memory. Only a cluster
/// barrier after the last access keeps it.
static void checkStays(Kernel &kernel, RingCreateOp ring, Reporter &reporter) {
  if (ring.getRing().getType().getCluster() == 1)
    return;
  Block *consumers = kernel.getBlock(Role::consumers);
  for (Operation &op : llvm::reverse(*consumers)) {
    if (isa<ClusterBarrierOp>(op))
      return;
    if (op.getNumRegions() != 0 || getAccessedRing(&op))
      break;
  }
  reporter.report(ring, 31) << "expected hopper.cluster_barrier in the consumers after the last access to a ring that "
                               "the cluster fills, got none";
}

/// R32: inside a role, a cluster barrier waits until the other roles have ended.
static void checkClusterBarrier(Kernel &kernel, ClusterBarrierOp barrier, std::optional<Role> role,
                                Reporter &reporter) {
  if (!role)
    return;
  if (role != Role::consumers) {
    reporter.report(barrier, 32) << "expected a cluster barrier before the roles or in the consumers, got it in the "
                                 << getName(*role);
    return;
  }
  Block *block = kernel.getBlock(Role::consumers);
  if (barrier->getBlock() != block) {
    reporter.report(barrier, 32) << "expected a cluster barrier outside loops and conditions";
    return;
  }
  for (Operation *op = barrier->getNextNode(); op; op = op->getNextNode())
    op->walk([&](Operation *inner) {
      if (getAccessedRing(inner))
        reporter.report(inner, 32, barrier, "the barrier")
            << "expected no access to a ring after a cluster barrier of the consumers";
    });
}

/// R42: who releases a stage to a cluster, and multicasts to it, is in one of that size.
static void checkCluster(Kernel &kernel, RingCreateOp ring, Reporter &reporter) {
  auto launch = kernel.func.getLaunchAttr();
  int64_t cluster = ring.getRing().getType().getCluster();
  if (launch && cluster != 1 && cluster != launch.getCluster())
    reporter.report(ring, 42) << "expected the ring's cluster to be the launch's " << launch.getCluster()
                              << " CTAs, or 1, got " << cluster;
}

static void checkRole(Kernel &kernel, Operation *op, Reporter &reporter) {
  Region *region = op->getParentRegion();
  while (region && region->getParentOp() != kernel.roles)
    region = region->getParentRegion();
  std::optional<Role> role;
  if (region)
    role = static_cast<Role>(region->getRegionNumber());

  std::optional<Role> expected = getRole(op);
  if (expected && role != expected)
    reporter.report(op, 6) << "expected to be in the " << getName(*expected) << ", got "
                           << (role ? getName(*role) : "no role");
  else if (!role && isa<RingCommitOp, RingAdvanceOp>(op))
    reporter.report(op, 6) << "expected to be in a role, got none";
  if (auto barrier = dyn_cast<ClusterBarrierOp>(op))
    checkClusterBarrier(kernel, barrier, role, reporter);
  // R7: the other roles never come to it.
  if (role && isa<gpu::BarrierOp>(op))
    reporter.report(op, 7) << "expected no barrier of all threads inside a role";
}

/// Whether `op` is given memory that other kernels may write.
static bool takesGlobalMemory(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return isa<nvgpu::TensorMapDescriptorType>(type) || (memref && !memref.getMemorySpace());
  });
}

/// R33, R34: a kernel that waits for those before it does so first, and lets the next one start afterwards.
static void checkDependence(Kernel &kernel, Reporter &reporter) {
  SmallVector<GriddepcontrolOp> waits;
  kernel.func.walk([&](GriddepcontrolOp op) {
    if (op.getKind() == Dependence::wait)
      waits.push_back(op);
  });
  for (GriddepcontrolOp wait : waits) {
    if (wait != waits.front())
      reporter.report(wait, 33, waits.front(), "the first") << "expected one wait for earlier kernels, got a second";
    else if (wait->getBlock() != kernel.roles->getBlock() || !wait->isBeforeInBlock(kernel.roles))
      reporter.report(wait, 33) << "expected the wait for earlier kernels at the kernel's top level, before the roles";
  }
  bool waited = false;
  kernel.func->walk<WalkOrder::PreOrder>([&](Operation *op) {
    waited |= isGriddepcontrol(op, Dependence::wait);
    if (!waited && !waits.empty() && takesGlobalMemory(op))
      reporter.report(op, 33, waits.front(), "the wait")
          << "expected no use of global memory before the wait for earlier kernels";
    if (!waited && isGriddepcontrol(op, Dependence::launch_dependents))
      reporter.report(op, 34) << "expected hopper.griddepcontrol wait before the next kernel may start, got none";
  });
}

void fp8gemm::hopper::checkSetup(Kernel &kernel, Reporter &reporter) {
  for (RingCreateOp ring : kernel.rings) {
    if (RingInitOp init = checkInit(kernel, ring, reporter))
      checkPublished(kernel, init, reporter);
    // R5: a release arrives once a warp of every consumer.
    int64_t readers = ring.getRing().getType().getReaders(), consumers = kernel.roles.getConsumers();
    checkStays(kernel, ring, reporter);
    checkCluster(kernel, ring, reporter);
    if (readers != consumers)
      reporter.report(ring, 5) << "expected the ring's readers to be the " << consumers << " consumers, got "
                               << readers;
  }
  checkDependence(kernel, reporter);
  kernel.func->walk([&](Operation *op) {
    checkOrigin(op, reporter);
    checkRole(kernel, op, reporter);
  });
}
