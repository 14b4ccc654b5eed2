// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operands.h"

#include <cstring>

namespace fp8gemm::program {

static constexpr int64_t kBlock = 128; ///< elements of K that share a scale

static int64_t ceilDiv(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

/// MLIR's descriptor of a memref of `rank`: {allocated, aligned, offset, sizes[rank], strides[rank]}.
static Operand read(const char *name, bool onDevice, const void *descriptor, int rank, int64_t elementBytes) {
  if (!descriptor)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, std::string("expected operand '") + name + "', got a null pointer");
  int64_t words[9];
  std::memcpy(words, descriptor, size_t(3 + 2 * rank) * sizeof(int64_t));
  const int64_t *sizes = words + 3, *strides = words + 3 + rank;
  Operand operand;
  operand.name = name;
  operand.onDevice = onDevice;
  operand.elementBytes = elementBytes;
  operand.data = reinterpret_cast<char *>(words[1]) + words[2] * elementBytes;
  operand.columns = sizes[rank - 1];
  operand.rows = rank >= 2 ? sizes[rank - 2] : 1;
  operand.rowStride = rank >= 2 ? strides[rank - 2] : operand.columns;
  operand.groups = rank == 3 ? sizes[0] : 1;
  operand.groupStride = rank == 3 ? strides[0] : operand.rows * operand.rowStride;
  if (strides[rank - 1] != 1 && operand.columns > 1)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, std::string("expected '") + name +
                                                "' to have an innermost stride of 1, got " +
                                                std::to_string(strides[rank - 1]));
  if (!operand.isEmpty() && !words[1])
    throw Failure(FP8GEMM_INVALID_ARGUMENT, std::string("expected '") + name + "' to point to memory, got null");
  return operand;
}

static void require(const Operand &operand, const char *what, int64_t got, int64_t expected) {
  if (got != expected)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, std::string("expected '") + operand.name + "' to have " +
                                                std::to_string(expected) + " " + what + ", got " + std::to_string(got));
}

Operands::Operands(const fp8gemm_problem &problem, uint32_t device, const void *aMemref, const void *sfaMemref,
                   const void *bMemref, const void *sfbMemref, const void *groupsMemref, const void *cMemref,
                   const void *dMemref, const void *biasMemref) {
  const format::GroupingFacts &facts = factsOf(problem);
  int sfaRank = facts.ofA ? 3 : 2, sfbRank = facts.ofB ? 3 : 2, dRank = facts.ofD ? 3 : 2;
  int aRank = problem.flat ? 1 : sfaRank, bRank = problem.flat ? 1 : sfbRank;
  int64_t dBytes = problem.d_type == FP8GEMM_F32 ? 4 : 2;
  a = read("a", device & FP8GEMM_PROGRAM_A, aMemref, aRank, 1);
  sfa = read("sfa", device & FP8GEMM_PROGRAM_SFA, sfaMemref, sfaRank, 4);
  b = read("b", device & FP8GEMM_PROGRAM_B, bMemref, bRank, 1);
  sfb = read("sfb", device & FP8GEMM_PROGRAM_SFB, sfbMemref, sfbRank, 4);
  d = read("d", device & FP8GEMM_PROGRAM_D, dMemref, dRank, dBytes);
  if (facts.isDescribed)
    groups = read("groups", device & FP8GEMM_PROGRAM_GROUPS, groupsMemref, 1, 4);
  if (problem.c_use == FP8GEMM_C_APART)
    c = read("c", device & FP8GEMM_PROGRAM_C, cMemref, dRank, dBytes);
  if (problem.bias != FP8GEMM_NO_BIAS)
    bias = read("bias", device & FP8GEMM_PROGRAM_BIAS, biasMemref, 1, problem.bias == FP8GEMM_BIAS_F32 ? 4 : 2);
  m = d.rows;
  k = problem.flat ? a.columns / problem.m : a.columns;
  checkRows(problem);
  checkScales(problem);
}

/// Sizes that may be dynamic in a type, except those of scales.
void Operands::checkRows(const fp8gemm_problem &problem) {
  if (problem.flat) {
    require(a, "elements (m * k)", a.columns, problem.m * k);
    require(b, "elements (n * k)", b.columns, problem.n * k);
  } else {
    require(a, "rows, as 'd'", a.rows, m);
    require(b, "columns, as 'a'", b.columns, k);
  }
  if (isAlongK(problem) && k % 16 != 0)
    throw Failure(FP8GEMM_INVALID_ARGUMENT, "expected 'a' to have a multiple of 16 columns, got " + std::to_string(k));
  if (c)
    require(c, "rows, as 'd'", c.rows, m);
  if (groups)
    require(groups, "entries", groups.columns, problem.grouping == FP8GEMM_ROW_INDEX ? m : problem.groups);
}

/// Scales of single rows that are mn_major may be stored for more rows than there are; others may not be used.
void Operands::checkScales(const fp8gemm_problem &problem) {
  auto check = [&](Operand &scales, bool mnMajor, int64_t needed) {
    int64_t &mn = mnMajor ? scales.columns : scales.rows, &blocks = mnMajor ? scales.rows : scales.columns;
    if (mn < needed || (!mnMajor && mn != needed))
      require(scales, mnMajor ? "columns at least" : "rows", mn, needed);
    mn = needed;
    if (!isAlongK(problem))
      require(scales, "K blocks", blocks, ceilDiv(k, kBlock));
    return blocks;
  };
  int64_t aBlocks = check(sfa, problem.sfa_layout == FP8GEMM_MN_MAJOR, m);
  int64_t bBlocks =
      check(sfb, problem.sfb_layout == FP8GEMM_MN_MAJOR, ceilDiv(problem.n, int64_t(problem.sfb_block_rows)));
  if (aBlocks != bBlocks)
    require(sfb, "K blocks, as 'sfa'", bBlocks, aBlocks);
}

} // namespace fp8gemm::program
