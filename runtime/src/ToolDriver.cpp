// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Driver.h"

bool fp8gemm::cuda::ToolFunctions::load(const Driver &driver, std::string &error) {
#define FP8GEMM_LOOK_UP(member, symbol, params)                                                                        \
  member = reinterpret_cast<decltype(member)>(findSymbol(driver, #symbol, error));                                     \
  if (!member)                                                                                                         \
    return false;
  FP8GEMM_CUDA_TOOL_FUNCTIONS(FP8GEMM_LOOK_UP)
#undef FP8GEMM_LOOK_UP
  return true;
}

bool fp8gemm::cuda::ProgramFunctions::load(const Driver &driver, std::string &error) {
#define FP8GEMM_LOOK_UP(member, symbol, params)                                                                        \
  member = reinterpret_cast<decltype(member)>(findSymbol(driver, #symbol, error));                                     \
  if (!member)                                                                                                         \
    return false;
  FP8GEMM_CUDA_PROGRAM_FUNCTIONS(FP8GEMM_LOOK_UP)
#undef FP8GEMM_LOOK_UP
  return true;
}
