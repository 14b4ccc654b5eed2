// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data that a compiled program passes to fp8gemm_program_run: the compiler writes it as constants, and the library
// has the same structs in C (fp8gemm/program.h, fp8gemm/runtime.h), which it compares with these.

#ifndef FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
#define FP8GEMM_RUNTIME_FORMAT_PROGRAM_H

#include <cstdint>

namespace fp8gemm::format {

/// fp8gemm_problem. Numbers of enumerators are those of runtime.h.
struct ProgramProblem {
  int64_t size = sizeof(ProgramProblem);
  int64_t m = 0, n = 0, k = 0;
  uint32_t aType = 0, bType = 0, dType = 0, cUse = 0;
  uint32_t sfbBlockRows = 0, sfaLayout = 0, sfbLayout = 0;
  uint32_t grouping = 0, groups = 1, groupAlign = 1, flat = 0, batchInvariant = 0;
};
constexpr unsigned kProgramProblemLongs = 4, kProgramProblemInts = 12;
static_assert(sizeof(ProgramProblem) == kProgramProblemLongs * 8 + kProgramProblemInts * 4);

/// Bits of `device_operands`, in the order of the operands that follow it.
enum ProgramOperand : uint32_t { kA = 1, kSfa = 2, kB = 4, kSfb = 8, kGroups = 16, kC = 32, kD = 64 };

/// The bytes of an embedded file lie at a multiple of this.
constexpr unsigned kProgramFileAlignment = 64;

constexpr const char kProgramRun[] = "fp8gemm_program_run", kProgramFail[] = "fp8gemm_program_fail";

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
