// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index arithmetic, the grid, tiles, and views of shared memory.

#include "Machine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

//===----------------------------------------------------------------------===//
// arith
//===----------------------------------------------------------------------===//

/// An index has 32 bits in kernels; numbers of up to 32 bits are kept without their sign.
static int64_t wrap(Type type, int64_t value) {
  unsigned bits = type.isIndex() ? 32 : type.getIntOrFloatBitWidth();
  return bits >= 64 ? value : value & ((int64_t(1) << bits) - 1);
}

static int64_t signedValue(Type type, int64_t value) {
  unsigned bits = type.isIndex() ? 32 : type.getIntOrFloatBitWidth();
  return bits >= 64 ? value : int64_t(uint64_t(value) << (64 - bits)) >> (64 - bits);
}

template <typename Compute> static Outcome binary(Task &task, const Instruction &i, Compute compute) {
  task.out(i, 0).number = wrap(i.op->getResult(0).getType(), compute(task.in(i, 0).number, task.in(i, 1).number));
  return Outcome::Next;
}

static Outcome constant(Task &task, const Instruction &i) {
  auto value = dyn_cast<IntegerAttr>(cast<arith::ConstantOp>(i.op).getValue());
  if (!value) {
    task.fail(i.op) << "expected an integer";
    return Outcome::Failed;
  }
  task.out(i, 0).number = wrap(value.getType(), value.getValue().getSExtValue());
  return Outcome::Next;
}

static Outcome add(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return x + y; });
}
static Outcome sub(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return x - y; });
}
static Outcome mul(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); });
}
static Outcome minU(Task &task, const Instruction &i) {
  return binary(task, i, [](uint64_t x, uint64_t y) { return int64_t(std::min(x, y)); });
}
static Outcome maxU(Task &task, const Instruction &i) {
  return binary(task, i, [](uint64_t x, uint64_t y) { return int64_t(std::max(x, y)); });
}
static Outcome shiftRight(Task &task, const Instruction &i) {
  return binary(task, i, [](uint64_t x, uint64_t y) { return y < 64 ? int64_t(x >> y) : 0; });
}
static Outcome bitAnd(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return x & y; });
}
static Outcome bitOr(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return x | y; });
}
static Outcome bitXor(Task &task, const Instruction &i) {
  return binary(task, i, [](int64_t x, int64_t y) { return x ^ y; });
}

template <bool remainder> static Outcome divide(Task &task, const Instruction &i) {
  uint64_t x = uint64_t(task.in(i, 0).number), y = uint64_t(task.in(i, 1).number);
  if (y == 0) {
    task.fail(i.op) << "divides by zero, in " << task.name();
    return Outcome::Failed;
  }
  task.out(i, 0).number = int64_t(remainder ? x % y : x / y);
  return Outcome::Next;
}

/// The remainder of signed numbers has the sign of the first.
static Outcome remainderSigned(Task &task, const Instruction &i) {
  Type type = i.op->getResult(0).getType();
  int64_t x = signedValue(type, task.in(i, 0).number), y = signedValue(type, task.in(i, 1).number);
  if (y == 0) {
    task.fail(i.op) << "divides by zero, in " << task.name();
    return Outcome::Failed;
  }
  task.out(i, 0).number = wrap(type, y == -1 ? 0 : x % y);
  return Outcome::Next;
}

static Outcome compare(Task &task, const Instruction &i) {
  Type type = i.op->getOperand(0).getType();
  int64_t x = task.in(i, 0).number, y = task.in(i, 1).number;
  int64_t sx = signedValue(type, x), sy = signedValue(type, y);
  bool result = false;
  switch (cast<arith::CmpIOp>(i.op).getPredicate()) {
  case arith::CmpIPredicate::eq:
    result = x == y;
    break;
  case arith::CmpIPredicate::ne:
    result = x != y;
    break;
  case arith::CmpIPredicate::slt:
    result = sx < sy;
    break;
  case arith::CmpIPredicate::sle:
    result = sx <= sy;
    break;
  case arith::CmpIPredicate::sgt:
    result = sx > sy;
    break;
  case arith::CmpIPredicate::sge:
    result = sx >= sy;
    break;
  case arith::CmpIPredicate::ult:
    result = uint64_t(x) < uint64_t(y);
    break;
  case arith::CmpIPredicate::ule:
    result = uint64_t(x) <= uint64_t(y);
    break;
  case arith::CmpIPredicate::ugt:
    result = uint64_t(x) > uint64_t(y);
    break;
  case arith::CmpIPredicate::uge:
    result = uint64_t(x) >= uint64_t(y);
    break;
  }
  task.out(i, 0).number = result;
  return Outcome::Next;
}

static Outcome choose(Task &task, const Instruction &i) {
  task.out(i, 0) = task.in(i, task.in(i, 0).number ? 1 : 2);
  return Outcome::Next;
}

/// Casts of what is kept without sign.
static Outcome castUnsigned(Task &task, const Instruction &i) {
  task.out(i, 0).number = wrap(i.op->getResult(0).getType(), task.in(i, 0).number);
  return Outcome::Next;
}

//===----------------------------------------------------------------------===//
// The grid
//===----------------------------------------------------------------------===//

static Outcome nothing(Task &, const Instruction &) { return Outcome::Next; }

static Outcome gridNumber(Task &task, const Instruction &i) {
  Machine &machine = task.cta.machine;
  int64_t size = machine.launchAttr.getCluster();
  task.out(i, 0).number = TypeSwitch<Operation *, int64_t>(i.op)
                              .Case([&](gpu::BlockIdOp) { return task.cta.index; })
                              .Case([&](gpu::GridDimOp) { return machine.launch.clusters * size; })
                              .Case([&](gpu::ClusterIdOp) { return task.cta.index / size; })
                              .Case([&](gpu::ClusterDimOp) { return machine.launch.clusters; })
                              .Default([&](Operation *) { return task.cta.rank; });
  return Outcome::Next;
}

static Outcome waitForPrevious(Task &task, const Instruction &) {
  task.cta.waitedForPrevious = true;
  return Outcome::Next;
}

static Outcome launchDependents(Task &task, const Instruction &i) {
  if (task.cta.waitedForPrevious || !task.cta.machine.program.waitsForPrevious)
    return Outcome::Next;
  task.fail(i.op) << "lets the next kernel start before hopper.griddepcontrol wait, in " << task.name();
  return Outcome::Failed;
}

//===----------------------------------------------------------------------===//
// Views of shared memory
//===----------------------------------------------------------------------===//

static Outcome subview(Task &task, const Instruction &i) {
  auto op = cast<memref::SubViewOp>(i.op);
  SmallVector<int64_t> strides;
  int64_t offset;
  MemRefType source = op.getSourceType();
  if (failed(source.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic) ||
      task.in(i, 0).operand || llvm::any_of(op.getStaticSizes(), ShapedType::isDynamic)) {
    task.fail(i.op) << "expected a view of static size of shared memory with static strides";
    return Outcome::Failed;
  }
  int64_t address = task.in(i, 0).number;
  unsigned dynamic = 1;
  for (auto [k, first] : llvm::enumerate(op.getStaticOffsets())) {
    int64_t start = ShapedType::isDynamic(first) ? task.in(i, dynamic++).number : first;
    if (start + op.getStaticSizes()[k] > source.getDimSize(k)) {
      task.fail(i.op) << "expected a view inside its source of " << source.getDimSize(k) << " in dimension " << k
                      << ", got one that ends at " << start + op.getStaticSizes()[k] << ", in " << task.name();
      return Outcome::Failed;
    }
    address += start * strides[k] * source.getElementTypeBitWidth() / 8;
  }
  task.out(i, 0).number = address;
  return Outcome::Next;
}

static Outcome sameView(Task &task, const Instruction &i) {
  task.out(i, 0) = task.in(i, 0);
  return Outcome::Next;
}

Handler fp8gemm::simulator::scalarHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case([](arith::ConstantOp op) {
        return isa<hopper::FragmentType, hopper::ScalesType>(op.getType()) ? nullptr : constant;
      })
      .Case<arith::AddIOp>([](auto) { return add; })
      .Case<arith::SubIOp>([](auto) { return sub; })
      .Case<arith::MulIOp>([](auto) { return mul; })
      .Case<arith::DivUIOp>([](auto) -> Handler { return divide<false>; })
      .Case<arith::RemUIOp>([](auto) -> Handler { return divide<true>; })
      .Case<arith::RemSIOp>([](auto) { return remainderSigned; })
      .Case<arith::ShRUIOp>([](auto) { return shiftRight; })
      .Case<arith::MinUIOp>([](auto) { return minU; })
      .Case<arith::MaxUIOp>([](auto) { return maxU; })
      .Case<arith::AndIOp>([](auto) { return bitAnd; })
      .Case<arith::OrIOp>([](auto) { return bitOr; })
      .Case<arith::XOrIOp>([](auto) { return bitXor; })
      .Case<arith::CmpIOp>([](auto) { return compare; })
      .Case<arith::SelectOp>([](auto) { return choose; })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp, arith::TruncIOp>([](auto) { return castUnsigned; })
      .Case<gpu::BlockIdOp, gpu::GridDimOp, gpu::ClusterIdOp, gpu::ClusterDimOp, gpu::ClusterBlockIdOp>(
          [](auto) { return gridNumber; })
      .Case([](hopper::GriddepcontrolOp op) -> Handler {
        return op.getKind() == hopper::Dependence::wait ? waitForPrevious : launchDependents;
      })
      .Case<memref::SubViewOp>([](auto) { return subview; })
      .Case<memref::CollapseShapeOp>([](auto) { return sameView; })
      .Case<hopper::YieldOp>([](auto) { return nothing; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
