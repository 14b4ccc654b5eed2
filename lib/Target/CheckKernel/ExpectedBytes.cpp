// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TMA loads: the bytes that complete at an mbarrier, and the maps that a kernel writes itself.

#include "KernelCheck.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::kernel;

namespace {
/// An arrival that arms its mbarrier with bytes, and what was found to come.
struct Armed {
  NVVM::MBarrierArriveExpectTxOp arrive;
  Address barrier;
  int64_t bytes = 0;
  bool isKnown = true;
};
} // namespace

/// CTAs that a load writes to. Each of them issues its like, so that each gets as many bytes as all together send.
static std::optional<int64_t> getReceivers(NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp load) {
  if (!load.getMulticastMask())
    return 1;
  APInt mask;
  if (!matchPattern(load.getMulticastMask(), m_ConstantInt(&mask)))
    return std::nullopt;
  return mask.popcount();
}

static void checkLoad(Kernel &kernel, NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp load, MutableArrayRef<Armed> armed,
                      Reporter &reporter) {
  Address barrier = Address::of(load.getMbar());
  Armed *mine = nullptr;
  for (Armed &each : armed)
    if (each.barrier == barrier)
      mine = &each;
  if (!mine) {
    reporter.report(load, 3) << "expected the mbarrier of a TMA load to be armed before, in the same block, got no "
                                "arrival with expected bytes";
    return;
  }
  TensorMap map = kernel.getMap(load.getTmaDescriptor());
  std::optional<int64_t> receivers = getReceivers(load);
  mine->isKnown &= map.type && receivers;
  if (!map.type)
    reporter.report(load, 3) << "expected the tensor map of a TMA load to be a parameter or a copy of one, got another "
                                "value";
  else if (!receivers)
    reporter.report(load, 3) << "expected a constant mask of the CTAs that a TMA load writes to";
  else
    mine->bytes += map.getBoxBytes() * *receivers;
}

/// The bytes of all loads of `block`, each added to the last arrival before it at its mbarrier.
static void checkBlock(Kernel &kernel, Block &block, Reporter &reporter) {
  SmallVector<Armed> armed;
  for (Operation &op : block) {
    if (auto arrive = dyn_cast<NVVM::MBarrierArriveExpectTxOp>(op))
      armed.push_back({arrive, Address::of(arrive.getAddr())});
    else if (auto load = dyn_cast<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(op))
      checkLoad(kernel, load, armed, reporter);
  }
  for (Armed &each : armed) {
    APInt expected;
    if (!matchPattern(each.arrive.getTxcount(), m_ConstantInt(&expected)))
      reporter.report(each.arrive, 3) << "expected a constant number of bytes";
    else if (each.isKnown && expected.getSExtValue() != each.bytes)
      reporter.report(each.arrive, 3) << "expected the " << each.bytes
                                      << " bytes of the boxes that complete at the mbarrier, got "
                                      << expected.getSExtValue();
  }
}

void fp8gemm::kernel::checkExpectedBytes(Kernel &kernel, Reporter &reporter) {
  kernel.func.walk([&](Block *block) { checkBlock(kernel, *block, reporter); });
}

/// True if an operation of `OpTy` stands before `op`, in its block or one around it, that `accept`s.
template <typename OpTy> static bool isPreceded(Operation *op, function_ref<bool(OpTy)> accept) {
  for (; op && !isa<LLVM::LLVMFuncOp>(op); op = op->getParentOp())
    for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode())
      if (auto match = dyn_cast<OpTy>(before); match && accept(match))
        return true;
  return false;
}

void fp8gemm::kernel::checkWrittenMaps(Kernel &kernel, Reporter &reporter) {
  kernel.func.walk([&](NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp load) {
    if (!kernel.getMap(load.getTmaDescriptor()).isCopy)
      return;
    Address map = Address::of(load.getTmaDescriptor());
    bool acquired = isPreceded<NVVM::FenceProxyAcquireOp>(
        load, [&](NVVM::FenceProxyAcquireOp fence) { return Address::of(fence.getAddr()) == map; });
    if (!acquired)
      reporter.report(load, 6) << "expected a tensor map that the kernel writes to be acquired from its proxy "
                                  "(nvvm.fence.proxy.acquire) before the load, got none";
  });
  kernel.func.walk([&](LLVM::InlineAsmOp replace) {
    if (!replace.getAsmString().starts_with("tensormap.replace"))
      return;
    for (Operation *next = replace->getNextNode(); next; next = next->getNextNode())
      if (isa<NVVM::FenceProxyReleaseOp>(next))
        return;
    reporter.report(replace, 6) << "expected a tensor map to be released to its proxy (nvvm.fence.proxy.release) "
                                   "after its last change, in the same block, got none";
  });
}
