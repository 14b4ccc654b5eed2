// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs cases in a child process, which may crash, hang or eat memory, and says which of them did.

#ifndef FP8GEMM_TEST_FUZZ_WORKER_H
#define FP8GEMM_TEST_FUZZ_WORKER_H

#include "Subject.h"

#include <functional>

namespace fp8gemm::fuzz {

struct Limits {
  double seconds = 10;     ///< of CPU time a case; of wall time ten times as much
  size_t megabytes = 2048; ///< of resident memory of the child
};

enum class Ending { Passed, Crashed, Found, TooSlow, TooLarge };

/// How a child ended before its last case did.
struct Failure {
  Ending ending = Ending::Passed;
  int signal = 0;
  std::string step;             ///< where it was
  std::string log;              ///< what it said: a sanitizer's report, or the finding
  std::vector<uintptr_t> stack; ///< innermost call first
};

class Worker {
public:
  explicit Worker(Limits limits);
  ~Worker();

  /// Runs `cases` from `first` on. Returns how many ended well; if not all, `failure` says why the next one didn't.
  size_t run(const std::vector<Case> &cases, size_t first, Failure &failure);

  uint8_t reached(size_t index) const;        ///< in the last run
  std::string text(size_t index) const;       ///< once its IR was changed
  uint64_t refusedChanges() const;            ///< of IR, by the verifier, in all runs
  std::string refusal(size_t index) const;
  bool coveredMore(size_t index) const; ///< than all cases before it
  size_t covered() const;               ///< of coverageSize()

  static constexpr size_t kMaxCases = 256;

private:
  struct Shared;
  [[noreturn]] void child(const std::vector<Case> &cases, size_t first);
  void watch(int pid, Failure &failure);

  Limits limits;
  Shared *shared;
  uint8_t *seen;
  int log; ///< file that a child's stderr goes to
};

/// What `make` returns in a child process; nothing if that crashes.
std::vector<std::string> inChild(const std::function<std::vector<std::string>()> &make);

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_WORKER_H
