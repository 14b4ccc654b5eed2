// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_SIMULATOR_WATCHDOG_H
#define FP8GEMM_SIMULATOR_WATCHDOG_H

#include <chrono>

namespace fp8gemm::simulator {

/// How long a simulation may last from now on.
class Watchdog {
public:
  /// 0: for ever.
  explicit Watchdog(double seconds) : seconds(seconds), start(Clock::now()) {}

  /// Whether time is over. Once it is, it stays so.
  bool isOver() {
    over |= seconds > 0 && std::chrono::duration<double>(Clock::now() - start).count() > seconds;
    return over;
  }
  /// Whether somebody was told that time is over.
  bool wasOver() const { return over; }

  const double seconds;

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  bool over = false;
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_WATCHDOG_H
