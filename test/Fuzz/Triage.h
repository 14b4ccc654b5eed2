// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a failure is, whose it is, and a small text that still has it.

#ifndef FP8GEMM_TEST_FUZZ_TRIAGE_H
#define FP8GEMM_TEST_FUZZ_TRIAGE_H

#include "Worker.h"

#include <map>

namespace fp8gemm::fuzz {

struct Verdict {
  std::string key;      ///< equal for failures of one cause
  std::string upstream; ///< why it isn't this project's; empty if it is
  std::string report;   ///< for people, some lines
};

class Triage {
public:
  /// Names of functions come from llvm-symbolizer.
  explicit Triage(std::string symbolizer) : symbolizer(std::move(symbolizer)) {}

  /// A crash, or what is too slow or too large, is upstream's if no function of the compiler was running: none
  /// between the fuzzer's own call into MLIR and the innermost one. Findings, by the pass. Exceptions are in Known.
  Verdict judge(const Failure &failure);

private:
  struct Frame {
    std::string function;
    bool program = false; ///< in this program, not in a shared library
  };
  const Frame &frame(uintptr_t address);
  void symbolize(const std::vector<uintptr_t> &addresses);

  std::string symbolizer;
  std::map<uintptr_t, Frame> frames;
};

/// Leaves out lines, then tokens, as long as the failure stays the same.
Case shrink(const Case &input, const std::string &key, Worker &worker, Triage &triage, double seconds);

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_TRIAGE_H
