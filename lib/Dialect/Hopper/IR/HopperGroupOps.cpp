// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations of grouped products.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "Panels.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Groups that one warp tabulates, 32 at a time.
static constexpr int64_t kMaxGroups = 1024;

/// Operands whose maps are made: A and B, and some room.
static constexpr int64_t kMaxSlots = 8;

/// Rows are counted in 32 bits in a kernel.
static constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

static LogicalResult verifyTable(Operation *op, MemRefType table) {
  if (table.getRank() == 2 && table.getElementType().isInteger(32) && table.getDimSize(0) >= 2 &&
      table.getDimSize(0) <= kMaxGroups + 1 && table.getDimSize(1) == 4 && isDirect(table))
    return success();
  return op->emitOpError() << "expected 'table' to be [G + 1, 4] i32 for G in [1, " << kMaxGroups << "] groups, got "
                           << table;
}

LogicalResult ScanGroupsOp::verify() {
  auto table = cast<MemRefType>(getTable().getType());
  if (failed(verifyTable(*this, table)))
    return failure();
  if (getBy() == Grouping::row_index || getBy() == Grouping::batched)
    return emitOpError() << "expected groups by row_end, row_count or k_count, got " << stringifyGrouping(getBy());
  if (int64_t(getChunk()) > kMaxInt32 || int64_t(getAlign()) > kMaxInt32)
    return emitOpError() << "expected 'chunk' and 'align' to be at most " << kMaxInt32 << ", got "
                         << int64_t(getChunk()) << " and " << int64_t(getAlign());
  if (int64_t(getChunk()) < 1 || int64_t(getAlign()) < 1)
    return emitOpError() << "expected 'chunk' and 'align' to be positive, got " << int64_t(getChunk()) << " and "
                         << int64_t(getAlign());
  int64_t count = cast<MemRefType>(getGroups().getType()).getDimSize(0);
  if (count != table.getDimSize(0) - 1)
    return emitOpError() << "expected 'groups' to have the " << table.getDimSize(0) - 1 << " entries of 'table', got "
                         << getGroups().getType();
  int64_t sharing = int64_t(getSharing());
  if (sharing < 1 || count % sharing != 0 || (sharing > 1 && getBy() == Grouping::k_count))
    return emitOpError() << "expected 'sharing' to divide the " << count << " groups, and to be 1 by k_count, got "
                         << sharing;
  return success();
}

LogicalResult FindGroupOp::verify() { return verifyTable(*this, cast<MemRefType>(getTable().getType())); }

void FindGroupOp::getAsmResultNames(function_ref<void(Value, StringRef)> setName) {
  setName(getGroup(), "in_group");
  setName(getChunksBefore(), "chunks_before");
  setName(getBegin(), "begin");
  setName(getEnd(), "end");
}

static LogicalResult verifySlot(Operation *op, int64_t slot, int64_t slots) {
  if (slots > kMaxSlots)
    return op->emitOpError() << "expected 'slots' to be at most " << kMaxSlots << ", got " << slots;
  if (slot >= 0 && slot < slots)
    return success();
  return op->emitOpError() << "expected 'slot' to be in [0, " << slots << "), got " << slot;
}

LogicalResult MakeGroupMapsOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(verifyTable(*this, cast<MemRefType>(getTable().getType()))))
    return failure();
  if (failed(source.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return emitOpError() << "expected 'source' to have contiguous rows, got " << source;
  if (source.getElementType() != getMap().getType().getTensor().getElementType())
    return emitOpError() << "expected 'source' to have the map's element type, got " << source;
  return verifySlot(*this, getSlot(), getSlots());
}

LogicalResult GroupMapOp::verify() {
  if (int64_t(getGroups()) > kMaxGroups)
    return emitOpError() << "expected 'groups' to be at most " << kMaxGroups << ", got " << int64_t(getGroups());
  if (int64_t(getGroups()) < 1)
    return emitOpError() << "expected 'groups' to be positive, got " << int64_t(getGroups());
  return verifySlot(*this, getSlot(), getSlots());
}

void GroupMapOp::getAsmResultNames(function_ref<void(Value, StringRef)> setName) { setName(getMap(), "map"); }

LogicalResult CountRowsOp::verify() {
  if (int64_t(getMost()) > kMaxInt32)
    return emitOpError() << "expected 'most' to be at most " << kMaxInt32 << ", got " << int64_t(getMost());
  if (int64_t(getMost()) < 1)
    return emitOpError() << "expected 'most' to be positive, got " << int64_t(getMost());
  return success();
}

void CountRowsOp::getAsmResultNames(function_ref<void(Value, StringRef)> setName) { setName(getCount(), "rows"); }

LogicalResult StoreRowsOp::verify() {
  auto staging = cast<MemRefType>(getStaging().getType()), d = cast<MemRefType>(getD().getType());
  Type element = staging.getElementType();
  if (failed(verifyPanels(*this, "staging", staging, /*isStored=*/true)))
    return failure();
  if (d.getElementType() != element || d.getRank() != (getGroup() ? 3 : 2))
    return emitOpError() << "expected 'd' to be " << element << " of rank " << (getGroup() ? 3 : 2) << ", got " << d;
  int64_t columns = d.getShape().back();
  int64_t unit = isa<Float8E4M3FNType>(element) ? 16 : 8; // 16 bytes, at least
  if (ShapedType::isDynamic(columns) || columns % unit != 0)
    return emitOpError() << "expected 'd' to have a multiple of " << unit << " columns, got " << d;
  return success();
}
