// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Simulator/Simulator.h"

#include "Machine.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

/// The values of the kernel's arguments in `launch`, and the place of its shared memory.
static LogicalResult bindArguments(hopper::KernelOp kernel, Machine &machine, const Program &program) {
  auto cellOf = [&](Value value) -> Cell & { return machine.arguments[const_cast<Program &>(program).slotOf(value)]; };
  for (BlockArgument argument : kernel.getParameters()) {
    Cell &cell = cellOf(argument);
    hopper::Operand operand = kernel.getOperandOf(argument);
    if (operand == hopper::Operand::m || operand == hopper::Operand::k) {
      cell.number = operand == hopper::Operand::m ? machine.launch.m : machine.launch.k;
      continue;
    }
    if (operand == hopper::Operand::none)
      return hopper::emitWithoutRegions(kernel)
             << "expected each argument to be an operand ('of'), got none at number " << argument.getArgNumber();
    const Matrix &matrix = machine.launch.operands[size_t(operand)];
    if (auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(argument.getType()))
      cell.map = std::make_shared<TensorMap>(matrix, map);
    else
      cell.operand = &matrix;
    if (!matrix.data && matrix.bytes == 0 && machine.launch.m != 0 && machine.launch.clusters != 0)
      return hopper::emitWithoutRegions(kernel)
             << "expected memory for argument " << argument.getArgNumber() << ", got none";
  }
  for (auto [k, buffer] : llvm::enumerate(kernel.getSharedBuffers()))
    cellOf(buffer).number = machine.layout.getBufferOffset(unsigned(k));
  return success();
}

LogicalResult fp8gemm::simulator::simulate(hopper::KernelOp kernel, const Launch &launch) {
  hopper::LaunchAttr attribute = kernel.getLaunchAttr();
  if (!attribute)
    return hopper::emitWithoutRegions(kernel) << "expected a 'launch', got none";
  constexpr int64_t kMostConsumers = 7, kMostCluster = 8, kMostStages = 1024;
  int64_t stages = 0, consumers = 1;
  kernel.walk([&](hopper::RingCreateOp create) { stages += create.getRing().getType().getStages(); });
  kernel.walk([&](hopper::WarpSpecializeOp roles) { consumers = std::max<int64_t>(consumers, roles.getConsumers()); });
  if (consumers > kMostConsumers ||
      std::min({attribute.getClusterM(), attribute.getClusterN(), attribute.getSplitK(), attribute.getThreads()}) < 1 ||
      attribute.getCluster() > kMostCluster || stages > kMostStages)
    return hopper::emitWithoutRegions(kernel) << "expected 1 to " << kMostConsumers << " consumers, clusters of 1 to "
                                              << kMostCluster << " CTAs and at most " << kMostStages << " stages";
  FailureOr<hopper::SmemLayout> layout = hopper::SmemLayout::compute(kernel);
  FailureOr<Program> program = Program::compile(kernel);
  if (failed(layout) || failed(program))
    return failure();
  constexpr int64_t kMostBytes = 227 << 10;
  if (layout->getTotalBytes() > kMostBytes)
    return hopper::emitWithoutRegions(kernel)
           << "expected at most " << kMostBytes << " bytes of shared memory, got " << layout->getTotalBytes();
  Machine machine(kernel, *program, *layout, launch);
  if (failed(bindArguments(kernel, machine, *program)))
    return failure();
  for (int64_t cluster = 0; cluster < launch.clusters; ++cluster)
    if (!machine.runCluster(cluster))
      return failure();
  return success();
}
