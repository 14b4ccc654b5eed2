// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems -> a pack in memory. Nothing here prints, ends the process or shares anything between calls, so all of it
// may be called from many threads.

#ifndef FP8GEMM_PIPELINES_PACKBUILDER_H
#define FP8GEMM_PIPELINES_PACKBUILDER_H

#include "fp8gemm/Pipelines/Compile.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>
#include <vector>

namespace llvm::json {
class Value;
} // namespace llvm::json

namespace fp8gemm {

/// Why there is no pack, or no answer: so that callers can tell their own mistakes from the machine's.
class PackError : public llvm::ErrorInfo<PackError> {
public:
  enum class Kind {
    Problem, ///< what was asked for is not written correctly, breaks a rule, or has no schedule
    Ptxas,   ///< there is none, or it does not run
    Compile, ///< a kernel could not be compiled
    System,  ///< the cache's folder is none
  };
  static char ID;

  PackError(Kind kind, std::string message) : kind(kind), message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override { os << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

  const Kind kind;
  const std::string message;
};

struct PackProblem {
  std::string place; ///< "problems[3]", for messages
  GemmProblem problem;
  int64_t maxM = CompileOptions().maxM;
  bool batchInvariant = false;
};

struct PackProblems {
  std::string name; ///< of the file, to start messages with; empty: none
  std::string gpu;
  std::vector<PackProblem> problems;

  /// The message, behind the name and the place.
  llvm::Error error(PackError::Kind kind, const PackProblem &problem, const llvm::Twine &message) const;
};

/// Different problems of a pack, at most: more than any model has, and few enough to be planned in minutes.
constexpr size_t kMaxProblems = 4096;

/// Reads a list of problems, or one of them, as JSON (docs/Runtime.md tells the format). Entries that are equal are
/// one problem. A `gpu` that isn't empty is taken instead of the list's.
llvm::Expected<PackProblems> readPackProblems(llvm::StringRef json, llvm::StringRef name, llvm::StringRef gpu);
llvm::Expected<PackProblems> readPackProblems(const llvm::json::Value &json, llvm::StringRef name, llvm::StringRef gpu);

/// A kernel of a pack that is there.
struct PackProgress {
  enum class From { Compiler, Cache };
  From from;
  const PackProblem &problem;
  const config::Config &config;
  size_t done, total;
};

struct PackOptions {
  std::string ptxas; ///< path; empty: looked for
  std::string cache; ///< folder; empty: none
  unsigned jobs = 0; ///< threads; 0: one a processor
  bool allowSpills = false;
  unsigned debugRings = 0; ///< milliseconds that a wait at a ring may last; 0: for ever
  // Called by one thread at a time.
  std::function<void(const PackProgress &)> progress;
  std::function<void(const std::string &)> warn; ///< what is wrong with the cache, once a kind: it costs time only
};

/// The bytes of the pack: the same ones of the same problems, compiler and ptxas.
llvm::Expected<std::string> buildPack(const PackProblems &problems, const PackOptions &options);

/// What --plan prints of the first problem. Nothing is compiled.
llvm::Expected<std::string> planProblem(const PackProblems &problems, Answer form);

/// What --explain prints of the first problem for that many rows, and so many candidates; 0: all.
llvm::Expected<std::string> explainProblem(const PackProblems &problems, int64_t m, unsigned candidates, Answer form);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PACKBUILDER_H
