// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler makes of a gpu.module. No MLIR.

#ifndef FP8GEMM_TARGET_KERNEL_H
#define FP8GEMM_TARGET_KERNEL_H

#include "fp8gemm/Target/CudaTools.h"

#include <string>

namespace fp8gemm::target {

/// A compiled kernel. The bytes depend on the IR, LLVM and ptxas alone.
struct Kernel {
  std::string name;
  std::string ptx; ///< empty where it was read from a kernel file
  Cubin cubin;
  std::string manifest; ///< finished flatbuffer, runtime/format/Manifest.fbs
  std::string file;     ///< cubin and manifest, runtime/format/KernelFile.h
  double llvmSeconds = 0, ptxasSeconds = 0;
};

} // namespace fp8gemm::target

#endif // FP8GEMM_TARGET_KERNEL_H
