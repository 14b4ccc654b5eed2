// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU, a pack that is loaded on it, and operands for its kernels.

#ifndef FP8GEMM_BENCHMARK_LAUNCH_COST_SESSION_H
#define FP8GEMM_BENCHMARK_LAUNCH_COST_SESSION_H

#include "Driver.h"
#include "fp8gemm/runtime.h"

#include <string>
#include <vector>

namespace fp8gemm::launchcost {

/// Ends the program with a message, and status 2.
[[noreturn]] void die(const std::string &message);
/// Ends it with the runtime's message, if `status` is one of a failure.
void require(fp8gemm_status status);

class Session {
public:
  /// Opens the pack and loads all of it on device 0.
  explicit Session(const char *packPath);

  /// Ends the program unless the driver's call succeeded.
  void check(cuda::CUresult result, const char *call) const;

  /// The ungrouped problems that add no C.
  std::vector<fp8gemm_problem> problems() const;

  /// Operands of zeros for `m` rows, and `sets - 1` other ones, which start 256 bytes further on each.
  std::vector<fp8gemm_gemm_args> makeOperands(const fp8gemm_kernel_info &info, int64_t m, int sets);

  /// Waits for all launches.
  void wait() const { check(cu.streamSynchronize(stream), "cuStreamSynchronize"); }

  const cuda::Driver &cu;
  fp8gemm_pack *pack = nullptr;
  cuda::CUstream stream = nullptr;
  std::string gpu;

private:
  fp8gemm_matrix allocate(int64_t rows, int64_t columns, int elementBytes, int sets);

  cuda::ToolFunctions tools;
};

} // namespace fp8gemm::launchcost

#endif // FP8GEMM_BENCHMARK_LAUNCH_COST_SESSION_H
