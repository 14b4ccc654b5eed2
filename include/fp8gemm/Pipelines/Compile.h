// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fp8gemm-compile does: an input to any level, with the time of each phase. Compiler.h is for other programs.

#ifndef FP8GEMM_PIPELINES_COMPILE_H
#define FP8GEMM_PIPELINES_COMPILE_H

#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Pipelines/Problem.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fp8gemm {

/// What to write, in the order of lowering.
enum class Emit { Mlir, Config, Hopper, NVVM, LLVM, Ptx, Sass, Manifest, Cubin };

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
bool runCompileTool(CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_COMPILE_H
