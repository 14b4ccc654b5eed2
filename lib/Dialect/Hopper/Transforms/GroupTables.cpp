// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is written about groups before the roles start: their table, and their tensor maps.

#include "RingChecks.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// True if all threads wait for each other between `first`, at the kernel's top level, and `second`.
static bool isBarrierBetween(Operation *first, Operation *second) {
  Operation *end = first->getBlock()->findAncestorOpInBlock(*second);
  if (!end || !first->isBeforeInBlock(end))
    return false;
  return llvm::any_of(llvm::make_range(first->getIterator(), end->getIterator()),
                      [](Operation &op) { return isa<gpu::BarrierOp, ClusterBarrierOp>(op); });
}

static bool precedesRoles(Kernel &kernel, Operation *op) {
  return op->getBlock() == kernel.roles->getBlock() && op->isBeforeInBlock(kernel.roles);
}

/// The table that `op` reads, null for other operations.
static Value getReadTable(Operation *op) {
  if (auto find = dyn_cast<FindGroupOp>(op))
    return find.getTable();
  if (auto make = dyn_cast<MakeGroupMapsOp>(op))
    return make.getTable();
  if (auto tiles = dyn_cast<TilesOp>(op); tiles && tiles.getSchedule().hasTable())
    return tiles.getGroups();
  if (auto load = dyn_cast<memref::LoadOp>(op); load && load.getMemRefType().getMemorySpace())
    return load.getMemref();
  return {};
}

/// R37: a table is made once, and then a barrier stands before it is read.
static void checkTables(Kernel &kernel, Reporter &reporter) {
  llvm::DenseMap<Value, ScanGroupsOp> scans;
  kernel.func->walk([&](ScanGroupsOp scan) {
    auto [it, isFirst] = scans.insert({getRoot(scan.getTable()), scan});
    if (!precedesRoles(kernel, scan))
      reporter.report(scan, 37) << "expected a table to be made at the kernel's top level, before the roles";
    else if (!isFirst)
      reporter.report(scan, 37, it->second, "the first time") << "expected a table to be made once, got a second time";
  });
  kernel.func->walk([&](Operation *op) {
    if (Value table = getReadTable(op)) {
      ScanGroupsOp scan = scans.lookup(getRoot(table));
      if (!scan)
        reporter.report(op, 37) << "expected a table that hopper.scan_groups makes, got none";
      else if (precedesRoles(kernel, scan) && !isBarrierBetween(scan, op))
        reporter.report(op, 37, scan, "made here")
            << "expected a barrier of all threads between hopper.scan_groups and who reads its table, got none";
      return;
    }
    if (isa<ScanGroupsOp, ViewLikeOpInterface>(op))
      return;
    for (Value operand : op->getOperands())
      if (auto scan = scans.lookup(getRoot(operand)))
        reporter.report(op, 37, scan, "its table") << "expected a table to be only read, got another use";
  });
}

/// R38: a group's map is made before the roles, and then a barrier stands before it is used.
static void checkMaps(Kernel &kernel, Reporter &reporter) {
  SmallVector<MakeGroupMapsOp> makers;
  auto writes = [](MakeGroupMapsOp make, Value workspace, int64_t slot) {
    return make.getWorkspace() == workspace && int64_t(make.getSlot()) == slot;
  };
  kernel.func->walk([&](MakeGroupMapsOp make) {
    for (MakeGroupMapsOp other : makers)
      if (writes(other, make.getWorkspace(), make.getSlot()))
        reporter.report(make, 38, other, "the first time")
            << "expected the maps of slot " << make.getSlot() << " to be made once, got a second time";
    if (!precedesRoles(kernel, make))
      reporter.report(make, 38) << "expected maps of groups to be made at the kernel's top level, before the roles";
    makers.push_back(make);
  });
  kernel.func->walk([&](GroupMapOp use) {
    auto it =
        llvm::find_if(makers, [&](MakeGroupMapsOp make) { return writes(make, use.getWorkspace(), use.getSlot()); });
    if (it == makers.end()) {
      reporter.report(use, 38) << "expected maps of slot " << use.getSlot()
                               << " that hopper.make_group_maps makes, got none";
      return;
    }
    MakeGroupMapsOp make = *it;
    int64_t groups = cast<MemRefType>(make.getTable().getType()).getDimSize(0) - 1;
    if (groups != int64_t(use.getGroups()) || make.getSlots() != use.getSlots())
      reporter.report(use, 38, make, "made here")
          << "expected the maps of " << groups << " groups in " << make.getSlots() << " slots that are made, got "
          << use.getGroups() << " groups in " << use.getSlots() << " slots";
    else if (make.getMap().getType() != use.getMap().getType())
      reporter.report(use, 38, make, "made here") << "expected a map of the type that is made, got another";
    else if (precedesRoles(kernel, make) && !isBarrierBetween(make, use))
      reporter.report(use, 38, make, "made here")
          << "expected a barrier of all threads between hopper.make_group_maps and who uses its maps, got none";
  });
}

void fp8gemm::hopper::checkGroups(Kernel &kernel, Reporter &reporter) {
  checkTables(kernel, reporter);
  checkMaps(kernel, reporter);
}
