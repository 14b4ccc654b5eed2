// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel files that were compiled before, in a folder that many processes may use at once.

#ifndef FP8GEMM_PACK_KERNELCACHE_H
#define FP8GEMM_PACK_KERNELCACHE_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Problem.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <optional>
#include <string>

namespace fp8gemm {

/// The properties that a cached kernel file must have to be the requested one.
struct WantedKernel {
  format::Problem problem;
  config::Config config;
  bool allowSpills;
  unsigned debugRings; ///< milliseconds; 0: no debug build
};

class KernelCache {
public:
  enum class Trouble { Entry, Folder };
  using Warn = std::function<void(Trouble, const std::string &)>;

  /// Makes the folder if it isn't there; without one nothing is found or kept. The compiler's own code and the version
  /// of ptxas are a part of every key. A cache only saves time, so problems with its files are not errors: they
  /// are passed to `warn`, by any thread.
  static llvm::Expected<KernelCache> open(llvm::StringRef folder, llvm::StringRef ptxas, Warn warn);

  /// The kernel file that was kept for `source`, all that it is made of as text; none where there is none, or one that
  /// isn't `wanted`.
  std::optional<std::string> find(llvm::StringRef source, const WantedKernel &wanted) const;
  void keep(llvm::StringRef source, llvm::StringRef kernel) const;

private:
  std::string pathOf(llvm::StringRef source) const;
  std::string difference(llvm::StringRef kernel, const WantedKernel &wanted) const;
  void warnOfEntry(llvm::StringRef path, const std::string &why) const;
  void warnOfFolder(const std::string &why) const;

  std::string folder, tools, ptxas;
  Warn warn;
};

} // namespace fp8gemm

#endif // FP8GEMM_PACK_KERNELCACHE_H
