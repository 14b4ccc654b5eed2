// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel files that were compiled before, in a folder that many processes may use at once.

#ifndef FP8GEMM_PIPELINES_KERNELCACHE_H
#define FP8GEMM_PIPELINES_KERNELCACHE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace fp8gemm {

class KernelCache {
public:
  /// Makes the folder if it isn't there; without one nothing is found or kept. What `tools` says of compiler and
  /// ptxas is a part of every key, beside the compiler's own code.
  static llvm::Expected<KernelCache> open(llvm::StringRef folder, llvm::StringRef tools);

  enum class Found { Nothing, Damaged, Kernel };
  /// The kernel file that was kept for `source`: all that it is made of, as text.
  Found find(llvm::StringRef source, std::string &kernel) const;
  llvm::Error keep(llvm::StringRef source, llvm::StringRef kernel) const;

private:
  std::string pathOf(llvm::StringRef source) const;

  std::string folder, tools;
};

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_KERNELCACHE_H
