// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// nvvm-check-kernel: rejects machine-level kernels that would hang, corrupt memory or be serialised.

#include "KernelCheck.h"

#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Target/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CHECKKERNELPASS
#include "fp8gemm/Target/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm::kernel;
using fp8gemm::hopper::EntryOp;

/// The type of the map that a kernel's parameter holds, null for other values.
static nvgpu::TensorMapDescriptorType getParameterMap(LLVM::LLVMFuncOp func, EntryOp entry, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!entry || !argument || argument.getOwner() != &func.getBody().front())
    return {};
  return entry.getParam(argument.getArgNumber()).getMap();
}

int64_t TensorMap::getBoxBytes() {
  MemRefType box = type.getTensor();
  return box.getNumElements() * box.getElementTypeBitWidth() / 8;
}

bool TensorMap::isMmaTile() {
  MemRefType box = type.getTensor();
  return box.getElementTypeBitWidth() == 8 && box.getRank() > 0 && box.getShape().back() == 128 &&
         type.getSwizzle() == nvgpu::TensorMapSwizzleKind::SWIZZLE_128B;
}

Kernel::Kernel(LLVM::LLVMFuncOp func) : func(func), entry(EntryOp::of(func)), values(func) {
  func.walk([&](LLVM::StoreOp store) {
    auto load = store.getValue().getDefiningOp<LLVM::LoadOp>();
    if (!load)
      return;
    Address from = Address::of(load.getAddr());
    if (!from.base || from.constant != 0 || !from.terms.empty())
      return;
    if (auto type = getParameterMap(func, entry, from.base))
      copies.push_back({Address::of(store.getAddr()), type});
  });
}

TensorMap Kernel::getMap(Value descriptor) {
  Address address = Address::of(descriptor);
  if (address.base && address.constant == 0 && address.terms.empty())
    if (auto type = getParameterMap(func, entry, address.base))
      return {type, /*isCopy=*/false};
  // A copy is found by where it lies; which group's it is makes no difference to its box.
  for (auto &[place, type] : copies)
    if (place.hasShapeOf(address))
      return {type, /*isCopy=*/true};
  return {};
}

std::optional<std::pair<int64_t, int64_t>> fp8gemm::kernel::getSharedBytes(Kernel &kernel, const Address &address,
                                                                           Block *block) {
  if (!address.symbol)
    return std::nullopt;
  std::optional<std::pair<int64_t, int64_t>> bytes;
  for (int64_t thread : kernel.values.getActive(block).set_bits()) {
    int64_t first = address.constant;
    for (auto &[value, factor] : address.terms) {
      std::optional<int64_t> part = kernel.values.getValue(value, thread);
      if (!part)
        return std::nullopt;
      first += *part * factor;
    }
    bytes = bytes ? std::pair(std::min(bytes->first, first), std::max(bytes->second, first)) : std::pair(first, first);
  }
  return bytes;
}

std::optional<int64_t> fp8gemm::kernel::getWgmmaWait(Operation *op) {
  if (auto wait = dyn_cast<NVVM::WgmmaWaitGroupSyncOp>(op))
    return wait.getGroup();
  auto assembly = dyn_cast<LLVM::InlineAsmOp>(op);
  StringRef text = assembly ? assembly.getAsmString() : StringRef();
  int64_t pending;
  if (!text.consume_front("wgmma.wait_group.sync.aligned ") || text.consumeInteger(10, pending) || text != ";")
    return std::nullopt;
  return pending;
}

namespace {

class CheckKernel : public fp8gemm::hopper::OnEach<LLVM::LLVMFuncOp, fp8gemm::impl::CheckKernelPassBase<CheckKernel>> {
public:
  using OnEach::OnEach;

private:
  /// With branches instead of regions it is a level further down, and was checked before.
  bool isFor(LLVM::LLVMFuncOp func) override { return func->hasAttr("nvvm.kernel") && func.getBody().hasOneBlock(); }
  StringRef worksOn() override { return "an llvm.func that is a kernel of one block (the nvvm level)"; }

  LogicalResult runOn(LLVM::LLVMFuncOp func) override {
    markAllAnalysesPreserved();
    Kernel kernel(func);
    Reporter reporter('L');
    constexpr void (*checks[])(Kernel &, Reporter &) = {checkUniformity,  checkProxyFences, checkExpectedBytes,
                                                        checkDescriptors, checkWgmmaFlight, checkWrittenMaps};
    for (auto [i, check] : llvm::enumerate(checks))
      if (rules.empty() || llvm::is_contained(rules, i + 1))
        check(kernel, reporter);
    return failure(reporter.failed());
  }
};

} // namespace
