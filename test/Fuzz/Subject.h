// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is done with a text: change its IR, parse, verify, print and parse again, select a schedule, lower, translate to
// PTX, and for some run ptxas.

#ifndef FP8GEMM_TEST_FUZZ_SUBJECT_H
#define FP8GEMM_TEST_FUZZ_SUBJECT_H

#include <cstdint>
#include <string>
#include <vector>

namespace fp8gemm::fuzz {

class Mutator;
class Random;

/// The options of a run. As a first line, `// gpu config='...' ...`, they are a part of a saved case.
struct Options {
  bool cpu = false; ///< through linalg, not hopper
  std::string config, gpu = "h100-sxm";
  int64_t expectedM = 4096;
  bool batchInvariant = false, explain = false;
  enum Until { Llvm, Ptx, Cubin } until = Llvm;

  static Options draw(const std::string &text, Random &random);
  std::string toLine() const;
  /// Of a saved case; the defaults where it has no such line.
  static Options fromText(const std::string &text);
};

struct Case {
  std::string text;
  Options options;
  const Mutator *mutator = nullptr; ///< changes the IR of the text first; null: the text is taken as it is
  uint64_t seed = 0;                ///< of these changes
};

/// How far a text came, without a failure: bits.
enum Reached : uint8_t { Parsed = 1, Verified = 2, Checked = 4, Lowered = 8, Translated = 16, Assembled = 32 };
constexpr const char *kReached[] = {"parsed",    "verified", "past hopper-check-rings",
                                    "lowered", "to PTX",  "to a cubin"};

/// Notes of the process that runs a case, in memory that outlives it.
struct Progress {
  char step[96] = "";      ///< what it is at: a pass, the parser
  char finding[1024] = ""; ///< what is wrong though nothing crashed: a broken promise of the compiler
  char refusal[160] = "";  ///< the first error of the case
  uint8_t reached = 0;     ///< bits of Reached
  uint64_t refusedChanges = 0; ///< of IR, by the verifier, in all cases so far
  char *text = nullptr;        ///< of the case once its IR is changed; of kMaxText bytes, null-terminated

  void at(const char *name);
  void keep(const std::string &changed);
};
constexpr size_t kMaxText = 1 << 18;

/// Runs a case. Ends the process with kFoundStatus and a finding where
/// - a text is refused without a diagnostic,
/// - what was parsed prints as something that parses no more, or prints otherwise then,
/// - a pass makes IR that doesn't verify.
void runCase(const Case &input, Progress &progress);
constexpr int kFoundStatus = 77;

/// The texts of `text` at each level it can be lowered to, one function per text; only itself if it is not valid.
std::vector<std::string> levels(const std::string &text, bool lower);

/// Clears the counters of the project's own code, if it is instrumented (-fsanitize-coverage=inline-8bit-counters).
void clearCoverage();
/// Marks what was covered since; how much of it was new.
size_t addCoverage(uint8_t *seen); ///< of coverageSize() bytes
size_t coverageSize();

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_SUBJECT_H
