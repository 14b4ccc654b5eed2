// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libcuda's functions, each a success that does nothing; NullDevice.cpp has those that must answer.

#include "CudaDriver.h"

using namespace fp8gemm::cuda;

#define DO_NOTHING(member, symbol, params)                                                                             \
  extern "C" __attribute__((weak)) CUresult symbol params { return CUDA_SUCCESS; }
FP8GEMM_CUDA_RUNTIME_FUNCTIONS(DO_NOTHING)
FP8GEMM_CUDA_OPTIONAL_FUNCTIONS(DO_NOTHING)
FP8GEMM_CUDA_TOOL_FUNCTIONS(DO_NOTHING)
