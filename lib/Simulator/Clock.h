// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The happened-before relation: vector clocks of the agents that access a cluster's shared memory.

#ifndef FP8GEMM_LIB_SIMULATOR_CLOCK_H
#define FP8GEMM_LIB_SIMULATOR_CLOCK_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mlir {
class Operation;
} // namespace mlir

namespace fp8gemm::simulator {

/// An agent that accesses shared memory. In each CTA: all its threads before the roles, each role, and what works beside
/// them: for each consumer its tensor core and its TMA stores, for each stage of a ring the TMA loads that fill it.
/// An agent counts its steps; one is over when others can learn of it.
using AgentId = uint16_t;
constexpr AgentId kNobody = 0xffff;

/// For each agent, up to which step its accesses happened before.
struct Clock {
  explicit Clock(size_t agents = 0) : seen(agents), fenced(agents) {}

  void join(const Clock &other) {
    seen.resize(std::max(seen.size(), other.seen.size()));
    fenced.resize(seen.size());
    for (size_t i = 0; i < other.seen.size(); ++i) {
      seen[i] = std::max(seen[i], other.seen[i]);
      fenced[i] = std::max(fenced[i], other.fenced[i]);
    }
  }

  std::vector<uint32_t> seen;
  /// The same of writes that a fence has made visible to the async proxy: to TMA and wgmma.
  std::vector<uint32_t> fenced;
};

/// Threads of a CTA; or that an access is not one thread's.
using Thread = uint16_t;
constexpr Thread kManyThreads = 0xffff;

/// An access that happened.
struct Access {
  AgentId agent = kNobody;
  Thread thread = kManyThreads;
  uint32_t step = 0;
  mlir::Operation *op = nullptr;
};

/// An access that is about to happen, and what its thread knows.
struct Accessor {
  Access access;
  const Clock *clock = nullptr;
  AgentId issuer = kNobody;     ///< the role; of generic accesses that is access.agent
  Thread thread = kManyThreads; ///< that issues it
  uint32_t fencedStep = 0;      ///< the issuer's step at its last fence of the async proxy
  bool isAsync = false;         ///< by TMA or wgmma
  int agentsPerCta = 1;

  /// Whether `previous` is in this access's past. `mustBeVisible`: and what it wrote can be read.
  bool isBehind(const Access &previous, bool mustBeVisible, bool previousIsAsync) const {
    bool needsFence = isAsync && mustBeVisible && !previousIsAsync;
    bool sameThread = !previousIsAsync && thread != kManyThreads && previous.thread == thread &&
                      previous.agent / agentsPerCta == issuer / agentsPerCta;
    if (sameThread)
      return !needsFence || (previous.agent == issuer && previous.step <= fencedStep) ||
             previous.step <= clock->fenced[previous.agent];
    return previous.step <= (needsFence ? clock->fenced : clock->seen)[previous.agent];
  }
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_CLOCK_H
