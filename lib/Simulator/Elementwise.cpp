// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise operations of arith and math on fragments: a function of f32, applied to each register; and constants.

#include "Machine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

/// An element of the result from those of the operands.
using Function = float (*)(ArrayRef<float> x);

/// IEEE 754-2019: NaN if one is NaN, and -0 is less than +0.
static float minimum(ArrayRef<float> x) {
  return llvm::minimum(llvm::APFloat(x[0]), llvm::APFloat(x[1])).convertToFloat();
}
static float maximum(ArrayRef<float> x) {
  return llvm::maximum(llvm::APFloat(x[0]), llvm::APFloat(x[1])).convertToFloat();
}

/// Null for an operation that is not simulated.
static Function functionOf(Operation *op) {
  return TypeSwitch<Operation *, Function>(op)
      .Case<arith::AddFOp>([](auto) { return [](ArrayRef<float> x) { return x[0] + x[1]; }; })
      .Case<arith::SubFOp>([](auto) { return [](ArrayRef<float> x) { return x[0] - x[1]; }; })
      .Case<arith::MulFOp>([](auto) { return [](ArrayRef<float> x) { return x[0] * x[1]; }; })
      .Case<arith::DivFOp>([](auto) { return [](ArrayRef<float> x) { return x[0] / x[1]; }; })
      .Case<arith::NegFOp>([](auto) { return [](ArrayRef<float> x) { return -x[0]; }; })
      .Case<arith::MinNumFOp>([](auto) { return [](ArrayRef<float> x) { return std::fmin(x[0], x[1]); }; })
      .Case<arith::MaxNumFOp>([](auto) { return [](ArrayRef<float> x) { return std::fmax(x[0], x[1]); }; })
      .Case<arith::MinimumFOp>([](auto) { return minimum; })
      .Case<arith::MaximumFOp>([](auto) { return maximum; })
      .Case<math::FmaOp>([](auto) { return [](ArrayRef<float> x) { return std::fma(x[0], x[1], x[2]); }; })
      .Case<math::AbsFOp>([](auto) { return [](ArrayRef<float> x) { return std::fabs(x[0]); }; })
      .Case<math::SqrtOp>([](auto) { return [](ArrayRef<float> x) { return std::sqrt(x[0]); }; })
      .Case<math::RsqrtOp>([](auto) { return [](ArrayRef<float> x) { return 1 / std::sqrt(x[0]); }; })
      .Case<math::ExpOp>([](auto) { return [](ArrayRef<float> x) { return std::exp(x[0]); }; })
      .Case<math::Exp2Op>([](auto) { return [](ArrayRef<float> x) { return std::exp2(x[0]); }; })
      .Case<math::LogOp>([](auto) { return [](ArrayRef<float> x) { return std::log(x[0]); }; })
      .Case<math::TanhOp>([](auto) { return [](ArrayRef<float> x) { return std::tanh(x[0]); }; })
      .Case<math::ErfOp>([](auto) { return [](ArrayRef<float> x) { return std::erf(x[0]); }; })
      .Default([](Operation *) -> Function { return nullptr; });
}

static Outcome compute(Task &task, const Instruction &i) {
  Function function = functionOf(i.op);
  SmallVector<Registers *> operands;
  for (size_t k = 0; k < i.in.size(); ++k) {
    operands.push_back(task.fragment(i, int(k)));
    if (!operands.back())
      return Outcome::Failed;
  }
  int64_t perThread = operands.front()->perThread;
  auto result = std::make_shared<Registers>(kThreadsPerWarpgroup, perThread);
  SmallVector<float> x(operands.size());
  for (size_t k = 0; k < result->values.size(); ++k) {
    for (auto [value, operand] : llvm::zip_equal(x, operands))
      value = operand->values[k];
    result->values[k] = function(x);
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
  auto registers =
      std::make_shared<Registers>(kThreadsPerWarpgroup, cast<hopper::FragmentType>(op.getType()).getRegisters());
  llvm::fill(registers->values, splat.getSplatValue<llvm::APFloat>().convertToFloat());
  task.out(i, 0).registers = std::move(registers);
  return Outcome::Next;
}

Handler fp8gemm::simulator::elementwiseHandler(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return constant;
  bool isOnFragments = hopper::isElementwise(op) && op->getNumOperands() != 0 &&
                       llvm::all_of(op->getOperandTypes(), llvm::IsaPred<hopper::FragmentType>);
  return isOnFragments && functionOf(op) ? compute : nullptr;
}
