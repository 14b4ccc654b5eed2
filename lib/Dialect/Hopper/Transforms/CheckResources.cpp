// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper-check-resources: rejects kernels that don't fit an SM.

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/IR/SmemLayout.h"
#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace fp8gemm::hopper {
#define GEN_PASS_DEF_CHECKRESOURCESPASS
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h.inc"
} // namespace fp8gemm::hopper

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

constexpr int64_t kThreadsPerWarpgroup = 128;
constexpr int64_t kMaxThreads = 1024;

/// The largest cluster that every GPU of compute capability 9.0 runs (CUDA Programming Guide).
constexpr int64_t kMaxCluster = 8;

/// Bytes of a tensor map.
constexpr int64_t kMapBytes = 128;

/// Registers of an SM; a thread gets a multiple of 8 (CUDA Programming Guide, compute capability 9.0).
constexpr int64_t kSmRegisters = 65536;
constexpr int64_t kRegisterGranularity = 8;

/// Registers that a consumer thread needs beside fragments and scales: addresses,
/// descriptors, loop counters and ring positions. An estimate; ptxas has the last word.
constexpr int64_t kOtherRegisters = 24;

/// Of a fragment's rows and columns, a thread has one in so many.
constexpr int64_t kRowsPerRegister = 32, kColumnsPerRegister = 4;

/// Registers a thread holds of a value, if it is a fragment or scales. Constants are
/// written where they are used.
int64_t getRegisters(Value value) {
  if (matchPattern(value, m_Constant()))
    return 0;
  auto load = value.getDefiningOp<LoadFragmentOp>();
  if (load && load.isOfMatrix()) { // a register for each element that the thread loads
    FragmentType fragment = load.getFragment().getType();
    int64_t ofRows = fragment.getRows() / kRowsPerRegister, ofColumns = fragment.getColumns() / kColumnsPerRegister;
    bool hasRows = load.getSourceRows() != 1, hasColumns = load.getSourceColumns() != 1;
    if (load.getTransposed())
      std::swap(hasRows, hasColumns);
    return (hasRows ? ofRows : 1) * (hasColumns ? ofColumns : 1);
  }
  if (auto fragment = dyn_cast<FragmentType>(value.getType()))
    return fragment.getRegisters();
  if (auto scales = dyn_cast<ScalesType>(value.getType()))
    return scales.getRegisters();
  return 0;
}

/// The last operation of `block` at which `value` is needed, its definition if it is never used.
Operation *getLastUse(Value value, Block &block, Operation *definition) {
  Operation *last = definition;
  for (Operation *user : value.getUsers()) {
    Operation *ancestor = block.findAncestorOpInBlock(*user);
    if (ancestor && (!last || last->isBeforeInBlock(ancestor)))
      last = ancestor;
  }
  return last;
}

/// True if `op` needs `value` in its regions, and not only as its own operand.
bool captures(Operation *op, Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) { return op->isProperAncestor(user); });
}

/// The most registers of fragments and scales that are live at once in `block`,
/// not counting what lives outside and is not used inside.
int64_t getPressure(Block &block) {
  int64_t most = 0;
  SmallVector<std::pair<Value, Operation *>> live; // with the last use
  auto define = [&](ValueRange values, Operation *definition) {
    for (Value value : values)
      if (getRegisters(value) > 0)
        live.push_back({value, getLastUse(value, block, definition)});
  };
  auto sum = [&] {
    int64_t registers = 0;
    for (auto [value, lastUse] : live)
      registers += getRegisters(value);
    return registers;
  };
  define(block.getArguments(), nullptr);
  for (Operation &op : block) {
    // An operand of a loop or condition lives on as its block argument.
    llvm::erase_if(live, [&](auto entry) { return entry.second == &op && !captures(&op, entry.first); });
    int64_t inside = 0;
    for (Region &region : op.getRegions())
      for (Block &nested : region)
        inside = std::max(inside, getPressure(nested));
    most = std::max(most, sum() + inside);
    llvm::erase_if(live, [&](auto entry) { return entry.second == &op; });
    // A result may take the registers of an operand that dies here.
    define(op.getResults(), &op);
    most = std::max(most, sum());
    llvm::erase_if(live, [&](auto entry) { return entry.second == &op; });
  }
  return most;
}

class CheckResources : public OnEach<KernelOp, fp8gemm::hopper::impl::CheckResourcesPassBase<CheckResources>> {
public:
  using OnEach::OnEach;

private:
  LogicalResult runOn(KernelOp func) override {
    markAllAnalysesPreserved();
    bool fits = succeeded(checkInterface(func));
    fits &= succeeded(checkSharedMemory(func));
    func.walk([&](MakeGroupMapsOp make) { fits &= succeeded(checkWorkspace(func, make)); });
    func.walk([&](WarpSpecializeOp roles) {
      fits &= succeeded(checkThreads(func, roles));
      fits &= succeeded(checkAccumulators(roles));
    });
    return success(fits);
  }

  /// The facts that a launcher needs.
  LogicalResult checkInterface(KernelOp func) {
    auto launch = func.getLaunchAttr();
    if (!launch)
      return emitWithoutRegions(func) << "expected a kernel to have a 'launch', got none";
    for (int64_t ctas : {launch.getClusterM(), launch.getClusterN(), launch.getSplitK()})
      if (ctas < 1 || ctas > kMaxCluster)
        return emitWithoutRegions(func) << "expected 'launch' to have clusters of 1 to " << kMaxCluster << " CTAs, got "
                                        << ctas;
    if (launch.getCluster() > kMaxCluster)
      return emitWithoutRegions(func) << "expected 'launch' to have clusters of 1 to " << kMaxCluster << " CTAs, got "
                                      << launch.getCluster();
    if (!func.getProblemAttr() && !func.getQuantizationAttr())
      return emitWithoutRegions(func) << "expected a kernel to have a 'problem' or a 'quantization', got none";
    for (BlockArgument parameter : func.getParameters())
      if (func.getOperandOf(parameter) == Operand::none)
        return emitWithoutRegions(func) << "expected every argument of a kernel to be an operand ('of'), got none for "
                                           "argument "
                                        << parameter.getArgNumber();
    return success();
  }

  LogicalResult checkSharedMemory(KernelOp func) {
    FailureOr<SmemLayout> layout = SmemLayout::compute(func);
    if (failed(layout))
      return failure();
    int64_t limit = smemLimit;
    if (layout->getTotalBytes() <= limit)
      return success();
    return emitWithoutRegions(func) << "uses " << layout->getTotalBytes()
                                    << " bytes of shared memory; exceeded the limit of " << limit << " bytes";
  }

  /// Maps beyond a CTA's part of the workspace would be the next CTA's.
  LogicalResult checkWorkspace(KernelOp func, MakeGroupMapsOp make) {
    int64_t groups = cast<MemRefType>(make.getTable().getType()).getDimSize(0) - 1;
    int64_t wanted = int64_t(make.getSlots()) * groups * kMapBytes;
    int64_t limit = func.getLaunchAttr() ? func.getLaunchAttr().getWorkspaceBytes() : 0;
    if (wanted <= limit)
      return success();
    return emitWithoutRegions(make) << "uses " << wanted << " bytes of workspace per CTA; exceeded the limit of "
                                    << limit << " bytes ('workspace_bytes')";
  }

  LogicalResult checkThreads(KernelOp func, WarpSpecializeOp roles) {
    int64_t consumers = roles.getConsumers(), threads = kThreadsPerWarpgroup * (1 + consumers);
    if (threads > kMaxThreads)
      return emitWithoutRegions(roles) << "uses " << threads << " threads; exceeded the limit of " << kMaxThreads
                                       << " threads";
    if (LaunchAttr launch = func.getLaunchAttr(); launch && launch.getThreads() != threads)
      return emitWithoutRegions(func) << "expected 'launch' to have " << threads << " threads for " << consumers
                                      << " consumers, got " << launch.getThreads();
    // setmaxnreg redistributes what the CTA got at launch; were it less, the
    // consumers would wait for registers that nobody gives back.
    int64_t atLaunch = threads * (kSmRegisters / threads / kRegisterGranularity * kRegisterGranularity);
    int64_t wanted = kThreadsPerWarpgroup *
                     (int64_t(roles.getProducerRegisters()) + consumers * int64_t(roles.getConsumerRegisters()));
    if (wanted > atLaunch)
      return emitWithoutRegions(roles) << "uses " << wanted << " registers; exceeded the limit of " << atLaunch
                                       << " registers that " << threads << " threads are launched with";
    return success();
  }

  LogicalResult checkAccumulators(WarpSpecializeOp roles) {
    int64_t limit = int64_t(roles.getConsumerRegisters()) - kOtherRegisters;
    int64_t pressure = getPressure(roles.getConsumer().front());
    if (pressure <= limit)
      return success();
    return emitWithoutRegions(roles)
           << "uses " << pressure
           << " registers a consumer thread for accumulators, partial products and scales; exceeded "
              "the limit of "
           << limit << " registers (" << roles.getConsumerRegisters() << " less " << kOtherRegisters
           << " for all else)";
  }
};

} // namespace
