// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where tasks meet: mbarriers, and barriers of many threads.

#ifndef FP8GEMM_LIB_SIMULATOR_BARRIERS_H
#define FP8GEMM_LIB_SIMULATOR_BARRIERS_H

#include "Clock.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace fp8gemm::simulator {

struct Task;

/// An mbarrier: a phase is complete when `count` threads have arrived and the bytes that they announced
/// have landed (PTX ISA, "mbarrier").
struct Mbarrier {
  int64_t count = 0, pending = 0;             ///< arrivals of a phase, and those that are still missing
  int64_t bytes = 0;                          ///< announced less landed; TMA may be earlier than who announces
  uint32_t phases = 0;                        ///< that are complete
  Clock arriving;                             ///< what those who arrived knew
  Clock complete;                             ///< what one who sees the last phase complete knows
  Access init;                                ///< by ring.init; nobody: not yet
  bool initFenced = false;                    ///< by `fence mbarrier_init`
  llvm::SmallVector<const Task *, 4> arrived; ///< in this phase

  /// Whether a wait for the phase of this parity is over.
  bool isComplete(bool parity) const { return (phases % 2 == 1) != parity; }
  void completeIfDone() {
    if (pending != 0 || bytes != 0)
      return;
    ++phases;
    pending = count;
    complete.join(arriving);
    arrived.clear();
  }
};

/// Threads of a CTA that wait for each other: named barriers, and gpu.barrier as number 0.
struct NamedBarrier {
  int64_t threads = 0, arrived = 0;
  llvm::SmallVector<Task *, 4> waiting;
};
constexpr int kNamedBarriers = 16;

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_BARRIERS_H
