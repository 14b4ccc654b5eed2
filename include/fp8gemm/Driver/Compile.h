// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The work of fp8gemm-compile: an input to any level, with the time of each phase. Compiler.h is for other programs.

#ifndef FP8GEMM_DRIVER_COMPILE_H
#define FP8GEMM_DRIVER_COMPILE_H

#include "fp8gemm/Pack/Answer.h"
#include "fp8gemm/Pack/ModelProblems.h"
#include "fp8gemm/Pack/PackBuilder.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Problem.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fp8gemm {

/// The output, in the order of lowering.
enum class Emit { Mlir, Config, Hopper, NVVM, LLVM, Ptx, Sass, Manifest, Cubin };

struct CompileOptions {
  PipelineOptions pipeline;
  std::string input; ///< path of an .mlir file, "-" for stdin; ignored if there is a problem
  std::optional<format::Problem> problem;
  Emit emit = Emit::Cubin;
  /// Path, "-" for stdout, or a folder with "/" at its end, for one file per kernel.
  /// Empty: stdout for text, the current folder for kernel files.
  std::string output;
  bool time = false;   ///< print the seconds of each phase on stderr
  bool report = false; ///< print a report of each kernel on stderr

  Answer explain = Answer::None; ///< the candidate schedules, with their modelled times
  unsigned candidates = 0;       ///< how many for each product; 0: all

  Answer plan = Answer::None; ///< which kernel serves which M; its kernels are compiled
  int64_t maxM = kUsualMaxM;  ///< the number of rows up to which the plan is modelled

  /// Path of a list of problems to build a pack from (JSON, .yaml or .mlir); then nothing else is compiled. The list's
  /// own gpu is used if `pipeline.gpu` is empty.
  std::string pack;
  std::string cache;  ///< folder for the kernels of packs; empty: none
  unsigned jobs = 0;  ///< threads that compile kernels of a pack; 0: one per processor
  bool quiet = false; ///< do not print the progress of a pack

  /// Path of a model's config.json, "-" for stdin, instead of a list; then `modelOptions`' engine, tp and ep count.
  /// Without `output`, or with one that ends in .json, the list is written and nothing is compiled.
  std::string model;
  ModelOptions modelOptions;

  /// Whether a question is asked: then there is nothing to compile without `output`.
  bool answers() const { return explain != Answer::None || plan != Answer::None; }
};

/// Compiles. Errors are printed on stderr; true if there were none.
bool runCompileTool(CompileOptions &options);

} // namespace fp8gemm

#endif // FP8GEMM_DRIVER_COMPILE_H
