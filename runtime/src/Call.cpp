// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a caller gave, against what the kernel's problem asks for.

#include "Call.h"

#include <algorithm>
#include <cinttypes>
#include <string>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Grouping;
using format::Operand;

/// K of a group along K is a multiple of this.
constexpr int64_t kGroupStep = 16;

int64_t Call::extent(format::Extent extent) const {
  const format::Problem &problem = facts.problem;
  switch (extent) {
  case format::Extent::One:
    return 1;
  case format::Extent::M:
    return m;
  case format::Extent::N:
    return problem.n;
  case format::Extent::ColumnsOfD:
    return columnsOfD(problem);
  case format::Extent::BlocksOfD:
    return ceilDiv(uint32_t(columnsOfD(problem)), format::kScaleBlock);
  case format::Extent::ColumnsOfX:
    return columnsOfX(problem);
  case format::Extent::K:
    return k;
  case format::Extent::KBlocks:
    return ceilDiv(uint32_t(k), format::kScaleBlock);
  case format::Extent::ScaledRowsOfA:
    return ceilDiv(uint32_t(m), scaledRowsOfA(problem));
  case format::Extent::ScaledRows:
    return ceilDiv(uint32_t(problem.n), problem.sfbRows);
  case format::Extent::Entries:
    return problem.grouping == Grouping::RowIndex ? m : problem.groups;
  case format::Extent::Bytes:
    return int64_t(facts.workspaceBytes);
  }
  return 0;
}

bool Call::hasNoWork() const {
  return m == 0 || (facts.problem.grouping == Grouping::KCount && k == 0 && facts.problem.c == format::CUse::InPlace);
}

//===----------------------------------------------------------------------===//
// What the kernel has
//===----------------------------------------------------------------------===//

/// Elements in a row, such as arrays are.
static void setLength(Storage &storage, int64_t length) {
  storage.rows = 1;
  storage.columns = length;
  storage.tensor.leading_dimension = length;
  storage.tensor.group_stride = 0;
}

static void describe(const Call &call, Storage &storage) {
  const Form &form = *storage.form;
  int64_t rows = call.extent(form.row->rows), columns = call.extent(form.row->columns);
  if (format::isFlat(call.facts.problem, *form.row))
    return setLength(storage, rows * columns);
  if (!format::isMatrix(*form.row)) { // vectors of groups follow each other
    setLength(storage, rows * columns * format::groupsOf(call.facts.problem, *form.row));
    storage.tensor.leading_dimension = columns; // strides for kernels: there is one row to check
    storage.tensor.group_stride = rows * columns;
    return;
  }
  storage.rows = form.isTransposed ? columns : rows;
  storage.columns = form.isTransposed ? rows : columns;
  if (form.groups == 1) // none to step to; a tensor map wants a stride all the same
    storage.tensor.group_stride = storage.tensor.leading_dimension;
  // Each group's blocks start anew; its last one has kGroupStep elements at least.
  const format::Problem &problem = call.facts.problem;
  if (problem.grouping == Grouping::KCount && form.row->columns == format::Extent::KBlocks && form.isTransposed)
    storage.possibleRows =
        (call.k + problem.groups * (int64_t(format::kScaleBlock) - kGroupStep)) / format::kScaleBlock - storage.rows;
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

/// Elements that a group spans if groups follow each other.
static int64_t groupExtent(const Storage &storage) {
  return (storage.rows - 1) * storage.tensor.leading_dimension + storage.columns;
}

/// Whether row r of all groups lies before row r + 1 of the first.
static bool isInterleaved(const Storage &storage) {
  // (groups - 1) * stride <= space, without overflow.
  int64_t space = storage.tensor.leading_dimension - storage.columns, stride = storage.tensor.group_stride;
  return storage.form->groups > 1 && stride >= storage.columns && stride <= space / (storage.form->groups - 1);
}

static fp8gemm_status checkStride(const Form &form, const char *what, int64_t stride) {
  if (stride > form.mostStride)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the %s of '%s' to be below 2^40 bytes, the limit of a tensor map, got %" PRId64
                " elements of %d bytes",
                what, form.name, stride, form.elementBytes);
  if (uint64_t(stride) * form.elementBytes & (form.alignment - 1))
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the %s of '%s' to be a multiple of %d bytes (%d elements), got %" PRId64 " elements", what,
                form.name, form.alignment, form.alignment / form.elementBytes, stride);
  return FP8GEMM_OK;
}

/// Every element has an address: so nothing that is computed of them overflows.
static fp8gemm_status checkEnd(const Storage &storage) {
  const fp8gemm_tensor &tensor = storage.tensor;
  int64_t rows = 0, groups = 0, end = 0;
  if (!__builtin_mul_overflow(storage.rows - 1, tensor.leading_dimension, &rows) &&
      !__builtin_mul_overflow(storage.form->groups - 1, tensor.group_stride, &groups) &&
      !__builtin_add_overflow(rows, groups, &end) && !__builtin_add_overflow(end, storage.columns, &end) &&
      !__builtin_mul_overflow(end, storage.form->elementBytes, &end) &&
      !__builtin_add_overflow(end, reinterpret_cast<intptr_t>(tensor.data), &end))
    return FP8GEMM_OK;
  std::string ofGroups;
  if (storage.form->groups > 1)
    ofGroups = " in each of " + std::to_string(storage.form->groups) + " groups " +
               std::to_string(tensor.group_stride) + " elements apart,";
  return fail(FP8GEMM_INVALID_ARGUMENT,
              "expected '%s' to end below address 2^63, got %" PRId64 " rows %" PRId64 " elements apart,%s from %p on",
              storage.form->name, storage.rows, tensor.leading_dimension, ofGroups.c_str(), tensor.data);
}

static fp8gemm_status checkGroupsAreApart(const Storage &storage) {
  int64_t stride = storage.tensor.group_stride;
  if (stride >= groupExtent(storage) || isInterleaved(storage))
    return FP8GEMM_OK;
  return fail(FP8GEMM_INVALID_ARGUMENT,
              "expected the groups of '%s' not to overlap (%" PRId64 " rows %" PRId64
              " apart: a group stride of at least %" PRId64 " elements), got a group stride of %" PRId64,
              storage.form->name, storage.rows, storage.tensor.leading_dimension, groupExtent(storage), stride);
}

static fp8gemm_status checkStrides(const Storage &storage) {
  int64_t leading = storage.tensor.leading_dimension;
  if (leading < storage.columns)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the leading dimension of '%s' to be at least its row length of %" PRId64
                " elements, got %" PRId64,
                storage.form->name, storage.columns, leading);
  if (fp8gemm_status status = checkStride(*storage.form, "leading dimension", leading))
    return status;
  return storage.form->groups == 1 ? FP8GEMM_OK
                                   : checkStride(*storage.form, "group stride", storage.tensor.group_stride);
}

static fp8gemm_status checkStorage(const Storage &storage) {
  const char *name = storage.form->name;
  if (!storage.tensor.data)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected '%s' to be a device pointer, got null", name);
  if (reinterpret_cast<uintptr_t>(storage.tensor.data) & (storage.form->alignment - 1))
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected the pointer of '%s' to be a multiple of %d bytes, got %p", name,
                storage.form->alignment, storage.tensor.data);
  if (storage.form->hasRows)
    if (fp8gemm_status status = checkStrides(storage))
      return status;
  if (fp8gemm_status status = checkEnd(storage))
    return status;
  return storage.form->groups == 1 ? FP8GEMM_OK : checkGroupsAreApart(storage);
}

//===----------------------------------------------------------------------===//
// Operands beside each other
//===----------------------------------------------------------------------===//

namespace {

/// Bytes that an operand takes: of [begin, end) the first `row` of every `pitch`; of a pitch of 0, any.
struct Footprint {
  const Storage &storage;
  uintptr_t begin, end;

  explicit Footprint(const Storage &storage)
      : storage(storage), begin(reinterpret_cast<uintptr_t>(storage.tensor.data)),
        end(begin + toLastGroup() + bytes(groupExtent(storage))) {}

  uintptr_t bytes(int64_t elements) const { return uintptr_t(elements) * storage.form->elementBytes; }
  uintptr_t toLastGroup() const { return bytes(storage.tensor.group_stride) * (storage.form->groups - 1); }
  uintptr_t row() const { return bytes(storage.columns) + (isInterleaved(storage) ? toLastGroup() : 0); }
  uintptr_t pitch() const {
    uintptr_t leading = bytes(storage.tensor.leading_dimension);
    bool isRegular = isInterleaved(storage) || (leading != 0 && toLastGroup() % leading == 0);
    return isRegular ? leading : 0;
  }
};

} // namespace

/// True if a byte of one may be a byte of the other. Rows of the same pitch, as those of two parts of
/// one matrix, are compared exactly; else the ranges of addresses are.
static bool overlap(const Footprint &ofX, const Storage &y) {
  if (ofX.storage.rows == 0 || y.rows == 0 || ofX.storage.columns == 0 || y.columns == 0)
    return false;
  const Footprint ofY(y);
  const Footprint &first = ofX.begin <= ofY.begin ? ofX : ofY, &second = ofX.begin <= ofY.begin ? ofY : ofX;
  if (first.end <= second.begin)
    return false;
  uintptr_t pitch = first.pitch();
  if (pitch != second.pitch() || pitch == 0)
    return true;
  uintptr_t behind = (second.begin - first.begin) % pitch;
  return behind < first.row() || behind + second.row() > pitch;
}

/// Where C is D, it is the same as D.
static fp8gemm_status checkInPlace(const Call &call) {
  const fp8gemm_tensor &c = call[Operand::C].tensor, &d = call[Operand::D].tensor;
  if (c.data == d.data && c.leading_dimension == d.leading_dimension && c.group_stride == d.group_stride)
    return FP8GEMM_OK;
  return fail(FP8GEMM_INVALID_ARGUMENT,
              "expected 'c' to be 'd' (the same pointer and strides), since kernel '%s' adds in place, got "
              "%p and %" PRId64,
              call.facts.entry, c.data, c.leading_dimension);
}

/// An operand is given where the kernel has it.
static fp8gemm_status checkOperand(const Call &call, Operand operand) {
  const Storage &storage = call[operand];
  if (operand == Operand::C && call.facts.problem.c == format::CUse::InPlace)
    return checkInPlace(call);
  if (storage.form->row)
    return checkStorage(storage);
  if (storage.tensor.data && operand != Operand::Workspace)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected '%s' to be null, since kernel '%s' takes none, got %p",
                storage.form->name, call.facts.entry, storage.tensor.data);
  return FP8GEMM_OK;
}

static fp8gemm_status checkWorkspace(const Call &call) {
  size_t needed = call.facts.workspaceBytes;
  if (call.workspaceBytes < needed)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a workspace of at least %zu bytes for kernel '%s', got %zu", needed,
                call.facts.entry, call.workspaceBytes);
  return FP8GEMM_OK;
}

/// What is written overlaps no other operand but, where the kernel adds in place, C.
static fp8gemm_status checkOverlap(const Call &call, const Storage &written) {
  const Footprint result(written);
  for (const Storage &other : call.storages) {
    bool isC = &other == &call[Operand::C];
    if (&other == &written || (isC && call.facts.problem.c == format::CUse::InPlace))
      continue;
    if (overlap(result, other))
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected '%s' not to overlap '%s'%s", written.form->name,
                  other.form->name, isC ? "; to add in place, compile a kernel that does" : "");
  }
  return FP8GEMM_OK;
}

/// An extent that the caller tells, and the kernel may have been compiled for one value of.
static fp8gemm_status checkExtent(const Call &call, const char *name, int64_t value, int64_t wanted) {
  if (value < 0 || value > INT32_MAX)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected %s in [0, 2^31 - 1], got %" PRId64, name, value);
  if (wanted >= 0 && value != wanted)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected %s = %" PRId64 ", the only one that kernel '%s' was compiled for, got %" PRId64, name, wanted,
                call.facts.entry, value);
  return FP8GEMM_OK;
}

static fp8gemm_status checkFlags(const Call &call) {
  bool grouped = call.facts.problem.grouping != Grouping::None;
  if (call.flags & ~(FP8GEMM_DEPENDENT_LAUNCH | (grouped ? FP8GEMM_CHECK_GROUPS : 0)))
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected flags of %sFP8GEMM_DEPENDENT_LAUNCH or 0, got 0x%x",
                grouped ? "FP8GEMM_CHECK_GROUPS, " : "", call.flags);
  if ((call.flags & FP8GEMM_DEPENDENT_LAUNCH) && !call.facts.waitsForPrevious)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected a kernel that waits for the one before it (dependent_launch in fp8gemm_kernel_info) for "
                "FP8GEMM_DEPENDENT_LAUNCH, got '%s'; launch it without the flag",
                call.facts.entry);
  return FP8GEMM_OK;
}

fp8gemm_status runtime::checkCall(Call &call) {
  if (fp8gemm_status status = checkExtent(call, "m", call.m, call.facts.problem.m))
    return status;
  if (fp8gemm_status status = checkExtent(call, "k", call.k, call.facts.problem.k))
    return status;
  if (fp8gemm_status status = checkFlags(call))
    return status;
  if (call.hasNoWork())
    return FP8GEMM_OK;
  for (Storage &storage : call.storages)
    if (storage.form->row)
      describe(call, storage);
  for (const format::OperandRow &row : format::kOperands)
    if (fp8gemm_status status = checkOperand(call, row.operand))
      return status;
  if (fp8gemm_status status = checkWorkspace(call))
    return status;
  const format::GroupingSet own = setOf(call.facts.problem);
  for (const Storage &storage : call.storages)
    if (storage.form->row && (storage.form->row->writtenBy & own))
      if (fp8gemm_status status = checkOverlap(call, storage))
        return status;
  return FP8GEMM_OK;
}
