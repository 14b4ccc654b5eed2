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

    For each K block, ascending:
    - A's and B's elements are extended to f32 (exact);
    - their products (exact) are added in f32, k ascending, from zero: `partial`;
    - `sum = fma(partial, sfa * sfb, sum)`, where sfa * sfb is rounded to f32.

    At the end C, if there is one, is added in f32: `C + sum`; and the result is rounded
    to D's type, to nearest even.

    A grouped product becomes a loop over its groups, or over blocks of rows that have one
    index, that reads the description and does this for the rows, or the part of K, that it gives.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def ExpandF8Pass : Pass<"expand-f8"> {
  let summary = "lower f8E4M3FN and f8E5M2 extensions to integer arithmetic";
  let description = [{
    Rewrites scalar `arith.extf` from f8E4M3FN or f8E5M2 to f32, for which neither
    upstream's arith-expand nor LLVM has a lowering on CPUs. The result is exact; every
    NaN becomes the quiet NaN 0x7fc00000. No subnormal f32 occurs, so a process that
    flushes them computes the same.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
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

    With `debug-rings` (docs/Debugging.md) a wait of `ring.acquire` or `ring.wait` lasts at most so
    long. One that lasts longer writes who waits for what where the runtime reads it, and traps. What waits
    there are is noted on the kernel, as `hopper.debug_rings`.
  }];
  let options = [
    Option<"debugRings", "debug-rings", "unsigned", /*default=*/"0",
           "milliseconds that a wait at a ring may last before it reports and traps (0: for ever)">,
  ];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // FP8GEMM_CONVERSION_PASSES_TD
