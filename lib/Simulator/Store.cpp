// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Storing a tile, reading one of C, and accumulators that meet in distributed shared memory.

#include "Machine.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

static constexpr int64_t kChunkBytes = 16;

namespace {
/// Panels in shared memory: [panel, row, column].
struct Panels {
  int64_t width, rows, count, elementBytes, rowBytes, stride;

  explicit Panels(MemRefType type) {
    SmallVector<int64_t> strides;
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset); // static: the operations verify it
    count = type.getDimSize(0), rows = type.getDimSize(1), width = type.getDimSize(2);
    elementBytes = type.getElementTypeBitWidth() / 8;
    rowBytes = width * elementBytes, stride = strides[0] * elementBytes;
  }

  /// Where threads find an element: the 16-byte chunk XORed with the row, as the swizzle repeats every 8 rows of 128
  /// bytes.
  int64_t position(int64_t panel, int64_t row, int64_t column) const {
    int64_t byte = column * elementBytes, swizzle = row % 8 / (128 / rowBytes) % (rowBytes / kChunkBytes);
    int64_t chunk = byte / kChunkBytes ^ swizzle;
    return panel * stride + row * rowBytes + chunk * kChunkBytes + byte % kChunkBytes;
  }
};
} // namespace

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

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

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

static float fromF16(uint16_t bits) {
  return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits)).convertToFloat();
}

/// source, row, column, (group), (limit): each thread loads what it needs, at most the last row and column.
static Outcome loadMatrix(Task &task, const Instruction &i) {
  auto op = cast<LoadFragmentOp>(i.op);
  Type element = cast<MemRefType>(op.getSource().getType()).getElementType();
  const Matrix &matrix = *task.in(i, 0).operand;
  int64_t firstRow = task.in(i, 1).number, firstColumn = task.in(i, 2).number, bytes = element.getIntOrFloatBitWidth() / 8;
  int64_t group = op.getGroup() ? task.in(i, 3).number : 0, limit = op.getLimit() ? task.in(i, int(i.in.size()) - 1).number : 1;
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
      int64_t row = rows == 1 ? 0 : std::min(firstRow + down, limit - 1), column = columns == 1 ? 0 : firstColumn + across;
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

//===----------------------------------------------------------------------===//
// To global memory
//===----------------------------------------------------------------------===//

static Outcome fence(Task &task, const Instruction &) {
  task.fencedStep = task.step++; // what it writes from here on is not covered
  return Outcome::Next;
}

/// staging, map, row, column, (group). Thread 0 of the warpgroup issues it.
static Outcome tmaStore(Task &task, const Instruction &i) {
  auto op = cast<TmaStoreOp>(i.op);
  Panels panels(cast<MemRefType>(op.getStaging().getType()));
  std::shared_ptr<const TensorMap> map = task.in(i, 1).map;
  int64_t staging = task.in(i, 0).number;
  if (!task.global(i, Matrix(), nullptr, 0))
    return Outcome::Failed;
  Accessor by = task.accessor(i.op, Thread(task.firstThread));
  by.access.agent = task.cta.machine.storesOf(task);
  by.access.thread = kManyThreads;
  by.access.step = ++task.committed;
  by.isAsync = true;
  int32_t row = int32_t(task.in(i, 2).number), column = int32_t(task.in(i, 3).number);
  int32_t group = op.getGroup() ? int32_t(task.in(i, 4).number) : 0;
  BulkGroup copies;
  for (int64_t panel = 0; panel < panels.count; ++panel) {
    int64_t source = staging + panel * panels.stride;
    if (source % 128 != 0) {
      task.fail(i.op) << "expected panels that start at multiples of 128 bytes, got byte " << source;
      return Outcome::Failed;
    }
    if (!task.access(i, task.cta, source, map->boxBytes(), by, /*isWrite=*/false))
      return Outcome::Failed;
    copies.push_back([&task, op = i.op, adds = op.getAdd(), map, source, row,
                      column = column + int32_t(panel * panels.width), group] {
      bool inMemory = map->forEach(row, column, group, [&](uint8_t *to, int64_t offset, int64_t bytes) {
        const uint8_t *from = task.cta.memory.at<uint8_t>(swizzled(source + offset, map->swizzleBytes));
        for (int64_t byte = 0; to && byte < bytes; byte += map->elementBytes)
          if (!task.cta.machine.store(task, op, to + byte, from + byte, map->elementBytes, adds))
            return false;
        return true;
      });
      if (!inMemory && !task.cta.machine.failed)
        task.fail(op) << "writes a box at [" << row << ", " << column << "] outside of D's memory, in " << task.name();
      return inMemory;
    });
  }
  task.bulkGroups.push_back(std::move(copies));
  return Outcome::Next;
}

/// Only thread 0 waits, and knows: the others learn it at the next barrier.
static Outcome tmaStoreWait(Task &task, const Instruction &i) {
  uint32_t pending = uint32_t(cast<TmaStoreWaitOp>(i.op).getPending());
  uint32_t done = task.committed > pending ? task.committed - pending : 0;
  if (task.copied < done) {
    task.waitingAt = i.op;
    task.isReady = [&task, done] { return task.copied >= done; };
    return Outcome::Retry;
  }
  task.knownCopied = std::max(task.knownCopied, done);
  return Outcome::Next;
}

/// count, staging, d, row, column, (group). Chunk n of the rows is thread n % 128's.
static Outcome storeRows(Task &task, const Instruction &i) {
  auto op = cast<StoreRowsOp>(i.op);
  Panels panels(cast<MemRefType>(op.getStaging().getType()));
  const Matrix &d = *task.in(i, 2).operand;
  int64_t rows = std::min(task.in(i, 0).number, panels.rows), staging = task.in(i, 1).number;
  int64_t firstRow = task.in(i, 3).number, firstColumn = task.in(i, 4).number;
  int64_t group = op.getGroup() ? task.in(i, 5).number : 0;
  int64_t columns = cast<MemRefType>(op.getD().getType()).getShape().back();
  int64_t chunksPerRow = panels.rowBytes / kChunkBytes, chunkElements = kChunkBytes / panels.elementBytes;
  for (int64_t number = 0; number < rows * chunksPerRow; ++number) {
    int64_t row = number / chunksPerRow, chunk = number % chunksPerRow;
    Thread thread = Thread(task.firstThread + number % kThreadsPerWarpgroup);
    for (int64_t panel = 0; panel < panels.count; ++panel) {
      int64_t column = firstColumn + panel * panels.width + chunk * chunkElements;
      if (column >= columns)
        continue;
      int64_t source = staging + panels.position(panel, row, chunk * chunkElements);
      uint8_t *to =
          d.data + ((firstRow + row) * d.leadingDimension + column + group * d.groupStride) * panels.elementBytes;
      if (firstRow + row >= d.rows || group >= d.groups || column + chunkElements > d.columns) {
        task.fail(i.op) << "writes row " << firstRow + row << ", column " << column << " of D, which has " << d.rows
                        << " rows and " << d.columns << " columns, in " << task.name();
        return Outcome::Failed;
      }
      if (!task.read(i, task.cta, source, kChunkBytes, thread) || !task.global(i, d, to, kChunkBytes))
        return Outcome::Failed;
      for (int64_t byte = 0; byte < kChunkBytes; byte += panels.elementBytes)
        if (!task.cta.machine.store(task, i.op, to + byte, task.cta.memory.at<uint8_t>(source + byte),
                                    panels.elementBytes, /*add=*/false))
          return Outcome::Failed;
    }
  }
  return Outcome::Next;
}

/// values, buffer, row, k_block, (group), rows: thread 4i of a warp stores what it has, of rows 16w + i and i + 8.
static Outcome putScalesOfRows(Task &task, const Instruction &i) {
  auto op = cast<PutScalesOp>(i.op);
  const Matrix &matrix = *task.in(i, 1).operand;
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)cast<MemRefType>(op.getBuffer().getType()).getStridesAndOffset(strides, offset); // the operation verifies it
  int64_t firstRow = task.in(i, 2).number, block = task.in(i, 3).number;
  int64_t group = op.getGroup() ? task.in(i, 4).number : 0, rows = task.in(i, int(i.in.size()) - 1).number;
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; thread += 4)
    for (int64_t half = 0; half < 2; ++half) {
      int64_t inFragment = fragmentRow(thread, 2 * half);
      if (inFragment >= rows)
        continue;
      int64_t outer = firstRow + inFragment, inner = block;
      if (strides.back() != 1)
        std::swap(outer, inner);
      uint8_t *to = matrix.data + (outer * matrix.leadingDimension + inner + group * matrix.groupStride) * 4;
      if (!task.global(i, matrix, to, sizeof(float)))
        return Outcome::Failed;
      memcpy(to, &task.in(i, 0).registers->of(thread)[half], sizeof(float));
    }
  return Outcome::Next;
}

Handler fp8gemm::simulator::storeHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<StoreFragmentOp>([](auto) { return storeFragment; })
      .Case([](LoadFragmentOp op) { return op.isOfMatrix() ? loadMatrix : loadFragment; })
      .Case<PutFragmentOp>([](auto) { return putFragment; })
      .Case<ReduceFragmentsOp>([](auto) { return reduceFragments; })
      .Case([](FenceOp op) -> Handler { return op.getKind() == FenceKind::async_shared ? fence : nullptr; })
      .Case<TmaStoreOp>([](auto) { return tmaStore; })
      .Case<TmaStoreWaitOp>([](auto) { return tmaStoreWait; })
      .Case<StoreRowsOp>([](auto) { return storeRows; })
      .Case([](PutScalesOp op) { return op.isOfAccumulator() ? putScalesOfRows : nullptr; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
