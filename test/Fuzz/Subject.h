// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is done with a text: parse, verify, print and parse again, select a schedule, lower. No ptxas.

#ifndef FP8GEMM_TEST_FUZZ_SUBJECT_H
#define FP8GEMM_TEST_FUZZ_SUBJECT_H

#include <cstdint>
#include <string>
#include <vector>

namespace fp8gemm::fuzz {

class Random;

/// The options of a run. As a first line, `// gpu config='...' ...`, they are a part of a saved case.
struct Options {
  bool cpu = false; ///< through linalg, not hopper
  std::string config, gpu = "h100-sxm";
  int64_t expectedM = 4096;
  bool batchInvariant = false, explain = false;

  static Options draw(const std::string &text, Random &random);
  std::string toLine() const;
  /// Of a saved case; the defaults where it has no such line.
  static Options fromText(const std::string &text);
};

struct Case {
  std::string text;
  Options options;
};

/// How far a text came, without a failure.
enum class Reached : uint8_t { NotParsed, Parsed, Lowered };

/// Notes of the process that runs a case, in memory that outlives it.
struct Progress {
  char step[96] = "";      ///< what it is at: a pass, the parser
  char finding[1024] = ""; ///< what is wrong though nothing crashed: a broken promise of the compiler
  char refusal[160] = "";  ///< the first error of the case

  void at(const char *name);
};

/// Runs a case. Ends the process with kFoundStatus and a finding where
/// - a text is refused without a diagnostic,
/// - what was parsed prints as something that parses no more, or prints otherwise then,
/// - a pass makes IR that doesn't verify.
Reached runCase(const Case &input, Progress &progress);
constexpr int kFoundStatus = 77;

/// The texts of `text` at each level it can be lowered to, one function a text; itself alone if it is not valid.
std::vector<std::string> levels(const std::string &text, bool lower);

/// Clears the counters of the project's own code, if it is instrumented (-fsanitize-coverage=inline-8bit-counters).
void clearCoverage();
/// Marks what was covered since; how much of it was new.
size_t addCoverage(uint8_t *seen); ///< of coverageSize() bytes
size_t coverageSize();

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_SUBJECT_H
