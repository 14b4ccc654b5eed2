// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Simulator/Trial.h"

#include "TrialCheck.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

static constexpr int64_t kBlockK = 128;

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

/// As many clusters as there can be work for; a persistent kernel gets fewer, so that they have several tiles each.
static int64_t chooseClusters(const TrialProblem &trial, hopper::LaunchAttr launch, const TrialOptions &options) {
  int64_t rows = llvm::divideCeil(trial.m, launch.getTileM() * launch.getClusterM());
  int64_t columns = llvm::divideCeil(trial.columnsOfD(), launch.getTileN() * launch.getClusterN());
  int64_t work = rows * columns * (trial.hasGroupsOfD() ? trial.groups() : 1);
  if (launch.getSplitK() > 1)
    return work;
  return std::min(work, options.clusters ? options.clusters : int64_t(1 + options.seed % 3));
}

/// The parameters that the runtime passes for the operands.
static void describe(TrialProblem &trial, std::vector<uint8_t> &workspace, Launch &launch) {
  static_assert(std::tuple_size<decltype(launch.operands)>::value > hopper::getMaxEnumValForOperand());
  auto set = [&](hopper::Operand operand, Storage &storage) { launch.operands[size_t(operand)] = storage.view(); };
  set(hopper::Operand::a, trial.operandA);
  set(hopper::Operand::b, trial.operandB);
  set(hopper::Operand::sfa, trial.sfa);
  set(hopper::Operand::sfb, trial.sfb);
  set(hopper::Operand::d, trial.d);
  if (trial.problem.getSfd())
    set(hopper::Operand::sfd, trial.sfd);
  if (trial.problem.getC() == hopper::CUse::apart)
    set(hopper::Operand::c, trial.c);
  if (trial.problem.getC() == hopper::CUse::in_place)
    set(hopper::Operand::c, trial.d);
  if (trial.problem.getBias())
    set(hopper::Operand::bias, trial.bias);
  for (auto [i, storage] : llvm::enumerate(trial.epilogue))
    if (!storage.bytes.empty())
      set(hopper::Operand(uint32_t(hopper::Operand::epilogue_0) + i), storage);
  auto setArray = [&](hopper::Operand operand, void *data, int64_t bytes) {
    launch.operands[size_t(operand)].data = static_cast<uint8_t *>(data);
    launch.operands[size_t(operand)].bytes = bytes;
  };
  setArray(hopper::Operand::groups, trial.description.data(), int64_t(trial.description.size()) * 4);
  setArray(hopper::Operand::workspace, workspace.data(), int64_t(workspace.size()));
  launch.m = trial.m, launch.k = trial.k;
}

//===----------------------------------------------------------------------===//
// The trial
//===----------------------------------------------------------------------===//

FailureOr<TrialResult> fp8gemm::simulator::runTrial(hopper::KernelOp kernel, const TrialOptions &options) {
  hopper::LaunchAttr launchAttr = kernel.getLaunchAttr();
  if (!launchAttr)
    return hopper::emitWithoutRegions(kernel) << "expected a 'launch', got none";
  if (std::min({launchAttr.getTileM(), launchAttr.getTileN(), launchAttr.getClusterM(), launchAttr.getClusterN(),
                launchAttr.getSplitK()}) < 1)
    return hopper::emitWithoutRegions(kernel) << "expected a positive tile and cluster, got " << launchAttr;
  FailureOr<TrialProblem> trial = TrialProblem::make(kernel, options);
  if (failed(trial))
    return failure();
  TrialResult result;
  Launch launch;
  launch.seed = options.seed;
  launch.maxOperations = options.maxOperations;
  launch.watchdog = options.watchdog;
  launch.clusters = result.clusters = chooseClusters(*trial, launchAttr, options);
  result.m = trial->m, result.k = trial->k;
  result.groups = trial->description;
  int64_t perCta = launchAttr.getWorkspaceBytes();
  constexpr int64_t kMostPerCta = 1 << 20, kMostWorkspace = int64_t(1) << 32;
  if (perCta < 0 || perCta > kMostPerCta)
    return hopper::emitWithoutRegions(kernel)
           << "expected a workspace of at most " << kMostPerCta << " bytes per CTA, got " << perCta;
  if (int64_t ctas = launch.clusters * launchAttr.getCluster(); perCta && ctas > kMostWorkspace / kMostPerCta)
    return hopper::emitWithoutRegions(kernel)
           << "expected at most " << kMostWorkspace / kMostPerCta << " CTAs with a workspace to simulate, got " << ctas;
  std::vector<uint8_t> workspace(perCta * launch.clusters * launchAttr.getCluster());
  describe(*trial, workspace, launch);
  std::vector<uint8_t> writes(size_t(trial->d.view().bytes / trial->d.elementBytes));
  launch.writes = &writes;
  if (failed(simulate(kernel, launch)))
    return failure();
  Checker checker{kernel, *trial, writes, result, options.watchdog, std::vector<uint8_t>(writes.size())};
  LogicalResult checked = success();
  trial->forEachProduct([&](const GroupProduct &product) {
    if (succeeded(checked))
      checked = checker.checkProduct(product);
  });
  if (failed(checked) || failed(checker.checkRest()))
    return failure();
  if (result.unbounded * 2 > result.elements)
    return hopper::emitWithoutRegions(kernel)
           << "expected an epilogue whose error can be bounded for most elements of D (lib/Simulator/Interval.cpp), "
              "got "
           << result.unbounded << " of " << result.elements << " that may be any number";
  return result;
}
