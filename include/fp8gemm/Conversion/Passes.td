// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_CONVERSION_PASSES_TD
#define FP8GEMM_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertFP8GemmToLinalgPass : Pass<"convert-fp8gemm-to-linalg"> {
  let summary = "the executable meaning of every fp8gemm operation";
  let description = [{
    Rewrites fp8gemm operations to linalg and arith, on tensors or memrefs. The
    result states what is computed and in which order it is rounded
    (docs/Numerics.md), runs on a CPU, and is the oracle of the tests. It shares no
    code with the hopper path.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def ConvertFP8GemmToHopperPass : Pass<"convert-fp8gemm-to-hopper", "::mlir::ModuleOp"> {
  let summary = "build the hopper kernel of each configured product";
  let description = [{
    For each `fp8gemm.gemm` with a config a `gpu.module` is added that holds one
    kernel, and the operation gets a `kernel` reference to it. Operations of the same
    problem and config share a kernel. An operation without a config is an error;
    one that already has a kernel is left alone.
  }];
  let dependentDialects = ["::fp8gemm::hopper::HopperDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def ConvertHopperToNVVMPass : Pass<"convert-hopper-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "lower hopper kernels to nvvm and scf";
  let description = [{
    Each `gpu.func` becomes an `llvm.func` kernel; each hopper operation becomes the
    nvvm operations that it stands for, in place. Fragments become f32 values, slots
    become mbarrier addresses, and shared memory becomes offsets into one dynamic
    allocation. `scf`, `arith` and `index` stay for the upstream conversions.
  }];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // FP8GEMM_CONVERSION_PASSES_TD
