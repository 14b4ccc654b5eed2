// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arguments of cuLaunchKernelEx.

#ifndef FP8GEMM_RUNTIME_SRC_LAUNCH_H
#define FP8GEMM_RUNTIME_SRC_LAUNCH_H

#include "Call.h"
#include "Kernel.h"

namespace fp8gemm::runtime {

/// Points into itself.
struct Launch {
  Launch() = default;
  Launch(const Launch &) = delete;

  cuda::CUlaunchConfig config;
  cuda::CUfunction function;
  void *params[kMaxParams];

  LaunchAttributes attributes;
  /// Room for one parameter of any kind.
  union Value {
    cuda::CUtensorMap map;
    void *pointer;
    int32_t extent;
    int64_t stride;
  } values[kMaxParams];
};

/// Checks a call and prepares its launch, which then takes only cuLaunchKernelEx.
fp8gemm_status prepare(fp8gemm_kernel &kernel, Call &call, const cuda::Driver &driver, cuda::CUstream stream,
                       Launch &launch);

/// The call of `args`.
Call makeCall(const fp8gemm_kernel &kernel, const fp8gemm_gemm_args &args);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_LAUNCH_H
