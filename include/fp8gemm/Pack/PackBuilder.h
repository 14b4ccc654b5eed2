// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems -> a pack in memory. Nothing here prints, ends the process or shares state between calls, so all of it
// may be called from many threads.

#ifndef FP8GEMM_PACK_PACKBUILDER_H
#define FP8GEMM_PACK_PACKBUILDER_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Problem.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>
#include <vector>

namespace llvm::json {
class Value;
} // namespace llvm::json

namespace fp8gemm {

/// Why there is no pack, or no answer: separates the caller's mistakes from the machine's.
class PackError : public llvm::ErrorInfo<PackError> {
public:
  enum class Kind {
    Problem, ///< the request is malformed, breaks a rule, or has no schedule
    Ptxas,   ///< it was not found, or does not run
    Compile, ///< a kernel could not be compiled
    System,  ///< the cache is not a folder
  };
  static char ID;

  PackError(Kind kind, std::string message) : kind(kind), message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override { os << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

  const Kind kind;
  const std::string message;
};

/// Rows up to which a plan is modelled.
constexpr int64_t kUsualMaxM = 8192;

struct PackProblem {
  std::string place; ///< "problems[3]", for messages
  format::Problem problem;
  int64_t maxM = kUsualMaxM;
};

struct PackProblems {
  std::string name; ///< of the file, to start messages with; empty: none
  std::string gpu;
  std::vector<PackProblem> problems;

  /// The message, preceded by the name and the place.
  llvm::Error error(PackError::Kind kind, const PackProblem &problem, const llvm::Twine &message) const;
};

/// The most different problems of a pack: more than any model has, and few enough to be planned in minutes.
constexpr size_t kMaxProblems = 4096;

/// Reads a list of problems, or one of them, as JSON (docs/Runtime.md has the format). Equal entries count as
/// one problem. A nonempty `gpu` overrides the list's.
llvm::Expected<PackProblems> readPackProblems(llvm::StringRef json, llvm::StringRef name, llvm::StringRef gpu);
llvm::Expected<PackProblems> readPackProblems(const llvm::json::Value &json, llvm::StringRef name, llvm::StringRef gpu);

/// The problems of a file, "-" for stdin: JSON, .yaml, or the products of a module in .mlir, which are planned up to
/// `maxM` rows and as `batchInvariant` says.
llvm::Expected<PackProblems> readProblemFile(llvm::StringRef path, llvm::StringRef gpu, int64_t maxM,
                                             bool batchInvariant);

/// A finished kernel of a pack.
struct PackProgress {
  enum class From { Compiler, Cache };
  From from;
  const PackProblem &problem;
  const config::Config &config;
  size_t done, total;
};

struct PackOptions {
  std::string ptxas; ///< path; empty: searched for
  std::string cache; ///< folder; empty: none
  unsigned jobs = 0; ///< threads; 0: one per processor
  bool allowSpills = false;
  unsigned debugRings = 0; ///< milliseconds that a wait on a ring may last; 0: forever
  // Called by one thread at a time.
  std::function<void(const PackProgress &)> progress;
  std::function<void(const std::string &)> warn; ///< problems with the cache, once per kind: they cost only time
};

/// The bytes of the pack: the same for the same problems, compiler and ptxas.
llvm::Expected<std::string> buildPack(const PackProblems &problems, const PackOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PACK_PACKBUILDER_H
