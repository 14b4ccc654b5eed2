// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FP8GEMM_CHECK_GROUPS: whether a description of groups says what it may say.

#include "Call.h"
#include "Kernel.h"

#include <string>
#include <vector>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Grouping;

using Entries = std::vector<int32_t>;

static std::string text(int64_t value) { return std::to_string(value); }
static std::string entry(size_t index) { return "groups[" + std::to_string(index) + "]"; }

/// Of each block of `align` rows the first are one group's, and from the first -1 on all are -1.
static std::string checkRowIndices(const Entries &groups, int64_t count, int64_t align) {
  for (size_t row = 0; row < groups.size(); ++row) {
    int32_t group = groups[row];
    if (group < -1 || group >= count)
      return entry(row) + " in [-1, " + text(count) + "), got " + text(group);
    if (row % align == 0 || group == groups[row - 1] || group == -1)
      continue;
    return entry(row) + " to be " + (groups[row - 1] == -1 ? "" : text(groups[row - 1]) + " or ") +
           "-1, since a block of " + text(align) + " rows holds rows of one group, then others, got " + text(group);
  }
  return {};
}

static std::string checkRowEnds(const Entries &groups, int64_t m) {
  int64_t least = 0;
  for (size_t group = 0; group < groups.size(); ++group) {
    if (groups[group] < least || groups[group] > m)
      return entry(group) + " in [" + text(least) + ", m = " + text(m) + "], since ends ascend, got " +
             text(groups[group]);
    least = groups[group];
  }
  return {};
}

static std::string checkRowCounts(const Entries &groups, int64_t m) {
  for (size_t group = 0; group < groups.size(); ++group)
    if (groups[group] < 0 || groups[group] > m)
      return entry(group) + " in [0, m = " + text(m) + "], got " + text(groups[group]);
  return {};
}

static std::string checkReductionLengths(const Entries &groups, int64_t k) {
  int64_t sum = 0;
  for (size_t group = 0; group < groups.size(); ++group) {
    if (groups[group] < 0 || groups[group] % 16 != 0)
      return entry(group) + " to be a multiple of 16, and not negative, got " + text(groups[group]);
    sum += groups[group];
    if (sum > k)
      return "the lengths up to " + entry(group) + " to add up to at most k = " + text(k) + ", got " + text(sum);
  }
  return {};
}

/// Empty, or the first thing that is wrong, as what was expected.
static std::string check(const Call &call, const Entries &groups) {
  switch (call.facts.problem.grouping) {
  case Grouping::RowIndex:
    return checkRowIndices(groups, call.facts.problem.groups, call.facts.problem.align);
  case Grouping::RowEnd:
    return checkRowEnds(groups, call.m);
  case Grouping::RowCount:
    return checkRowCounts(groups, call.m);
  case Grouping::KCount:
    return checkReductionLengths(groups, call.k);
  case Grouping::None:
  case Grouping::Batched:
    break;
  }
  return {};
}

fp8gemm_status runtime::checkGroups(const Call &call, const cuda::Driver &driver, cuda::CUstream stream) {
  if (!format::factsOf(call.facts.problem).isDescribed)
    return FP8GEMM_OK;
  Entries groups(call.groupEntries());
  auto from = reinterpret_cast<cuda::CUdeviceptr>(call[format::Operand::Groups].tensor.data);
  if (auto result = driver.memcpyDtoHAsync(groups.data(), from, groups.size() * sizeof(int32_t), stream))
    return failedCall(driver, result, "cuMemcpyDtoHAsync for FP8GEMM_CHECK_GROUPS");
  if (auto result = driver.streamSynchronize(stream))
    return failedCall(driver, result, "cuStreamSynchronize for FP8GEMM_CHECK_GROUPS");
  if (std::string wrong = check(call, groups); !wrong.empty())
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected %s", wrong.c_str());
  return FP8GEMM_OK;
}
