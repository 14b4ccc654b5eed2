// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass list from fp8gemm to kernel files, and its parts.

#ifndef FP8GEMM_PIPELINES_PIPELINES_H
#define FP8GEMM_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace fp8gemm {

/// Options of the passes, by the same names; see their descriptions.
struct PipelineOptions : mlir::PassPipelineOptions<PipelineOptions> {
  Option<std::string> gpu{*this, "gpu", llvm::cl::desc("GPU that times are modelled for"), llvm::cl::init("h100-sxm")};
  Option<int64_t> expectedM{*this, "expected-m", llvm::cl::desc("rows of A to model where M is dynamic (count)"),
                            llvm::cl::init(4096)};
  Option<std::string> config{*this, "config", llvm::cl::desc("schedule to use instead of the modelled choice")};
  Option<bool> batchInvariant{*this, "batch-invariant",
                              llvm::cl::desc("choose only schedules that add up K in one and the same order"),
                              llvm::cl::init(false)};
  Option<bool> explain{*this, "explain", llvm::cl::desc("say why a schedule was chosen"), llvm::cl::init(false)};
  Option<std::string> chip{*this, "chip", llvm::cl::desc("GPU architecture"), llvm::cl::init("sm_90a")};
  Option<std::string> ptxas{*this, "ptxas", llvm::cl::desc("path of ptxas")};
  Option<bool> allowSpills{*this, "allow-spills", llvm::cl::desc("accept spills, local memory and C75xx"),
                           llvm::cl::init(false)};
  Option<bool> lineinfo{*this, "lineinfo", llvm::cl::desc("keep line numbers in the machine code"),
                        llvm::cl::init(false)};
  Option<unsigned> debugRings{
      *this, "debug-rings",
      llvm::cl::desc("milliseconds that a wait at a ring may last before it reports and traps (0: for ever)"),
      llvm::cl::init(0)};
  Option<std::string> lineinfoFile{
      *this, "lineinfo-file",
      llvm::cl::desc("write the hopper level to this file, and let lines be those of it (default: of the input)")};
};

/// One step each; a step skips what is already lowered, so any
/// level can be resumed by running all of them.
void buildConfigPipeline(mlir::OpPassManager &manager, const PipelineOptions &options); ///< + #fp8gemm.config
void buildHopperPipeline(mlir::OpPassManager &manager, const PipelineOptions &options); ///< + hopper kernels
void buildNVVMPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);   ///< hopper -> nvvm, scf
void buildLLVMPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);   ///< -> LLVM dialect

/// A step of lowering, by the level that it makes.
struct LoweringStep {
  const char *level; ///< as --emit has it
  const char *title; ///< as --time has it
  void (*build)(mlir::OpPassManager &, const PipelineOptions &);
};

/// The steps in their order, which is written nowhere else.
constexpr LoweringStep kLoweringSteps[] = {{"config", "select config", buildConfigPipeline},
                                           {"hopper", "to hopper", buildHopperPipeline},
                                           {"nvvm", "to nvvm", buildNVVMPipeline},
                                           {"llvm", "to llvm dialect", buildLLVMPipeline}};

/// From any level up to `last`; empty: all steps.
void buildLoweringPipeline(mlir::OpPassManager &manager, const PipelineOptions &options, llvm::StringRef last = "");

/// All of them, then the kernel files: gpu.module -> gpu.binary.
void buildFP8GemmToCubinPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Registers fp8gemm-to-{config,hopper,nvvm,llvm,cubin}: each from any level up to its own.
void registerPipelines();

/// Registers the dialects that the pipeline reads and makes, and their translation.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace fp8gemm

#endif // FP8GEMM_PIPELINES_PIPELINES_H
