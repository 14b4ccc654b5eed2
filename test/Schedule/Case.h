// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A problem, a schedule and a seed: what the schedule tests try out, in one process and without a GPU.

#ifndef FP8GEMM_TEST_SCHEDULE_CASE_H
#define FP8GEMM_TEST_SCHEDULE_CASE_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Problem.h"
#include "fp8gemm/Simulator/Trial.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <random>

namespace fp8gemm::schedule {

struct Case {
  format::Problem problem;
  config::Config config; ///< fields that are unset are chosen
  simulator::TrialOptions trial;
};

/// The `number`th random case of a seed: small problems of every kind, with schedules that are mostly legal.
Case draw(uint64_t seed, uint64_t number);

/// From {"problem": as in a pack, or with an M of its own, "config": "tile_m = ..", "m": 200, "clusters": 2, "pad": 0,
/// "seed": 1}.
llvm::Expected<Case> fromJson(const llvm::json::Value &value);

llvm::json::Object toJson(const Case &c);

/// How to do it again: options of fp8gemm-compile and hopper-simulate.
std::string compileOptions(const Case &c);
std::string simulateOptions(const Case &c);

struct Verdict {
  enum class Kind {
    Agrees,  ///< it lowers, simulates, and D is right
    Refused, ///< with a diagnostic: the problem or the schedule breaks a rule
    Failed,  ///< anything else
  };
  Kind kind = Kind::Failed;
  std::string message; ///< the diagnostics
  std::string ir;      ///< of what failed: the kernel after hopper-complete-schedule, if it came so far
  simulator::TrialResult trial;
};

/// Compiles a case down to nvvm, through the checks, and simulates it.
Verdict run(const Case &c);

/// The smallest case found that fails, too.
Case shrink(const Case &failing);

} // namespace fp8gemm::schedule

#endif // FP8GEMM_TEST_SCHEDULE_CASE_H
