// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The groups of a trial: sizes that are given or drawn, and the product of each.

#include "TrialProblem.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;
using hopper::Grouping;

static constexpr int64_t kBlockK = 128, kGroupStep = 16;

void TrialProblem::forEachProduct(llvm::function_ref<void(const GroupProduct &)> visit) const {
  if (isGrouped(Grouping::row_index)) {
    for (int64_t row = 0; row < m;) {
      int64_t first = row, group = description[row];
      while (row < m && description[row] == group)
        ++row;
      if (group >= 0 && group < groups())
        visit({group, first, row - first, 0, k});
    }
    return;
  }
  int64_t begin = 0, firstK = 0, firstBlock = 0;
  for (int64_t group = 0; group < groups(); ++group) {
    if (alongK()) {
      visit({group, 0, m, firstK, sizes[group], firstBlock});
      firstK += sizes[group], firstBlock += llvm::divideCeil(sizes[group], kBlockK);
    } else if (isGrouped(Grouping::row_end)) {
      begin = group == 0 ? 0 : int64_t(llvm::alignTo(begin, problem.getGroups().getAlign()));
      visit({group, begin, sizes[group], 0, k});
      begin += sizes[group];
    } else {
      visit({group, 0, isGrouped(Grouping::row_count) ? sizes[group] : m, 0, k});
    }
  }
}

/// Sizes of groups that add up to at most `total`: some empty, some of one step, one large.
static std::vector<int64_t> drawSizes(int64_t groups, int64_t total, int64_t step, int64_t align,
                                      std::mt19937_64 &random) {
  std::vector<int64_t> sizes;
  int64_t used = 0;
  for (int64_t group = 0; group < groups; ++group) {
    used = int64_t(llvm::alignTo(used, align));
    int64_t left = std::max<int64_t>(total - used, 0) / step, size = 0;
    if (left > 0 && random() % 4 != 0)
      size = random() % 4 == 0 ? 1 : 1 + int64_t(random() % uint64_t(left));
    sizes.push_back(size * step);
    used += size * step;
  }
  return sizes;
}

LogicalResult TrialProblem::chooseGroups(hopper::KernelOp kernel, const TrialOptions &options,
                                         std::mt19937_64 &random) {
  sizes = options.groupSizes;
  if (!sizes.empty() && int64_t(sizes.size()) != groups())
    return hopper::emitWithoutRegions(kernel) << "expected sizes of " << groups() << " groups, got " << sizes.size();
  if (alongK()) {
    if (sizes.empty())
      sizes = drawSizes(groups(), k < 0 ? groups() * 3 * kBlockK : k, kGroupStep, 1, random);
    int64_t total = 0;
    for (int64_t size : sizes) {
      if (size < 0 || size % kGroupStep != 0)
        return hopper::emitWithoutRegions(kernel)
               << "expected lengths of groups that are multiples of " << kGroupStep << ", got " << size;
      description.push_back(int32_t(size));
      total += size;
    }
    if (k < 0)
      k = total;
    return total <= k ? success()
                      : hopper::emitWithoutRegions(kernel) << "expected groups of at most " << k << ", got " << total;
  }
  if (isGrouped(Grouping::row_count) || isGrouped(Grouping::row_end)) {
    bool ends = isGrouped(Grouping::row_end);
    int64_t align = problem.getGroups().getAlign();
    if (sizes.empty() && ends)
      sizes = drawSizes(groups(), m, 1, align, random);
    while (int64_t(sizes.size()) < groups())
      sizes.push_back(random() % 3 == 0 ? 0 : int64_t(random() % uint64_t(m + 1)));
    int64_t end = 0;
    for (int64_t size : sizes) {
      if (!ends)
        end = size;
      else if (size > 0) // an empty group ends where the one before it does
        end = (description.empty() ? 0 : int64_t(llvm::alignTo(end, align))) + size;
      description.push_back(int32_t(end));
      if (size < 0 || end > m)
        return hopper::emitWithoutRegions(kernel)
               << "expected groups of at most " << m << " rows, got one that ends at " << end;
    }
    return success();
  }
  if (!isGrouped(Grouping::row_index))
    return success();
  description = options.rowIndex;
  if (!description.empty() && int64_t(description.size()) != m)
    return hopper::emitWithoutRegions(kernel)
           << "expected an index for each of " << m << " rows, got " << description.size();
  // Of each block of rows that starts at a multiple of the alignment, the first ones are of one group.
  int64_t align = problem.getGroups().getAlign();
  while (int64_t(description.size()) < m) {
    int32_t group = random() % 6 == 0 ? -1 : int32_t(random() % uint64_t(groups()));
    int64_t rows = random() % 2 == 0 ? align : int64_t(random() % uint64_t(align + 1));
    for (int64_t row = 0; row < align && int64_t(description.size()) < m; ++row)
      description.push_back(row < rows ? group : -1);
  }
  return success();
}
