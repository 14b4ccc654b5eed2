// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One GPU, through the CUDA driver. What fails throws std::runtime_error.

#ifndef FP8GEMM_TOOLS_RUN_GPU_H
#define FP8GEMM_TOOLS_RUN_GPU_H

#include "Driver.h"
#include "Problem.h"
#include "fp8gemm/runtime.h"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace fp8gemm::run {

/// A kernel that did not end in time, and runs on: the device can't be waited for any more, not even at the
/// end of the process.
struct Hang : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Gpu {
public:
  /// Device 0, its primary context made current on this thread. Whatever is waited for longer than
  /// `watchdogSeconds` (0: forever) throws Hang.
  explicit Gpu(double watchdogSeconds);
  ~Gpu();
  Gpu(const Gpu &) = delete;

  /// Copies `contents` (a matrix with its guards) to the device memory of `matrix`, made
  /// by the first upload; the place of its first row.
  void *upload(const Matrix &matrix, const Matrix &contents);
  void *upload(const Matrix &matrix) { return upload(matrix, matrix); }
  /// Brings the device memory of `matrix` back, guards and all.
  void download(const Matrix &matrix, Matrix &contents);

  /// Launches and waits.
  void run(const std::function<void(cuda::CUstream)> &launch);

  /// Microseconds of `calls` launches, each after 512 MB were written and other 512 MB
  /// read, so that L2 holds neither operands nor lines that must be written back.
  std::vector<double> time(int calls, const std::function<void(cuda::CUstream)> &launch);

  /// Microseconds of host time that one of 200 launches in a row takes.
  double timeHost(const std::function<void(cuda::CUstream)> &launch);

  std::string name; ///< "NVIDIA H100 80GB HBM3, 132 SMs"

private:
  cuda::CUdeviceptr allocate(size_t bytes);
  void check(cuda::CUresult result, const char *call) const;
  /// Waits for the stream.
  void wait() const;

  double watchdogSeconds;
  const cuda::Driver *driver;
  cuda::ToolFunctions cu;
  cuda::CUstream stream = nullptr;
  std::vector<cuda::CUdeviceptr> allocations;
  std::map<const Matrix *, cuda::CUdeviceptr> matrices;
};

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_GPU_H
