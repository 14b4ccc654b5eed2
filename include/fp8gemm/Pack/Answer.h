// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_PACK_ANSWER_H
#define FP8GEMM_PACK_ANSWER_H

namespace fp8gemm {

/// Whether, and how, to print what was asked.
enum class Answer { None, Text, Json };

} // namespace fp8gemm

#endif // FP8GEMM_PACK_ANSWER_H
