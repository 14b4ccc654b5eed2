// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operands.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace fp8gemm::execution;

bool fp8gemm::execution::isInPlace(const fp8gemm_cpu_problem &p) {
  return p.c.data == p.d.data && p.c.leading_dimension == p.d.leading_dimension &&
         (!hasGroupsOfD(p) || p.c.group_stride == p.d.group_stride);
}

int64_t fp8gemm::execution::describedEntries(const fp8gemm_cpu_problem &p) {
  if (!isDescribed(p))
    return 0;
  return p.grouping == FP8GEMM_CPU_ROW_INDEX ? p.m : p.groups;
}

Descriptor Operand::part(bool mIsColumns, int64_t first, int64_t count) const {
  int64_t step = mIsColumns ? 1 : matrix.leading_dimension;
  void *start = static_cast<char *>(matrix.data) + first * step * elementBytes;
  return {start, start, 0, {mIsColumns ? rows : count, mIsColumns ? count : columns, matrix.leading_dimension, 1}};
}

Descriptor Operand::whole() const {
  Descriptor descriptor{matrix.data, matrix.data, 0, {}};
  const int64_t sizes[] = {groups, rows, columns}, strides[] = {matrix.group_stride, matrix.leading_dimension, 1};
  for (int dim = 0; dim < rank; ++dim) {
    descriptor.extents[dim] = sizes[3 - rank + dim];
    descriptor.extents[rank + dim] = strides[3 - rank + dim];
  }
  return descriptor;
}

/// Scales of `mn` blocks of rows of a matrix.
static Operand scalesOf(const char *name, fp8gemm_cpu_matrix matrix, int rank, int64_t groups, bool mnMajor, int64_t mn,
                        int64_t kBlocks, bool aligned) {
  return {name, matrix, rank, groups, mnMajor ? kBlocks : mn, mnMajor ? mn : kBlocks, 4, mnMajor && aligned};
}

Operands::Operands(const fp8gemm_cpu_problem &p) {
  bool eachGroup = p.grouping == FP8GEMM_CPU_ROW_COUNT || p.grouping == FP8GEMM_CPU_BATCHED;
  bool grouped = p.grouping != FP8GEMM_CPU_NOT_GROUPED, ofK = isKGrouped(p);
  int aRank = eachGroup ? 3 : 2, bRank = grouped && !ofK ? 3 : 2, dRank = eachGroup || ofK ? 3 : 2;
  int64_t kBlocks = ofK ? p.k_blocks : llvm::divideCeil(p.k, kBlockK);
  int64_t nBlocks = llvm::divideCeil(p.n, p.sfb_block_rows), dBytes = p.d_type == FP8GEMM_CPU_F32 ? 4 : 2;
  a = {"a", p.a, aRank, p.groups, p.m, p.k, 1, true};
  int64_t weights = p.weights ? p.weights : p.groups;
  b = {"b", p.b, bRank, weights, p.n, p.k, 1, true};
  sfa = scalesOf("sfa", p.sfa, aRank, p.groups, isMnMajor(p.sfa_layout), p.m, kBlocks, true);
  sfb = scalesOf("sfb", p.sfb, bRank, weights, isMnMajor(p.sfb_layout), nBlocks, kBlocks, p.sfb_block_rows == 1);
  c = {"c", hasC(p) ? p.c : p.d, dRank, p.groups, p.m, p.n, dBytes, true};
  d = {"d", p.d, dRank, p.groups, p.m, p.n, dBytes, true};
  if (ofK) {
    a.anyColumns = b.anyColumns = true;
    (isMnMajor(p.sfa_layout) ? sfa.anyRows : sfa.anyColumns) = true;
    (isMnMajor(p.sfb_layout) ? sfb.anyRows : sfb.anyColumns) = true;
  } else {
    a.anyRows = c.anyRows = d.anyRows = true;
    (isMnMajor(p.sfa_layout) ? sfa.anyColumns : sfa.anyRows) = true;
  }
  if (p.flattened)
    for (Operand *matrix : {&a, &b})
      matrix->rank = 1, matrix->columns *= matrix->rows, matrix->rows = 1;
}

std::string fp8gemm::execution::checkProblem(const fp8gemm_cpu_problem &p) {
  if (p.grouping < FP8GEMM_CPU_NOT_GROUPED || p.grouping > FP8GEMM_CPU_K_COUNT)
    return "expected a grouping of 0 (not grouped) to 5 (k_count), got " + std::to_string(p.grouping);
  if (p.m < 0)
    return "expected m of at least 0, got " + std::to_string(p.m);
  if (p.n <= 0 || (p.k <= 0 && !isKGrouped(p)))
    return "expected positive n and k, got n = " + std::to_string(p.n) + ", k = " + std::to_string(p.k);
  for (int32_t layout : {p.sfa_layout, p.sfb_layout})
    if (layout != FP8GEMM_CPU_K_MAJOR && layout != FP8GEMM_CPU_MN_MAJOR)
      return "expected a scale layout of 0 (k_major) or 1 (mn_major), got " + std::to_string(layout);
  for (int32_t type : {p.a_type, p.b_type})
    if (type != FP8GEMM_CPU_E4M3 && type != FP8GEMM_CPU_E5M2)
      return "expected a and b of type 0 (e4m3) or 1 (e5m2), got " + std::to_string(type);
  if (p.d_type != FP8GEMM_CPU_BF16 && p.d_type != FP8GEMM_CPU_F32)
    return "expected d of type 2 (bf16) or 3 (f32), got " + std::to_string(p.d_type);
  if (p.sfb_block_rows != 1 && p.sfb_block_rows != 128)
    return "expected one scale for 1 or 128 rows of b, got one for " + std::to_string(p.sfb_block_rows);
  if (p.grouping == FP8GEMM_CPU_NOT_GROUPED)
    return "";

  if (p.groups <= 0)
    return "expected a positive number of groups, got " + std::to_string(p.groups);
  bool mayShare = p.grouping != FP8GEMM_CPU_ROW_INDEX && !isKGrouped(p);
  if (p.weights != 0 && (!mayShare || p.weights < 0 || p.groups % p.weights != 0))
    return "expected weights, for groups of rows with an end or a count or none, to divide the " + std::to_string(p.groups) +
           " groups, got " + std::to_string(p.weights);
  if (p.flattened && !isKGrouped(p))
    return "expected 'a' and 'b' to be flattened only with a grouping of k_count";
  if (isKGrouped(p) && (p.k < 0 || p.k % 16 != 0 || p.k_blocks < 0))
    return "expected k to be a multiple of 16 and at least 0 blocks of scales, got k = " + std::to_string(p.k) +
           " and " + std::to_string(p.k_blocks) + " blocks";
  if (describedEntries(p) > 0 && !p.description)
    return "expected a description of " + std::to_string(describedEntries(p)) + " entries, got a null pointer";
  return "";
}

/// In place, or apart: what is written must not be read later.
static std::string checkOverlap(const fp8gemm_cpu_problem &p, const Operands &operands) {
  auto begin = [](const Operand &operand) { return static_cast<const char *>(operand.matrix.data); };
  auto end = [&](const Operand &operand) {
    int64_t elements = (operand.rows - 1) * operand.matrix.leading_dimension + operand.columns;
    if (operand.rank == 3)
      elements += (operand.groups - 1) * operand.matrix.group_stride;
    return begin(operand) + elements * operand.elementBytes;
  };
  const Operand &c = operands.c, &d = operands.d;
  if (!hasC(p) || isInPlace(p) || p.m == 0 || end(c) <= begin(d) || end(d) <= begin(c))
    return "";
  return "expected 'c' to be 'd' with the same leading dimension, or not to overlap it";
}

static std::string checkOperand(const Operand &operand) {
  std::string name = std::string("'") + operand.name + "'";
  int64_t leading = operand.matrix.leading_dimension, stride = operand.matrix.group_stride;
  if (operand.rows == 0 || operand.columns == 0)
    return "";
  if (!operand.matrix.data)
    return "expected " + name + " to point to memory, got a null pointer";
  if (operand.rank == 1)
    return "";
  if (leading < operand.columns)
    return "expected the leading dimension of " + name + " to be at least " + std::to_string(operand.columns) +
           ", got " + std::to_string(leading);
  if (operand.alignedRows && leading * operand.elementBytes % 16 != 0)
    return "expected the rows of " + name + " to be a multiple of 16 bytes apart, got " +
           std::to_string(leading * operand.elementBytes) + " bytes";
  if (operand.rank == 2 || operand.groups == 1)
    return "";
  // One after the other, or side by side in each row.
  int64_t inGroup = (operand.rows - 1) * leading + operand.columns;
  int64_t inRow = (operand.groups - 1) * stride + operand.columns;
  if (stride < operand.columns || (stride < inGroup && leading < inRow))
    return "expected the groups of " + name + " not to overlap, got a group stride of " + std::to_string(stride) +
           " and a leading dimension of " + std::to_string(leading);
  if (operand.alignedRows && stride * operand.elementBytes % 16 != 0)
    return "expected the groups of " + name + " to be a multiple of 16 bytes apart, got " +
           std::to_string(stride * operand.elementBytes) + " bytes";
  return "";
}

std::string fp8gemm::execution::checkOperands(const fp8gemm_cpu_problem &p, const Operands &operands) {
  for (const Operand *operand : {&operands.a, &operands.sfa, &operands.b, &operands.sfb, &operands.c, &operands.d})
    if (std::string error = checkOperand(*operand); !error.empty())
      return error;
  return checkOverlap(p, operands);
}
