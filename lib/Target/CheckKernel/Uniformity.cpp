// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that a warp, a warpgroup or the CTA must come to together.

#include "KernelCheck.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fp8gemm::kernel;

/// The threads that must execute `op` together; none for operations that each thread executes independently.
static std::optional<Scope> getRequired(Operation *op) {
  if (isa<NVVM::WgmmaFenceAlignedOp, NVVM::WgmmaGroupSyncAlignedOp, NVVM::WgmmaWaitGroupSyncOp, NVVM::WgmmaMmaAsyncOp,
          NVVM::SetMaxRegisterOp>(op))
    return Scope::warpgroup;
  if (isa<NVVM::Barrier0Op>(op))
    return Scope::cta;
  if (auto barrier = dyn_cast<NVVM::BarrierOp>(op))
    return barrier.getNumberOfThreads() ? Scope::warp : Scope::cta;
  if (isa<NVVM::ElectSyncOp, NVVM::ShflOp, NVVM::VoteSyncOp, NVVM::ReduxOp, NVVM::SyncWarpOp, NVVM::MatchSyncOp,
          NVVM::StMatrixOp, NVVM::LdMatrixOp>(op))
    return Scope::warp;
  if (auto arrive = dyn_cast<NVVM::ClusterArriveOp>(op))
    return arrive.getAligned() ? std::optional(Scope::warp) : std::nullopt;
  if (auto arrive = dyn_cast<NVVM::ClusterArriveRelaxedOp>(op))
    return arrive.getAligned() ? std::optional(Scope::warp) : std::nullopt;
  if (auto wait = dyn_cast<NVVM::ClusterWaitOp>(op))
    return wait.getAligned() ? std::optional(Scope::warp) : std::nullopt;
  if (auto assembly = dyn_cast<LLVM::InlineAsmOp>(op)) {
    StringRef text = assembly.getAsmString();
    if (text.contains("wgmma.") || text.contains("setmaxnreg"))
      return Scope::warpgroup;
    if (text.contains(".aligned") || text.contains(".sync."))
      return Scope::warp;
  }
  return std::nullopt;
}

namespace {
/// Waits for an mbarrier by only a part of a warp: the warp may not have reconverged since.
struct Apart {
  llvm::SetVector<Operation *> waits;
  bool join(const Apart &other) {
    bool changed = false;
    for (Operation *wait : other.waits)
      changed |= waits.insert(wait);
    return changed;
  }
};
} // namespace

void fp8gemm::kernel::checkUniformity(Kernel &kernel, Reporter &reporter) {
  Apart state;
  fp8gemm::hopper::followPaths(kernel.func.getBody().front(), state, [&](Operation *op, Apart &state) {
    auto assembly = dyn_cast<LLVM::InlineAsmOp>(op);
    if (isa<NVVM::MBarrierTryWaitParityOp, NVVM::MBarrierTryWaitOp>(op) ||
        (assembly && assembly.getAsmString().contains("mbarrier.try_wait"))) {
      if (kernel.values.getDivergence(op->getBlock(), Scope::warp))
        state.waits.insert(op);
      return;
    }
    std::optional<Scope> scope = getRequired(op);
    if (!scope)
      return;
    if (Operation *divergence = kernel.values.getDivergence(op->getBlock(), *scope)) {
      reporter.report(op, 1, divergence, "this may differ between them")
          << "expected all threads of the " << getName(*scope) << " to come to it, or none";
      return;
    }
    if (auto barrier = dyn_cast<NVVM::BarrierOp>(op))
      for (Value operand : barrier->getOperands())
        if (kernel.values.getScope(operand) < Scope::warp)
          reporter.report(op, 1) << "expected one barrier and one count in all threads of the warp";
    // Other warps make no difference.
    const llvm::BitVector &here = kernel.values.getActive(op->getBlock());
    auto isOurs = [&](Operation *wait) { return kernel.values.getActive(wait->getBlock()).anyCommon(here); };
    if (isa<NVVM::SyncWarpOp>(op))
      state.waits.remove_if(isOurs);
    for (Operation *wait : state.waits)
      if (isOurs(wait))
        reporter.report(op, 1, wait, "a part of the warp waits here")
            << "expected nvvm.bar.warp.sync after a wait for an mbarrier by a part of the warp, got none on some path";
  });
}
