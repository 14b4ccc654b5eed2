// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole programs: host functions that call the runtime, and their kernels.

#ifndef FP8GEMM_PIPELINES_PROGRAM_H
#define FP8GEMM_PIPELINES_PROGRAM_H

#include "fp8gemm/Pipelines/Pipelines.h"

namespace fp8gemm {

/// Options of the passes, by the same names. Without a pack the kernels are compiled.
struct ProgramOptions : PipelineOptions {
  Option<std::string> pack{*this, "pack", llvm::cl::desc("path of a pack to take kernels from")};
  Option<bool> embedPack{*this, "embed-pack", llvm::cl::desc("read the pack now, and keep it in the module"),
                         llvm::cl::init(false)};
  Option<std::string> memory{*this, "memory",
                             llvm::cl::desc("where operands in the default memory space are: host or device"),
                             llvm::cl::init("host")};
};

/// Functions on tensors or memrefs to the LLVM dialect of a CPU, in which products are calls of the runtime.
void buildProgramPipeline(mlir::OpPassManager &manager, const ProgramOptions &options);

/// Registers it as fp8gemm-to-llvm-host.
void registerProgramPipeline();

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PROGRAM_H
