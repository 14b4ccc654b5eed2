// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data that a compiled program passes to fp8gemm_program_run_operands, beside its problem: the library has the same in C
// (fp8gemm/program.h), which it compares with this.

#ifndef FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
#define FP8GEMM_RUNTIME_FORMAT_PROGRAM_H

#include "fp8gemm/Operands.h"

namespace fp8gemm::format {

/// The bit of an operand in `device_operands`.
constexpr uint32_t bitOf(Operand operand) { return 1u << uint32_t(operand); }

/// The bytes of an embedded file lie at a multiple of this.
constexpr unsigned kProgramFileAlignment = 64;

constexpr const char kProgramRun[] = "fp8gemm_program_run_operands", kProgramFail[] = "fp8gemm_program_fail";

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
