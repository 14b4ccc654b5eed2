// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Program.h"

#include "Machine.h"
#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

static Outcome jump(Task &, const Instruction &) { return Outcome::Jump; }

static Outcome jumpUnless(Task &task, const Instruction &i) {
  return task.in(i, 0).number != 0 ? Outcome::Next : Outcome::Jump;
}

/// From `from` to `to` in steps of `step`, all signed, of 32 bits: an error if that takes forever, or nearly so.
static Outcome enterLoop(Task &task, const Instruction &i) {
  int64_t from = int32_t(task.in(i, 0).number), to = int32_t(task.in(i, 1).number);
  int64_t step = int32_t(task.in(i, 2).number);
  if (step < 1) {
    task.fail(i.op) << "expected a positive step, got " << step << ", in " << task.name();
    return Outcome::Failed;
  }
  if (int64_t iterations = from < to ? (to - from + step - 1) / step : 0; iterations > kMostIterations) {
    task.fail(i.op) << "expected at most " << kMostIterations << " iterations to simulate, got " << iterations
                    << ", in " << task.name();
    return Outcome::Failed;
  }
  return Outcome::Next;
}

/// Leaves a loop whose counter has come to its bound. Both are signed, of 32 bits.
static Outcome leaveLoop(Task &task, const Instruction &i) {
  return int32_t(task.in(i, 0).number) < int32_t(task.in(i, 1).number) ? Outcome::Next : Outcome::Jump;
}

static Outcome advanceLoop(Task &task, const Instruction &i) {
  task.out(i, 0).number = uint32_t(task.in(i, 0).number + task.in(i, 1).number);
  return Outcome::Next;
}

/// All at once: a loop may carry values crosswise.
static Outcome copyCells(Task &task, const Instruction &i) {
  SmallVector<Cell> values;
  for (size_t k = 0; k < i.in.size(); ++k)
    values.push_back(task.in(i, k));
  for (size_t k = 0; k < i.out.size(); ++k)
    task.out(i, k) = std::move(values[k]);
  return Outcome::Next;
}

/// The roles start, and this task goes on when they have ended.
static Outcome startRoles(Task &task, const Instruction &i) {
  return task.cta.startRoles(task) ? Outcome::Wait : Outcome::Failed;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

void Program::copy(Operation *op, ValueRange from, ValueRange to, Code &code) {
  if (from.empty())
    return;
  Instruction instruction{op, copyCells, {}, {}};
  for (auto [source, target] : llvm::zip_equal(from, to)) {
    instruction.in.push_back(slotOf(source));
    instruction.out.push_back(slotOf(target));
  }
  code.push_back(std::move(instruction));
}

LogicalResult Program::compileBlock(Block &block, Code &code) {
  for (Operation &op : block.without_terminator())
    if (failed(compileOp(op, code)))
      return failure();
  return success();
}

LogicalResult Program::compileOp(Operation &op, Code &code) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    if (loop.getUnsignedCmp() || !loop.getInductionVar().getType().isIndex())
      return hopper::emitWithoutRegions(&op) << "expected a loop over signed numbers of type index, to simulate";
    int32_t counter = slotOf(loop.getInductionVar());
    code.push_back(
        {&op, enterLoop, {slotOf(loop.getLowerBound()), slotOf(loop.getUpperBound()), slotOf(loop.getStep())}, {}});
    copy(&op, loop.getLowerBound(), loop.getInductionVar(), code);
    copy(&op, loop.getInits(), loop.getRegionIterArgs(), code);
    size_t head = code.size();
    code.push_back({&op, leaveLoop, {counter, slotOf(loop.getUpperBound())}, {}});
    if (failed(compileBlock(*loop.getBody(), code)))
      return failure();
    copy(&op, loop.getYieldedValues(), loop.getRegionIterArgs(), code);
    code.push_back({&op, advanceLoop, {counter, slotOf(loop.getStep())}, {counter}});
    code.push_back({&op, jump, {}, {}, int32_t(head)});
    code[head].target = int32_t(code.size());
    copy(&op, loop.getRegionIterArgs(), loop.getResults(), code);
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    size_t head = code.size();
    code.push_back({&op, jumpUnless, {slotOf(branch.getCondition())}, {}});
    if (failed(compileBlock(*branch.thenBlock(), code)))
      return failure();
    copy(&op, branch.thenYield().getResults(), branch.getResults(), code);
    if (branch.elseBlock()) {
      code.push_back({&op, jump, {}, {}});
      size_t end = code.size() - 1;
      code[head].target = int32_t(code.size());
      if (failed(compileBlock(*branch.elseBlock(), code)))
        return failure();
      copy(&op, branch.elseYield().getResults(), branch.getResults(), code);
      code[end].target = int32_t(code.size());
    } else {
      code[head].target = int32_t(code.size());
    }
    return success();
  }
  if (auto roles = dyn_cast<hopper::WarpSpecializeOp>(op)) {
    if (roles.getUnroll() != 1)
      return hopper::emitWithoutRegions(&op) << "expected loops to be unrolled, got 'unroll' of " << roles.getUnroll()
                                             << ": run hopper-complete-schedule first";
    code.push_back({&op, startRoles, {}, {}});
    slotOf(roles.getConsumer().getArgument(0));
    if (failed(compileBlock(roles.getProducer().front(), producer)) ||
        failed(compileBlock(roles.getConsumer().front(), consumer)))
      return failure();
    return roles.getHelper().empty() ? success() : compileBlock(roles.getHelper().front(), helper);
  }
  for (auto *lookUp : {scalarHandler, ringHandler, fillHandler, computeHandler, fragmentHandler, storeHandler, groupHandler})
    if (Handler handler = lookUp(&op)) {
      Instruction instruction{&op, handler, {}, {}};
      for (Value operand : op.getOperands())
        instruction.in.push_back(slotOf(operand));
      for (Value result : op.getResults())
        instruction.out.push_back(slotOf(result));
      instruction.isAccess = lookUp != scalarHandler && lookUp != computeHandler;
      waitsForPrevious |= hopper::isGriddepcontrol(&op, hopper::Dependence::wait);
      code.push_back(std::move(instruction));
      return success();
    }
  if (hopper::isElementwise(&op))
    return op.emitOpError()
           << "expected an elementwise operation that can be simulated (lib/Simulator/Scalar.cpp)";
  return hopper::emitWithoutRegions(&op)
         << "expected an operation of a complete schedule, which can be simulated: run hopper-complete-schedule first";
}

FailureOr<Program> Program::compile(hopper::KernelOp kernel) {
  Program program;
  for (BlockArgument argument : kernel.getBody().getArguments())
    program.slotOf(argument);
  if (failed(program.compileBlock(kernel.getBody().front(), program.top)))
    return failure();
  return program;
}
