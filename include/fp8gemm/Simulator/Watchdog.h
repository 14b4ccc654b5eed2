// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_SIMULATOR_WATCHDOG_H
#define FP8GEMM_SIMULATOR_WATCHDOG_H

#include <chrono>

namespace fp8gemm::simulator {

/// The time limit of a simulation, from its construction on.
class Watchdog {
public:
  /// 0: forever.
  explicit Watchdog(double seconds) : seconds(seconds), start(Clock::now()) {}

  /// Whether time is over. This never changes back.
  bool isOver() {
    over |= seconds > 0 && std::chrono::duration<double>(Clock::now() - start).count() > seconds;
    return over;
  }
  /// Whether isOver() has ever returned true.
  bool wasOver() const { return over; }

  const double seconds;

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  bool over = false;
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_SIMULATOR_WATCHDOG_H
