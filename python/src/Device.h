// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA context that a call runs in.

#ifndef FP8GEMM_PYTHON_SRC_DEVICE_H
#define FP8GEMM_PYTHON_SRC_DEVICE_H

#include "Driver.h"

namespace fp8gemm::python {

/// While it lives, a context of the wanted device is current on this thread: the one that is already, if it is of this
/// device, else the device's primary context, which array libraries use.
class DeviceScope {
public:
  DeviceScope() = default;
  DeviceScope(const DeviceScope &) = delete;
  ~DeviceScope();

  /// False with a Python error set.
  bool enter(int device);

private:
  cuda::CUcontext before = nullptr;
  bool hasChanged = false;
};

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_DEVICE_H
