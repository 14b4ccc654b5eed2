// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Storing a tile to global memory.

#include "Machine.h"
#include "Panels.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

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
      .Case([](FenceOp op) -> Handler { return op.getKind() == FenceKind::async_shared ? fence : nullptr; })
      .Case<TmaStoreOp>([](auto) { return tmaStore; })
      .Case<TmaStoreWaitOp>([](auto) { return tmaStoreWait; })
      .Case<StoreRowsOp>([](auto) { return storeRows; })
      .Case([](PutScalesOp op) { return op.isOfAccumulator() ? putScalesOfRows : nullptr; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
