// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operands.h"

#include "Program.h"

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

/// The rank of its memref: of flat matrices and rows 1, of columns [M, 1] 2, and one more where each group has one.
static int rankOf(const format::Problem &problem, const format::OperandRow &row) {
  bool hasRows = row.rows != format::Extent::One && !format::isFlat(problem, row);
  return (hasRows ? 2 : 1) + format::hasGroups(problem, row);
}

Operands::Operands(const fp8gemm_problem &problem, uint32_t device, const void *const *operands, uint32_t count) {
  const format::Problem fields = format::fromC(problem);
  for (const format::OperandRow &row : format::kOperands) {
    auto number = size_t(row.operand);
    bool isD = row.operand == format::Operand::C && problem.c_use == FP8GEMM_C_IN_PLACE;
    if (format::has(fields, row) && !isD && row.operand != format::Operand::Workspace) {
      all[number] = read(row.name, device & format::bitOf(row.operand), number < count ? operands[number] : nullptr,
                         rankOf(fields, row), format::bytesOf(format::elementOf(fields, row)));
      all[number].isVector = !format::isMatrix(row);
    }
  }
  const Operand &a = (*this)[format::Operand::A];
  m = (*this)[format::Operand::D].rows;
  k = problem.flat ? a.columns / problem.m : a.columns;
  checkRows(problem);
  checkScales(problem);
}

/// Sizes that may be dynamic in a type, except those of scales.
void Operands::checkRows(const fp8gemm_problem &problem) {
  const Operand &a = (*this)[format::Operand::A], &b = (*this)[format::Operand::B], &c = (*this)[format::Operand::C],
                &groups = (*this)[format::Operand::Groups];
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
  for (const format::OperandRow &row : format::kOperands)
    if (const Operand &vector = (*this)[row.operand]; vector && format::isOptionalVector(row)) {
      require(vector, "rows", vector.rows, format::isColumn(row) ? m : 1);
      require(vector, "columns", vector.columns, format::isColumn(row) ? 1 : columnsOfD(format::fromC(problem)));
      if (vector.onDevice && vector.rows > 1)
        require(vector, "elements from a row to the next", vector.rowStride, vector.columns);
      if (vector.onDevice && vector.groups > 1)
        require(vector, "elements from a group to the next", vector.groupStride, vector.rows * vector.columns);
    }
}

/// Scales of single rows that are mn_major may be stored for more rows than there are; others may not be used.
void Operands::checkScales(const fp8gemm_problem &problem) {
  Operand &sfa = (*this)[format::Operand::ScaleA], &sfb = (*this)[format::Operand::ScaleB],
          &sfd = (*this)[format::Operand::ScaleD];
  auto check = [&](Operand &scales, bool mnMajor, int64_t needed, int64_t columns) {
    int64_t &mn = mnMajor ? scales.columns : scales.rows, &blocks = mnMajor ? scales.rows : scales.columns;
    if (mn < needed || (!mnMajor && mn != needed))
      require(scales, mnMajor ? "columns at least" : "rows", mn, needed);
    mn = needed;
    if (!isAlongK(problem))
      require(scales, &scales == &sfd ? "blocks of columns" : "K blocks", blocks, ceilDiv(columns, kBlock));
    return blocks;
  };
  int64_t aBlocks = check(sfa, problem.sfa_layout == FP8GEMM_MN_MAJOR, m, k);
  int64_t bBlocks =
      check(sfb, problem.sfb_layout == FP8GEMM_MN_MAJOR, ceilDiv(problem.n, int64_t(problem.sfb_block_rows)), k);
  if (aBlocks != bBlocks)
    require(sfb, "K blocks, as 'sfa'", bBlocks, aBlocks);
  if (sfd)
    check(sfd, problem.sfd_layout == FP8GEMM_SFD_MN_MAJOR, m, columnsOfD(format::fromC(problem)));
}

} // namespace fp8gemm::program
