// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Device memory for the operands of one call.

#ifndef FP8GEMM_RUNTIME_PROGRAM_DEVICE_H
#define FP8GEMM_RUNTIME_PROGRAM_DEVICE_H

#include "Driver.h"
#include "Operands.h"

#include <vector>

namespace fp8gemm::program {

/// The thread's context, and memory that lives until the call ends: allocated, copied to and freed in the order of
/// `stream`. Throws Failure.
class Device {
public:
  explicit Device(cuda::CUstream stream);
  ~Device();
  Device(const Device &) = delete;

  /// Memory for `operand`, each row from a multiple of 16 bytes on, and the operand there. One that is on the device
  /// stays as it is.
  Operand place(const Operand &operand);
  /// Copies between an operand in host memory and its place.
  void upload(const Operand &host, const Operand &placed) { copy(host, placed, /*toDevice=*/true); }
  void download(const Operand &placed, const Operand &host) { copy(host, placed, /*toDevice=*/false); }
  void *allocate(size_t bytes);
  void synchronize();

private:
  void copy(const Operand &host, const Operand &placed, bool toDevice);
  void check(cuda::CUresult result, const char *call) const;

  const cuda::Driver *driver;
  const cuda::ProgramFunctions *cu;
  cuda::CUstream stream;
  std::vector<cuda::CUdeviceptr> allocations;
};

} // namespace fp8gemm::program

#endif // FP8GEMM_RUNTIME_PROGRAM_DEVICE_H
