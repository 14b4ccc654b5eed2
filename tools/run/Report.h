// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The findings of fp8gemm-run, as text or JSON.

#ifndef FP8GEMM_TOOLS_RUN_REPORT_H
#define FP8GEMM_TOOLS_RUN_REPORT_H

#include "Reference.h"

#include <optional>
#include <string>
#include <vector>

namespace fp8gemm::run {

/// A string in JSON.
std::string quoted(const std::string &text);

struct Report {
  std::string kernel, config;
  bool onGpu = false;
  std::string device; ///< which, and why
  int64_t m = 0, n = 0, k = 0, pad = 0;
  uint64_t seed = 0;

  std::optional<CheckResult> check;
  int64_t inputDamage = 0;       ///< bytes of inputs, or of their guards, that changed
  bool repeated = false;         ///< the product was computed twice
  int64_t differentElements = 0; ///< of D, between the two

  std::vector<double> microseconds; ///< of each timed launch
  double hostMicroseconds = 0;      ///< of the call that launches

  bool held() const { return !check || (check->held() && inputDamage == 0 && differentElements == 0); }
  void printText() const;
  void printJson() const;
};

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_REPORT_H
