// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DRIVER_PACK_H
#define FP8GEMM_DRIVER_PACK_H

#include "fp8gemm/Driver/Compile.h"

namespace fp8gemm {

/// fp8gemm-compile --pack: a list of problems to a file. Errors and progress are printed on stderr; true if there
/// were no errors.
bool writePack(const CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_PACK_H
