// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of a product, as a compiled program describes them.

#ifndef FP8GEMM_RUNTIME_PROGRAM_OPERANDS_H
#define FP8GEMM_RUNTIME_PROGRAM_OPERANDS_H

#include "fp8gemm/Operands.h"
#include "fp8gemm/program.h"

#include <array>
#include <stdexcept>
#include <string>

namespace fp8gemm::program {

/// Why a call failed; caught where the library ends.
struct Failure : std::runtime_error {
  Failure(fp8gemm_status status, const std::string &message) : std::runtime_error(message), status(status) {}
  fp8gemm_status status;
};

/// Matrices of equal shape, one for each group, or one. Strides count elements.
struct Operand {
  const char *name = nullptr;
  bool onDevice = false;
  bool isVector = false; ///< callers of the runtime give no strides of it: rows and groups follow each other
  char *data = nullptr; ///< null: there is no such operand
  int64_t elementBytes = 1;
  int64_t groups = 1, rows = 0, columns = 0;
  int64_t groupStride = 0, rowStride = 0;

  explicit operator bool() const { return name; }
  bool isEmpty() const { return groups == 0 || rows == 0 || columns == 0; }
};

struct Operands {
  std::array<Operand, format::kOperandCount> all; ///< by format::Operand
  int64_t m = 0; ///< rows of A and D: of all groups, or of each
  int64_t k = 0; ///< columns of A and B; of all groups along K

  /// Reads what fp8gemm_program_run_operands was given, and checks what the types leave open. Throws Failure.
  Operands(const fp8gemm_problem &problem, uint32_t deviceOperands, const void *const *operands, uint32_t count);

  Operand &operator[](format::Operand operand) { return all[size_t(operand)]; }
  const Operand &operator[](format::Operand operand) const { return all[size_t(operand)]; }

private:
  void checkRows(const fp8gemm_problem &problem);
  void checkScales(const fp8gemm_problem &problem);
};

inline bool isAlongK(const fp8gemm_problem &problem) { return problem.grouping == FP8GEMM_K_COUNT; }
inline const format::GroupingFacts &factsOf(const fp8gemm_problem &problem) {
  return format::factsOf(format::Grouping(problem.grouping));
}

} // namespace fp8gemm::program

#endif // FP8GEMM_RUNTIME_PROGRAM_OPERANDS_H
