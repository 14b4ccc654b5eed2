// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Simulator/Simulator.h"

#include "Machine.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

/// The values of the kernel's parameters in `launch`, and the place of its shared memory.
static LogicalResult bindArguments(gpu::GPUFuncOp kernel, Machine &machine, const Program &program) {
  auto cellOf = [&](Value value) -> Cell & { return machine.arguments[const_cast<Program &>(program).slotOf(value)]; };
  for (BlockArgument argument : kernel.getBody().getArguments().take_front(kernel.getFunctionType().getNumInputs())) {
    auto param = kernel.getArgAttrOfType<hopper::ParamAttr>(argument.getArgNumber(), "hopper.param");
    if (!param)
      return hopper::emitWithoutRegions(kernel)
             << "expected each parameter to have a hopper.param, got none at number " << argument.getArgNumber();
    Cell &cell = cellOf(argument);
    const Matrix &operand = machine.launch.operands[size_t(param.getOperand())];
    auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(argument.getType());
    if (param.getKind() == hopper::ParamKind::tensor_map && map)
      cell.map = std::make_shared<TensorMap>(operand, map);
    else if (param.getKind() == hopper::ParamKind::matrix && isa<MemRefType>(argument.getType()))
      cell.operand = &operand;
    else if (param.getKind() == hopper::ParamKind::extent_m && argument.getType().isIndex())
      cell.number = machine.launch.m;
    else if (param.getKind() == hopper::ParamKind::extent_k && argument.getType().isIndex())
      cell.number = machine.launch.k;
    else
      return hopper::emitWithoutRegions(kernel) << "expected a parameter of a gpu.func of type " << argument.getType()
                                                << ", got " << param << " at number " << argument.getArgNumber();
    if (param.getOperand() != hopper::Operand::none && !operand.data && operand.bytes == 0 && machine.launch.m != 0 &&
        machine.launch.clusters != 0)
      return hopper::emitWithoutRegions(kernel)
             << "expected memory for parameter " << argument.getArgNumber() << ", got none";
  }
  for (auto [k, attribution] : llvm::enumerate(kernel.getWorkgroupAttributions()))
    cellOf(attribution).number = machine.layout.getAttributionOffset(unsigned(k));
  return success();
}

LogicalResult fp8gemm::simulator::simulate(gpu::GPUFuncOp kernel, const Launch &launch) {
  auto attribute = kernel->getAttrOfType<hopper::LaunchAttr>("hopper.launch");
  if (!attribute)
    return hopper::emitWithoutRegions(kernel) << "expected a hopper.launch, got none";
  constexpr int64_t kMostConsumers = 7, kMostCluster = 8, kMostStages = 1024;
  int64_t stages = 0;
  kernel.walk([&](hopper::RingCreateOp create) { stages += create.getRing().getType().getStages(); });
  if (attribute.getConsumers() < 1 || attribute.getConsumers() > kMostConsumers ||
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
