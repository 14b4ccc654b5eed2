// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of arith and math: on fragments, applied to each register, and as the body of hopper.map; and constants.

#include "Scalar.h"

#include "Machine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

static Outcome compute(Task &task, const Instruction &i) {
  RealFunction function = realFunctionOf(i.op);
  SmallVector<Registers *> operands;
  for (size_t k = 0; k < i.in.size(); ++k) {
    operands.push_back(task.fragment(i, int(k)));
    if (!operands.back())
      return Outcome::Failed;
  }
  int64_t perThread = operands.front()->perThread;
  auto result = std::make_shared<Registers>(kThreadsPerWarpgroup, perThread);
  SmallVector<double> x(operands.size());
  for (size_t k = 0; k < result->values.size(); ++k) {
    for (auto [value, operand] : llvm::zip_equal(x, operands))
      value = operand->values[k];
    result->values[k] = float(function(x));
  }
  task.out(i, 0).registers = std::move(result);
  return Outcome::Next;
}

static Outcome constant(Task &task, const Instruction &i) {
  auto op = cast<arith::ConstantOp>(i.op);
  auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
  if (!splat) {
    task.fail(i.op) << "expected a constant fragment of equal elements";
    return Outcome::Failed;
  }
  auto scales = dyn_cast<hopper::ScalesType>(op.getType());
  task.accessedRegisters |= !scales;
  int64_t count = scales ? scales.getRegisters() : cast<hopper::FragmentType>(op.getType()).getRegisters();
  auto registers = std::make_shared<Registers>(kThreadsPerWarpgroup, count);
  llvm::fill(registers->values, splat.getSplatValue<llvm::APFloat>().convertToFloat());
  task.out(i, 0).registers = std::move(registers);
  return Outcome::Next;
}

/// Rows 16w + l/4 + 8h of a warpgroup's thread: the maximum over the four lanes that have the row.
static std::shared_ptr<Registers> largestOfRows(Registers &mapped) {
  constexpr int64_t kLanesOfRow = 4, kRows = 2;
  auto largest = std::make_shared<Registers>(kThreadsPerWarpgroup, kRows);
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t half = 0; half < kRows; ++half) {
      std::optional<float> value;
      int64_t first = thread / kLanesOfRow * kLanesOfRow;
      for (int64_t lane = first; lane < first + kLanesOfRow; ++lane)
        for (int64_t k = 0; k < mapped.perThread; ++k)
          if (k / 2 % 2 == half)
            value = value ? maximum(*value, mapped.of(lane)[k]) : mapped.of(lane)[k];
      largest->of(thread)[half] = *value;
    }
  return largest;
}

static Outcome map(Task &task, const Instruction &i) {
  auto op = cast<hopper::MapOp>(i.op);
  ScalarFunction function(op.getBody().front());
  if (Operation *unknown = function.unknown()) {
    task.fail(unknown) << "expected an operation that can be simulated (lib/Simulator/Scalar.cpp)";
    return Outcome::Failed;
  }
  SmallVector<Registers *> inputs;
  int64_t perThread = 0;
  for (size_t k = 0; k < i.in.size(); ++k) {
    bool isFragment = isa<hopper::FragmentType>(op.getInputs()[k].getType());
    inputs.push_back(isFragment ? task.fragment(i, int(k)) : task.in(i, int(k)).registers.get());
    if (!inputs.back())
      return Outcome::Failed;
    perThread = std::max(perThread, inputs.back()->perThread / op.getArgumentsOf(op.getInputs()[k].getType()));
  }
  auto mapped = std::make_shared<Registers>(kThreadsPerWarpgroup, perThread);
  SmallVector<float> x(op.getBody().getNumArguments());
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < perThread; ++k) {
      int64_t argument = 0;
      for (Registers *input : inputs) {
        if (input->perThread < perThread) // scales, of the register's row
          x[argument++] = input->of(thread)[k / 2 % 2];
        for (int64_t half = 0; half < input->perThread / perThread; ++half)
          x[argument++] = input->of(thread)[half * perThread + k];
      }
      mapped->of(thread)[k] = function(x);
    }
  task.out(i, 0).registers = op.getMaxOfRows() ? largestOfRows(*mapped) : std::move(mapped);
  return Outcome::Next;
}

Handler fp8gemm::simulator::elementwiseHandler(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return constant;
  if (isa<hopper::MapOp>(op))
    return map;
  bool isOnFragments = hopper::isElementwise(op) && op->getNumOperands() != 0 &&
                       llvm::all_of(op->getOperandTypes(), llvm::IsaPred<hopper::FragmentType>);
  return isOnFragments && realFunctionOf(op) ? compute : nullptr;
}
