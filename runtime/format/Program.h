// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data that a compiled program passes to fp8gemm_program_run, beside its problem: the library has the same in C
// (fp8gemm/program.h), which it compares with this.

#ifndef FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
#define FP8GEMM_RUNTIME_FORMAT_PROGRAM_H

#include <cstdint>

namespace fp8gemm::format {

/// Bits of `device_operands`, in the order of the operands that follow it.
enum ProgramOperand : uint32_t { kA = 1, kSfa = 2, kB = 4, kSfb = 8, kGroups = 16, kC = 32, kD = 64, kBias = 128 };

/// The bytes of an embedded file lie at a multiple of this.
constexpr unsigned kProgramFileAlignment = 64;

constexpr const char kProgramRun[] = "fp8gemm_program_run", kProgramFail[] = "fp8gemm_program_fail";

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_PROGRAM_H
