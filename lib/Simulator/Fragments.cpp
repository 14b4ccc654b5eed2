// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments in memory: a tile that is staged, one of C or of an epilogue that is read, and accumulators that meet in
// distributed shared memory.

#include "Machine.h"
#include "Panels.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

/// To nearest even; NaN stays one.
static uint16_t toBf16(float value) {
  if (std::isnan(value))
    return 0x7fff;
  uint32_t wide;
  memcpy(&wide, &value, sizeof(wide));
  return uint16_t((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
}

/// To nearest even; what is larger becomes the largest, and NaN is 0x7f.
static uint8_t toE4M3(float value) {
  constexpr float kLargest = 448;
  if (std::isnan(value))
    return 0x7f;
  llvm::APFloat rounded(std::min(std::max(value, -kLargest), kLargest));
  bool losesInfo;
  rounded.convert(llvm::APFloat::Float8E4M3FN(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return uint8_t(rounded.bitcastToAPInt().getZExtValue());
}

static float fromBf16(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  memcpy(&value, &wide, sizeof(value));
  return value;
}

static float fromF16(uint16_t bits) {
  return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits)).convertToFloat();
}

static Outcome storeFragment(Task &task, const Instruction &i) {
  auto op = cast<StoreFragmentOp>(i.op);
  Registers *fragment = task.fragment(i, 0);
  if (!fragment)
    return Outcome::Failed;
  Panels panels(cast<MemRefType>(op.getStaging().getType()));
  int64_t base = task.in(i, 1).number;
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < fragment->perThread; ++k) {
      int64_t row = fragmentRow(thread, k), column = fragmentColumn(thread, k);
      int64_t offset = base + (op.getTransposed() ? panels.position(0, column, row)
                                                  : panels.position(column / panels.width, row, column % panels.width));
      if (!task.write(i, task.cta, offset, panels.elementBytes, Thread(task.firstThread + thread)))
        return Outcome::Failed;
      float value = fragment->of(thread)[k];
      if (panels.elementBytes == 1)
        *task.cta.memory.at<uint8_t>(offset) = toE4M3(value);
      else if (panels.elementBytes == 4)
        *task.cta.memory.at<float>(offset) = value;
      else
        *task.cta.memory.at<uint16_t>(offset) = toBf16(value);
    }
  return Outcome::Next;
}

/// source, row, column, (group), (limit): each thread loads what it needs, at most the last row and column.
static Outcome loadMatrix(Task &task, const Instruction &i) {
  auto op = cast<LoadFragmentOp>(i.op);
  Type element = cast<MemRefType>(op.getSource().getType()).getElementType();
  const Matrix &matrix = *task.in(i, 0).operand;
  int64_t firstRow = task.in(i, 1).number, firstColumn = task.in(i, 2).number,
          bytes = element.getIntOrFloatBitWidth() / 8;
  int64_t group = op.getGroup() ? task.in(i, 3).number : 0,
          limit = op.getLimit() ? task.in(i, int(i.in.size()) - 1).number : 1;
  int64_t rows = op.getSourceRows(), columns = op.getSourceColumns();
  bool inPairs = !op.getTransposed() && columns != 1;
  if (inPairs && firstColumn % 2 != 0) {
    task.fail(i.op) << "expected columns that are loaded from an even one on, got " << firstColumn << ", in "
                    << task.name();
    return Outcome::Failed;
  }
  auto fragment = std::make_shared<Registers>(kThreadsPerWarpgroup, op.getFragment().getType().getRegisters());
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < fragment->perThread; ++k) {
      int64_t down = fragmentRow(thread, k), across = fragmentColumn(thread, k);
      if (op.getTransposed())
        std::swap(down, across);
      int64_t row = rows == 1 ? 0 : std::min(firstRow + down, limit - 1),
              column = columns == 1 ? 0 : firstColumn + across;
      if (column >= columns) // pairs stay together
        column = inPairs ? columns - 2 + column % 2 : columns - 1;
      const uint8_t *address =
          matrix.data + (row * matrix.leadingDimension + column + group * matrix.groupStride) * bytes;
      if (!task.global(i, matrix, address, bytes))
        return Outcome::Failed;
      float &value = fragment->of(thread)[k];
      if (element.isF32())
        value = *reinterpret_cast<const float *>(address);
      else
        value = (element.isBF16() ? fromBf16 : fromF16)(*reinterpret_cast<const uint16_t *>(address));
    }
  task.out(i, 0).registers = std::move(fragment);
  return Outcome::Next;
}

static Outcome loadFragment(Task &task, const Instruction &i) {
  auto op = cast<LoadFragmentOp>(i.op);
  Panels panels(cast<MemRefType>(op.getSource().getType()));
  int64_t base = task.in(i, 0).number;
  task.accessedRegisters = true;
  auto fragment = std::make_shared<Registers>(kThreadsPerWarpgroup, op.getFragment().getType().getRegisters());
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < fragment->perThread; ++k) {
      int64_t row = fragmentRow(thread, k), column = fragmentColumn(thread, k);
      int64_t offset = base + panels.position(column / panels.width, row, column % panels.width);
      if (!task.read(i, task.cta, offset, panels.elementBytes, Thread(task.firstThread + thread)))
        return Outcome::Failed;
      fragment->of(thread)[k] = panels.elementBytes == 4 ? *task.cta.memory.at<float>(offset)
                                                         : fromBf16(*task.cta.memory.at<uint16_t>(offset));
    }
  task.out(i, 0).registers = std::move(fragment);
  return Outcome::Next;
}

/// Bytes that a thread puts for 8 columns, and from those of 8 columns to those of the next 8.
static constexpr int64_t kVectorBytes = 16, kColumnsBytes = kThreadsPerWarpgroup * kVectorBytes;

static Outcome putFragment(Task &task, const Instruction &i) {
  Registers *fragment = task.fragment(i, 0);
  if (!fragment)
    return Outcome::Failed;
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t j = 0; j < fragment->perThread / 4; ++j) {
      int64_t offset = task.in(i, 1).number + j * kColumnsBytes + thread * kVectorBytes;
      if (!task.write(i, task.cta, offset, kVectorBytes, Thread(task.firstThread + thread)))
        return Outcome::Failed;
      memcpy(task.cta.memory.at<float>(offset), fragment->of(thread) + 4 * j, kVectorBytes);
    }
  return Outcome::Next;
}

/// As arith.maximumf.
static float largest(float x, float y) { return std::isnan(x) || std::isnan(y) ? NAN : std::max(x, y); }

/// Rank by rank, each at the same place of its CTA's shared memory.
static Outcome reduceFragments(Task &task, const Instruction &i) {
  auto op = cast<ReduceFragmentsOp>(i.op);
  task.accessedRegisters = true;
  auto sum = std::make_shared<Registers>(kThreadsPerWarpgroup, op.getResult().getType().getRegisters());
  auto &ctas = task.cta.machine.ctas;
  if (int64_t(op.getRanks()) > int64_t(ctas.size())) {
    task.fail(i.op) << "expected at most the cluster's " << ctas.size() << " ranks, got " << op.getRanks();
    return Outcome::Failed;
  }
  for (int64_t rank = 0; rank < int64_t(op.getRanks()); ++rank)
    for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
      for (int64_t j = 0; j < sum->perThread / 4; ++j) {
        int64_t offset = task.in(i, 0).number + j * kColumnsBytes + thread * kVectorBytes;
        if (!task.read(i, *ctas[rank], offset, kVectorBytes, Thread(task.firstThread + thread)))
          return Outcome::Failed;
        for (int64_t k = 0; k < 4; ++k) {
          float &value = sum->of(thread)[4 * j + k], other = ctas[rank]->memory.at<float>(offset)[k];
          value = rank == 0 ? other : op.getMax() ? largest(value, other) : value + other;
        }
      }
  task.out(i, 0).registers = std::move(sum);
  return Outcome::Next;
}

Handler fp8gemm::simulator::fragmentHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<StoreFragmentOp>([](auto) { return storeFragment; })
      .Case([](LoadFragmentOp op) { return op.isOfMatrix() ? loadMatrix : loadFragment; })
      .Case<PutFragmentOp>([](auto) { return putFragment; })
      .Case<ReduceFragmentsOp>([](auto) { return reduceFragments; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
