// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DRIVER_PHASES_H
#define FP8GEMM_DRIVER_PHASES_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace fp8gemm {

/// Where fp8gemm-compile's time goes.
class Phases {
public:
  Phases();

  /// Runs `work`; its wall time counts for the phase `name`.
  template <typename Work> auto run(llvm::StringRef name, Work work) {
    auto begin = Clock::now();
    auto result = work();
    add(name, seconds(begin, Clock::now()));
    return result;
  }
  void add(llvm::StringRef name, double seconds);

  /// Seconds since the process was started, as far as it used the CPU, plus wall time since main.
  double total() const { return loadSeconds + seconds(start, Clock::now()); }
  void print(llvm::raw_ostream &os) const;

private:
  using Clock = std::chrono::steady_clock;
  static double seconds(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration<double>(end - begin).count();
  }

  Clock::time_point start;
  double loadSeconds;
  std::vector<std::pair<std::string, double>> phases;
};

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_PHASES_H
