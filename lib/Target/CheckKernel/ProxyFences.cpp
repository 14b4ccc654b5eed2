// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared memory that threads store to and TMA reads.

#include "KernelCheck.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fp8gemm::kernel;

namespace {

/// The synchronisation that stored bytes still need before TMA may read them; the most first.
enum class Written { unfenced, fenced, published };

/// Bytes of shared memory [first, end) that are stored to, from `store` on.
struct SharedRange {
  Operation *store;
  int64_t first, end;
  Written level = Written::unfenced;
};

struct Stores {
  SmallVector<SharedRange> ranges;

  /// Neighbouring stores are one range: a tile takes hundreds of them.
  bool add(const SharedRange &range) {
    for (SharedRange &mine : ranges) {
      if (mine.level != range.level || range.first > mine.end || mine.first > range.end)
        continue;
      bool changed = range.first < mine.first || range.end > mine.end;
      mine.first = std::min(mine.first, range.first);
      mine.end = std::max(mine.end, range.end);
      return changed;
    }
    ranges.push_back(range);
    return true;
  }

  bool join(const Stores &other) {
    bool changed = false;
    for (const SharedRange &range : other.ranges)
      changed |= add(range);
    return changed;
  }

  void raise(Written from, Written to) {
    Stores raised;
    for (SharedRange range : ranges) {
      range.level = range.level == from ? to : range.level;
      raised.add(range);
    }
    ranges = std::move(raised.ranges);
  }
};

bool isShared(Value pointer) {
  return cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace() == unsigned(NVVM::NVVMMemorySpace::Shared);
}

/// Bytes that `op` may access at `pointer`, `bytes` by each thread; all where the address isn't known.
SharedRange getRange(Kernel &kernel, Operation *op, Value pointer, int64_t bytes) {
  if (auto known = getSharedBytes(kernel, Address::of(pointer), op->getBlock()))
    return {op, known->first, known->second + bytes};
  return {op, 0, std::numeric_limits<int64_t>::max()};
}

int64_t getBytes(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * llvm::divideCeil(vector.getElementTypeBitWidth(), 8);
  return type.isIntOrFloat() ? llvm::divideCeil(type.getIntOrFloatBitWidth(), 8) : 8;
}

/// A row of a matrix of stmatrix: 8 elements of 16 bits.
constexpr int64_t kMatrixRowBytes = 16;

std::optional<SharedRange> getStored(Kernel &kernel, Operation *op) {
  if (auto store = dyn_cast<LLVM::StoreOp>(op); store && isShared(store.getAddr()))
    return getRange(kernel, op, store.getAddr(), getBytes(store.getValue().getType()));
  if (auto store = dyn_cast<NVVM::StMatrixOp>(op))
    return getRange(kernel, op, store.getPtr(), kMatrixRowBytes);
  if (auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op); atomic && isShared(atomic.getPtr()))
    return getRange(kernel, op, atomic.getPtr(), getBytes(atomic.getVal().getType()));
  return std::nullopt;
}

std::optional<SharedRange> getReadByTma(Kernel &kernel, Operation *op) {
  Value source, map;
  if (auto store = dyn_cast<NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp>(op))
    source = store.getSrcMem(), map = store.getTmaDescriptor();
  else if (auto add = dyn_cast<NVVM::CpAsyncBulkTensorReduceOp>(op))
    source = add.getSrcMem(), map = add.getTmaDescriptor();
  else
    return std::nullopt;
  if (TensorMap known = kernel.getMap(map); known.type)
    return getRange(kernel, op, source, known.getBoxBytes());
  return SharedRange{op, 0, std::numeric_limits<int64_t>::max()};
}

} // namespace

void fp8gemm::kernel::checkProxyFences(Kernel &kernel, Reporter &reporter) {
  Stores state;
  fp8gemm::hopper::followPaths(kernel.func.getBody().front(), state, [&](Operation *op, Stores &state) {
    if (std::optional<SharedRange> stored = getStored(kernel, op)) {
      state.add(*stored);
    } else if (auto fence = dyn_cast<NVVM::FenceProxyOp>(op)) {
      if (fence.getKind() == NVVM::ProxyKind::async_shared || fence.getKind() == NVVM::ProxyKind::async)
        state.raise(Written::unfenced, Written::fenced);
    } else if (isa<NVVM::BarrierOp, NVVM::Barrier0Op, NVVM::ClusterWaitOp>(op)) {
      state.raise(Written::fenced, Written::published);
    } else if (std::optional<SharedRange> read = getReadByTma(kernel, op)) {
      for (const SharedRange &range : state.ranges) {
        if (range.level == Written::published || range.first >= read->end || read->first >= range.end)
          continue;
        reporter.report(op, 2, range.store, "stored here")
            << "expected "
            << (range.level == Written::unfenced ? "a proxy fence of shared memory"
                                                 : "a barrier after the proxy fence")
            << " between a store of the bytes that TMA reads and this, got none on some path";
      }
    }
  });
}
