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

int64_t Call::groupEntries() const { return facts.problem.grouping == Grouping::RowIndex ? m : facts.problem.groups; }

bool Call::hasNoWork() const {
  return m == 0 || (facts.problem.grouping == Grouping::KCount && k == 0 && facts.problem.c == format::CUse::InPlace);
}

//===----------------------------------------------------------------------===//
// What the kernel has
//===----------------------------------------------------------------------===//

static void setExtents(Storage &storage, int64_t rows, int64_t columns) {
  storage.rows = rows;
  storage.columns = columns;
}

/// Elements in a row, such as arrays are.
static void setLength(Storage &storage, int64_t length) {
  setExtents(storage, 1, length);
  storage.tensor.leading_dimension = length;
  storage.tensor.group_stride = 0;
}

static void setScaleExtents(const Call &call, int64_t outer, format::ScaleLayout layout, Storage &storage) {
  int64_t inner = ceilDiv(uint32_t(call.k), format::kScaleBlock);
  bool isKMajor = layout == format::ScaleLayout::KMajor;
  setExtents(storage, isKMajor ? outer : inner, isKMajor ? inner : outer);
  // Each group's blocks start anew; its last one has kGroupStep elements at least.
  if (call.facts.problem.grouping == Grouping::KCount && !isKMajor)
    storage.possibleRows =
        (call.k + call.facts.problem.groups * (int64_t(format::kScaleBlock) - kGroupStep)) / format::kScaleBlock -
        inner;
}

static void describeOperands(Call &call) {
  const Facts &facts = call.facts;
  if (isQuantisation(facts.problem)) {
    setExtents(call[Operand::X], call.m, call.k);
    setExtents(call[Operand::A], call.m, call.k);
    setScaleExtents(call, call.m, facts.problem.sfa, call[Operand::ScaleA]);
    return;
  }
  setExtents(call[Operand::A], call.m, call.k);
  setExtents(call[Operand::B], facts.problem.n, call.k);
  setExtents(call[Operand::D], call.m, columnsOfD(facts.problem));
  if (facts.problem.c != format::CUse::None)
    setExtents(call[Operand::C], call.m, columnsOfD(facts.problem));
  setScaleExtents(call, call.m, facts.problem.sfa, call[Operand::ScaleA]);
  setScaleExtents(call, ceilDiv(uint32_t(facts.problem.n), facts.problem.sfbRows), facts.problem.sfb,
                  call[Operand::ScaleB]);
  for (Operand operand : {Operand::A, Operand::B, Operand::ScaleA, Operand::ScaleB, Operand::C, Operand::D}) {
    Storage &storage = call[operand];
    if (!storage.form->hasRows)
      setLength(storage, storage.rows * storage.columns);
    else if (storage.form->groups == 1) // none to step to; a tensor map wants a stride all the same
      storage.tensor.group_stride = storage.tensor.leading_dimension;
  }
  if (format::factsOf(facts.problem).isDescribed)
    setLength(call[Operand::Groups], call.groupEntries());
  if (facts.problem.bias != format::Bias::None)
    setLength(call[Operand::Bias], columnsOfD(facts.problem));
  if (facts.workspaceBytes)
    setLength(call[Operand::Workspace], int64_t(facts.workspaceBytes));
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

/// C is given where it is added, in place where the kernel adds in place.
static fp8gemm_status checkC(const Call &call) {
  const char *kernel = call.facts.entry;
  const fp8gemm_tensor &c = call[Operand::C].tensor, &d = call[Operand::D].tensor;
  switch (call.facts.problem.c) {
  case format::CUse::None:
    if (c.data)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected 'c' to be null, since kernel '%s' adds no C, got %p", kernel,
                  c.data);
    return FP8GEMM_OK;
  case format::CUse::Apart:
    return checkStorage(call[Operand::C]);
  case format::CUse::InPlace:
    if (c.data == d.data && c.leading_dimension == d.leading_dimension && c.group_stride == d.group_stride)
      return FP8GEMM_OK;
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected 'c' to be 'd' (the same pointer and strides), since kernel '%s' adds in place, got "
                "%p and %" PRId64,
                kernel, c.data, c.leading_dimension);
  }
  return FP8GEMM_OK;
}

/// The bias is given where it is added.
static fp8gemm_status checkBias(const Call &call) {
  if (call.facts.problem.bias != format::Bias::None)
    return checkStorage(call[Operand::Bias]);
  if (const void *bias = call[Operand::Bias].tensor.data)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected 'bias' to be null, since kernel '%s' adds none, got %p",
                call.facts.entry, bias);
  return FP8GEMM_OK;
}

/// The description of groups, where the kernel reads one.
static fp8gemm_status checkDescription(const Call &call) {
  if (format::factsOf(call.facts.problem).isDescribed)
    return checkStorage(call[Operand::Groups]);
  if (const void *groups = call[Operand::Groups].tensor.data)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected 'groups' to be null, since those of kernel '%s' are equal, got %p",
                call.facts.entry, groups);
  return FP8GEMM_OK;
}

static fp8gemm_status checkWorkspace(const Call &call) {
  size_t needed = call.facts.workspaceBytes;
  if (needed == 0)
    return FP8GEMM_OK;
  if (fp8gemm_status status = checkStorage(call[Operand::Workspace]))
    return status;
  if (call.workspaceBytes < needed)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a workspace of at least %zu bytes for kernel '%s', got %zu", needed,
                call.facts.entry, call.workspaceBytes);
  return FP8GEMM_OK;
}

/// What is written overlaps no other operand but, where the kernel adds in place, C.
static fp8gemm_status checkOverlap(const Call &call, Operand written) {
  const Footprint result(call[written]);
  for (Operand operand : {Operand::X, Operand::A, Operand::ScaleA, Operand::B, Operand::ScaleB, Operand::C,
                          Operand::Bias, Operand::Groups, Operand::Workspace}) {
    const Storage &other = call[operand];
    if (operand == written || (operand == Operand::C && call.facts.problem.c == format::CUse::InPlace))
      continue;
    if (overlap(result, other))
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected '%s' not to overlap '%s'%s", call[written].form->name,
                  other.form->name, operand == Operand::C ? "; to add in place, compile a kernel that does" : "");
  }
  return FP8GEMM_OK;
}

static fp8gemm_status checkOverlaps(const Call &call) {
  if (!isQuantisation(call.facts.problem))
    return checkOverlap(call, Operand::D);
  fp8gemm_status status = checkOverlap(call, Operand::A);
  return status ? status : checkOverlap(call, Operand::ScaleA);
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
  describeOperands(call);
  for (Operand operand : {Operand::X, Operand::A, Operand::ScaleA, Operand::B, Operand::ScaleB, Operand::D})
    if (format::isOf(call.facts.problem, operand))
      if (fp8gemm_status status = checkStorage(call[operand]))
        return status;
  for (auto *check : {checkC, checkBias, checkDescription, checkWorkspace, checkOverlaps})
    if (fp8gemm_status status = check(call))
      return status;
  return FP8GEMM_OK;
}
