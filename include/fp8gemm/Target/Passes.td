// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_TARGET_PASSES_TD
#define FP8GEMM_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckKernelPass : Pass<"nvvm-check-kernel"> {
  let summary = "reject machine-level kernels that would hang, corrupt memory or be serialised";
  let description = [{
    Runs on nvvm, scf and arith, directly after convert-hopper-to-nvvm, and changes nothing. It checks
    properties that hopper IR cannot show: which threads execute an aligned instruction together, proxy
    fences, bytes at mbarriers, matrix descriptors and accumulators in flight. docs/KernelLint.md lists each
    rule and its message. A kernel with branches instead of regions is skipped.
  }];
  let options = [
    ListOption<"rules", "rules", "unsigned", "numbers of the rules to check (default: all)">,
  ];
}

def ConvertKernelsToLLVMPass : Pass<"fp8gemm-convert-kernels-to-llvm"> {
  let summary = "lower the remaining operations of a kernel to the LLVM dialect";
  let description = [{
    Runs upstream's arith, cf, index, math, vector and nvvm conversions in one step, with
    a 32-bit index, only inside `gpu.module`: upstream's pass for cf runs on whole
    modules, and would rewrite host functions too. `scf` must be lowered before.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def SerializeKernelsPass : Pass<"fp8gemm-serialize-kernels", "::mlir::ModuleOp"> {
  let summary = "compile each gpu.module to a kernel file";
  let description = [{
    Translates each `gpu.module` (in the LLVM dialect) to PTX with LLVM, assembles it
    with ptxas, and replaces it by a `gpu.binary` whose object is the kernel file:
    the cubin, then its manifest (runtime/format).

    ptxas is searched for in `ptxas`, $CUDA_PATH/bin, $PATH and the virtual environment
    that scripts/setup.sh creates. Its warnings are reported; C75xx warnings, spills and
    local memory are errors unless allowed.
  }];
  let options = [
    Option<"ptxas", "ptxas", "std::string", /*default=*/"\"\"", "path of ptxas">,
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_90a\"", "GPU architecture; sm_90a is the only one built">,
    Option<"allowSpills", "allow-spills", "bool", /*default=*/"false",
           "accept kernels that spill registers or use local memory">,
    Option<"lineinfo", "lineinfo", "bool", /*default=*/"false",
           "keep line numbers in the machine code, for profilers">,
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect"];
}

#endif // FP8GEMM_TARGET_PASSES_TD
