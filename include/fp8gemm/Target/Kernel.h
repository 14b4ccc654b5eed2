// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The result of compiling a gpu.module. No MLIR.

#ifndef FP8GEMM_TARGET_KERNEL_H
#define FP8GEMM_TARGET_KERNEL_H

#include "fp8gemm/Target/CudaTools.h"

#include <string>

namespace fp8gemm::target {

/// A compiled kernel. The bytes depend only on the IR, LLVM and ptxas.
struct Kernel {
  std::string name;
  std::string ptx; ///< empty if it was read from a kernel file
  Cubin cubin;
  std::string manifest; ///< finished flatbuffer, runtime/format/Manifest.fbs
  std::string file;     ///< cubin and manifest, runtime/format/KernelFile.h
  double llvmSeconds = 0, ptxasSeconds = 0;
};

} // namespace fp8gemm::target

#endif // FP8GEMM_TARGET_KERNEL_H
