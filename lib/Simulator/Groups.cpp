// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups: their table, which one a tile belongs to, and tensor maps of each.

#include "Machine.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

static constexpr int64_t kRowBytes = 16, kMapBytes = 128;
/// The warp that tabulates.
static constexpr int64_t kScanningWarp = 1;

static int64_t groupsOf(Type table) { return cast<MemRefType>(table).getDimSize(0) - 1; }

/// An entry of a description of groups.
static bool loadEntry(Task &task, const Instruction &i, const Matrix &source, int64_t position, uint32_t &entry) {
  const uint8_t *address = source.data + position * 4;
  if (!task.global(i, source, address, 4))
    return false;
  memcpy(&entry, address, 4);
  return true;
}

/// Numbers of 32 bits, as the kernel has them.
static uint32_t atLeastZero(uint32_t value) { return int32_t(value) < 0 ? 0 : value; }

/// groups, limit, table.
static Outcome scanGroups(Task &task, const Instruction &i) {
  auto op = cast<ScanGroupsOp>(i.op);
  const Matrix &source = *task.in(i, 0).operand;
  uint32_t limit = uint32_t(task.in(i, 1).number), chunksBefore = 0, lengthBefore = 0;
  uint32_t align = uint32_t(op.getAlign()), chunk = uint32_t(op.getChunk());
  int64_t table = task.in(i, 2).number, count = groupsOf(op.getTable().getType());
  auto store = [&](int64_t row, std::array<uint32_t, 4> values, Thread thread) {
    if (!task.write(i, task.cta, table + row * kRowBytes, kRowBytes, thread))
      return false;
    memcpy(task.cta.memory.at<uint8_t>(table + row * kRowBytes), values.data(), kRowBytes);
    return true;
  };
  int64_t sharing = int64_t(op.getSharing()), weights = count / sharing;
  for (int64_t row = 0; row < count; ++row) {
    // All groups of the first weights, then all of the second ones.
    int64_t group = row / sharing + row % sharing * weights;
    uint32_t entry, before = 0, begin = 0, end;
    if (!loadEntry(task, i, source, group, entry) || (group > 0 && !loadEntry(task, i, source, group - 1, before)))
      return Outcome::Failed;
    uint32_t clamped = std::min(atLeastZero(entry), limit);
    if (op.getBy() == Grouping::row_end) {
      if (group > 0)
        begin = std::min((std::min(atLeastZero(before), limit) + align - 1) / align * align, limit);
      end = std::max(begin, clamped);
    } else if (op.getBy() == Grouping::row_count) {
      end = clamped;
    } else {
      begin = std::min(lengthBefore, limit);
      lengthBefore += clamped;
      end = std::max(begin, std::min(lengthBefore, limit));
    }
    Thread thread = Thread(kScanningWarp * kThreadsPerWarp + row % kThreadsPerWarp);
    if (!store(row, {chunksBefore, begin, end, 0}, thread))
      return Outcome::Failed;
    chunksBefore += (end - begin + chunk - 1) / chunk;
  }
  return store(count, {chunksBefore, 0, 0, 0}, kManyThreads) ? Outcome::Next : Outcome::Failed;
}

/// chunk, table.
static Outcome findGroup(Task &task, const Instruction &i) {
  auto op = cast<FindGroupOp>(i.op);
  int64_t table = task.in(i, 1).number, count = groupsOf(op.getTable().getType());
  if (!task.read(i, task.cta, table, (count + 1) * kRowBytes))
    return Outcome::Failed;
  auto row = [&](int64_t group) { return task.cta.memory.at<uint32_t>(table + group * kRowBytes); };
  uint32_t chunk = uint32_t(task.in(i, 0).number);
  int64_t group = 0;
  for (int64_t step = int64_t(llvm::PowerOf2Ceil(count)) / 2; step > 0; step /= 2)
    if (int64_t next = std::min(group + step, count); *row(next) <= chunk)
      group = next;
  if (group >= count) {
    task.fail(i.op) << "expected a chunk below all " << *row(count) << ", got " << chunk << ", in " << task.name();
    return Outcome::Failed;
  }
  task.out(i, 0).number = group;
  for (int k = 0; k < 3; ++k)
    task.out(i, k + 1).number = row(group)[k];
  return Outcome::Next;
}

/// index, first, group, limit.
static Outcome countRows(Task &task, const Instruction &i) {
  const Matrix &index = *task.in(i, 0).operand;
  int64_t first = task.in(i, 1).number, limit = task.in(i, 3).number, count = 0;
  for (int64_t most = int64_t(cast<CountRowsOp>(i.op).getMost()); count < most; ++count) {
    uint32_t entry;
    if (!loadEntry(task, i, index, std::min(first + count, limit - 1), entry))
      return Outcome::Failed;
    if (first + count >= limit || entry != uint32_t(task.in(i, 2).number))
      break;
  }
  task.out(i, 0).number = count;
  return Outcome::Next;
}

//===----------------------------------------------------------------------===//
// Tensor maps of groups
//===----------------------------------------------------------------------===//

/// map, source, rows, table, workspace. Thread g % threads writes the map of group g.
static Outcome makeGroupMaps(Task &task, const Instruction &i) {
  auto op = cast<MakeGroupMapsOp>(i.op);
  Cta &cta = task.cta;
  const Matrix &source = *task.in(i, 1).operand, &workspace = *task.in(i, 4).operand;
  int64_t rows = task.in(i, 2).number, table = task.in(i, 3).number, count = groupsOf(op.getTable().getType());
  int64_t slot = int64_t(op.getSlot()), slots = int64_t(op.getSlots());
  bool flat = cast<MemRefType>(op.getSource().getType()).getRank() == 1;
  cta.groupMaps.resize(size_t(slots));
  cta.groupMaps[slot].resize(size_t(count));
  for (int64_t group = 0; group < count; ++group) {
    Thread thread = Thread(group % cta.machine.launchAttr.getThreads());
    int64_t place = (cta.index * slots * count + slot * count + group) * kMapBytes;
    if (!task.read(i, cta, table + group * kRowBytes, kRowBytes, thread) ||
        !task.global(i, workspace, workspace.data + place, kMapBytes))
      return Outcome::Failed;
    const auto *row = cta.memory.at<uint32_t>(table + group * kRowBytes);
    int64_t begin = row[1], length = int64_t(row[2]) - begin;
    auto map = std::make_shared<TensorMap>(*task.in(i, 0).map);
    map->memory = source.data, map->memoryBytes = source.bytes;
    map->tensor.data = source.data + begin * (flat ? rows : 1) * map->elementBytes;
    map->tensor.columns = std::max<int64_t>(length, 1);
    if (flat)
      map->tensor.rows = rows, map->tensor.leadingDimension = std::max(length, kRowBytes);
    cta.groupMaps[slot][group] = {std::move(map), task.accessor(i.op, thread).access};
  }
  return Outcome::Next;
}

/// group, workspace.
static Outcome groupMap(Task &task, const Instruction &i) {
  auto op = cast<GroupMapOp>(i.op);
  size_t slot = size_t(op.getSlot()), group = size_t(task.in(i, 0).number);
  const auto &maps = task.cta.groupMaps;
  const GroupMap *found = slot < maps.size() && group < maps[slot].size() ? &maps[slot][group] : nullptr;
  if (!found || !found->map ||
      !task.accessor(i.op, Thread(task.firstThread)).isBehind(found->made, true, /*previousIsAsync=*/false)) {
    task.fail(i.op) << "uses the tensor map of group " << group << ", which may not be made yet, in " << task.name();
    return Outcome::Failed;
  }
  task.out(i, 0).map = found->map;
  return Outcome::Next;
}

/// A table's entry in shared memory, or an entry of a description of groups.
static Outcome load(Task &task, const Instruction &i) {
  auto op = cast<memref::LoadOp>(i.op);
  MemRefType type = op.getMemRefType();
  uint32_t entry;
  if (const Matrix *source = task.in(i, 0).operand) {
    if (!loadEntry(task, i, *source, task.in(i, 1).number, entry))
      return Outcome::Failed;
  } else {
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(type.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic) ||
        !type.hasStaticShape() || !type.getElementType().isInteger(32)) {
      task.fail(i.op) << "expected a load of i32 from a memref of static shape and strides";
      return Outcome::Failed;
    }
    offset = task.in(i, 0).number;
    for (int64_t k = 0; k < type.getRank(); ++k) {
      int64_t index = task.in(i, int(k) + 1).number;
      if (index >= type.getDimSize(k)) {
        task.fail(i.op) << "expected an index below " << type.getDimSize(k) << ", got " << index << ", in "
                        << task.name();
        return Outcome::Failed;
      }
      offset += 4 * strides[k] * index;
    }
    if (!task.read(i, task.cta, offset, 4))
      return Outcome::Failed;
    entry = *task.cta.memory.at<uint32_t>(offset);
  }
  task.out(i, 0).number = entry;
  return Outcome::Next;
}

Handler fp8gemm::simulator::groupHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<ScanGroupsOp>([](auto) { return scanGroups; })
      .Case<FindGroupOp>([](auto) { return findGroup; })
      .Case<CountRowsOp>([](auto) { return countRows; })
      .Case<MakeGroupMapsOp>([](auto) { return makeGroupMaps; })
      .Case<GroupMapOp>([](auto) { return groupMap; })
      .Case<memref::LoadOp>([](auto) -> Handler { return load; })
      .Default([](Operation *) -> Handler { return nullptr; });
}
