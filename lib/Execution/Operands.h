// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of a problem that a caller describes in C, and what is wrong with them.

#ifndef FP8GEMM_LIB_EXECUTION_OPERANDS_H
#define FP8GEMM_LIB_EXECUTION_OPERANDS_H

#include "fp8gemm/Execution/Execution.h"

#include <string>

namespace fp8gemm::execution {

constexpr int64_t kBlockK = 128;

/// A memref, as the C interface of MLIR passes it.
struct Descriptor {
  void *allocated, *aligned;
  int64_t offset;
  int64_t extents[6]; ///< the sizes, then the strides: as many of each as its rank
};

/// An operand of the problem: [rows, columns] of storage, or [groups, rows, columns], or
/// [columns] where it is flattened.
struct Operand {
  const char *name;
  fp8gemm_cpu_matrix matrix;
  int rank;
  int64_t groups, rows, columns, elementBytes;
  bool alignedRows;     ///< rows and groups are 16 bytes apart or a multiple of it, as on the GPU
  bool anyRows = false; ///< one function serves any number of them
  bool anyColumns = false;

  /// `count` of M's entries from `first`, which are rows or columns of an operand of rank 2.
  Descriptor part(bool mIsColumns, int64_t first, int64_t count) const;
  Descriptor whole() const;
};

struct Operands {
  explicit Operands(const fp8gemm_cpu_problem &problem);

  Operand a, sfa, b, sfb, c, d; ///< c is d if there is no C
};

inline bool hasC(const fp8gemm_cpu_problem &p) { return p.c.data != nullptr; }
bool isInPlace(const fp8gemm_cpu_problem &p);
inline bool isMnMajor(int32_t layout) { return layout == FP8GEMM_CPU_MN_MAJOR; }
inline bool isKGrouped(const fp8gemm_cpu_problem &p) { return p.grouping == FP8GEMM_CPU_K_COUNT; }
/// True if each group has a matrix of its own of C and D.
inline bool hasGroupsOfD(const fp8gemm_cpu_problem &p) {
  return p.grouping == FP8GEMM_CPU_ROW_COUNT || p.grouping == FP8GEMM_CPU_BATCHED || isKGrouped(p);
}
/// True if a description says what is in which group.
inline bool isDescribed(const fp8gemm_cpu_problem &p) {
  return p.grouping != FP8GEMM_CPU_NOT_GROUPED && p.grouping != FP8GEMM_CPU_BATCHED;
}
/// Entries of the description; 0 where there is none.
int64_t describedEntries(const fp8gemm_cpu_problem &p);

/// Empty, or what is wrong that the verifier of the operation cannot see: of the problem before it has
/// operands, and of the operands.
std::string checkProblem(const fp8gemm_cpu_problem &p);
std::string checkOperands(const fp8gemm_cpu_problem &p, const Operands &operands);

} // namespace fp8gemm::execution

#endif // FP8GEMM_LIB_EXECUTION_OPERANDS_H
