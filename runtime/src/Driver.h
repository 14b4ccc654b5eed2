// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA driver, opened on first use.

#ifndef FP8GEMM_RUNTIME_SRC_DRIVER_H
#define FP8GEMM_RUNTIME_SRC_DRIVER_H

#include "CudaDriver.h"

#include <string>

namespace fp8gemm::cuda {

/// libcuda's functions, as a table.
struct Driver {
#define FP8GEMM_MEMBER(member, symbol, params) CUresult(*member) params = nullptr;
  FP8GEMM_CUDA_RUNTIME_FUNCTIONS(FP8GEMM_MEMBER)
  FP8GEMM_CUDA_OPTIONAL_FUNCTIONS(FP8GEMM_MEMBER) ///< null where the driver lacks it
#undef FP8GEMM_MEMBER

  /// Handle of dlopen.
  void *library = nullptr;

  /// The process's driver, opened and initialised by the first call. Null if there
  /// is none that works; `error` then says why and what to do.
  static const Driver *get(std::string &error);

  /// "cuX failed: NAME (the driver's text); what to do".
  std::string describe(CUresult result, const char *call) const;
};

/// libcuda's functions that the runtime has no use for.
struct ToolFunctions {
#define FP8GEMM_MEMBER(member, symbol, params) CUresult(*member) params = nullptr;
  FP8GEMM_CUDA_TOOL_FUNCTIONS(FP8GEMM_MEMBER)
#undef FP8GEMM_MEMBER

  /// False, with `error` set, where the driver lacks one.
  bool load(const Driver &driver, std::string &error);
};

/// Those of compiled programs.
struct ProgramFunctions {
#define FP8GEMM_MEMBER(member, symbol, params) CUresult(*member) params = nullptr;
  FP8GEMM_CUDA_PROGRAM_FUNCTIONS(FP8GEMM_MEMBER)
#undef FP8GEMM_MEMBER

  /// As above.
  bool load(const Driver &driver, std::string &error);
};

/// The address of `symbol` in `driver`, or null with `error` set.
void *findSymbol(const Driver &driver, const char *symbol, std::string &error);

} // namespace fp8gemm::cuda

#endif // FP8GEMM_RUNTIME_SRC_DRIVER_H
