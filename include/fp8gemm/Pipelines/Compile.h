// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fp8gemm-compile does: an input to any level, with the time of each phase.

#ifndef FP8GEMM_PIPELINES_COMPILE_H
#define FP8GEMM_PIPELINES_COMPILE_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fp8gemm {

/// What to write, in the order of lowering.
enum class Emit { Mlir, Config, Hopper, NVVM, LLVM, Ptx, Sass, Manifest, Cubin };

/// A product, or one a group, named on the command line. Scales are laid out k_major or mn_major.
struct GemmProblem {
  enum class Recipe { OneD2D, OneD1D };
  enum class F8 { E4M3, E5M2 };
  enum class Result { BF16, F32 };
  enum class C { None, Apart, InPlace };

  std::optional<int64_t> m; ///< none: any M
  int64_t n = 0;
  std::optional<int64_t> k; ///< none: any K, of groups along K
  bool sfaMnMajor = true, sfbMnMajor = false;
  Recipe recipe = Recipe::OneD2D;
  F8 a = F8::E4M3, b = F8::E4M3;
  Result d = Result::BF16;
  C c = C::None;
  config::Grouping grouping = config::Grouping::None;
  int64_t groups = 1, align = 1;
  bool flattened = false; ///< A and B are each group's matrix packed, of groups along K
};

/// Whether, and how, to print what was asked on stdout.
enum class Answer { None, Text, Json };

struct CompileOptions {
  PipelineOptions pipeline;
  std::string input; ///< path of an .mlir file, "-" for stdin; ignored if there is a problem
  std::optional<GemmProblem> problem;
  Emit emit = Emit::Cubin;
  /// Path, "-" for stdout, or a folder with "/" at its end: one file a kernel in it.
  /// Empty: stdout for text, the current folder for kernel files.
  std::string output;
  bool time = false;   ///< print the seconds of each phase on stderr
  bool report = false; ///< print what was chosen and made on stderr

  Answer explain = Answer::None; ///< the schedules to choose from, with their modelled times
  unsigned candidates = 0;       ///< of each product, so many of them; 0: all

  Answer plan = Answer::None; ///< which kernel serves which M; what is compiled are its kernels
  int64_t maxM = 8192;        ///< the plan is modelled up to so many rows

  /// Path of a list of problems to build a pack from (JSON, .yaml or .mlir); then nothing else is compiled. A list's
  /// own gpu counts where `pipeline.gpu` is empty.
  std::string pack;
  std::string cache;  ///< folder that kernels of packs are kept in; empty: none
  unsigned jobs = 0;  ///< threads that compile kernels of a pack; 0: one a processor
  bool quiet = false; ///< print no progress of a pack

  /// Whether a question is asked: then there is nothing to compile without `output`.
  bool answers() const { return explain != Answer::None || plan != Answer::None; }
};

/// Compiles. Errors are printed on stderr; true if there were none.
bool compile(CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_COMPILE_H
